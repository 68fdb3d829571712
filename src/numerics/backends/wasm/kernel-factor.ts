import type { KernelFactor, Vector } from '../../../types.ts'
import type { Backend, Floats } from '../../backend.ts'
import type { Address, Engine, Typed } from './engine.ts'
import { type Kept, keep } from './kept.ts'
import { kernelMatrix, type Products } from './kernel-matrix.ts'
import { multiplyAdd } from './parallel.ts'
import { type Inside, putList } from './passes.ts'
import { paddedBytes, putPadded } from './resident.ts'

/** Where one factor at a time stands, and whose it is. */
export interface Place {
  room?: { kept: Kept; bytes: number }
  holder?: object
}

/** The next of up to `most` places in turn, which whoever had it loses when it is used. */
export function nextPlace(places: Place[], most: number): Place {
  const next = places.length < most ? {} : places.shift()!
  places.push(next)
  return next
}

/** Of the blocks of one gated kernel. */
export interface FactorOptions {
  /** X / unit in float32 or float64, and what is kept beside it. */
  readonly inside: (single: boolean) => Inside & { X: Address; unit: number }
  readonly products: Products
  readonly columnsOf: (chosen: Int32Array) => Int32Array
  readonly place: Place
  readonly rowScales: Vector | undefined
  /** What factors and solves in the module's place, on the module's memory. */
  readonly dense: Dense | undefined
}

/** Products and factorisations of arrays where they are. */
export type Dense = Pick<Backend, 'gemm' | 'syrk' | 'cholesky' | 'triangularSolve'>

/** I + sum_i weights_i D_i X X' D_i, made, factored and solved with in the module's memory. */
export function kernelFactor({ inside, products, columnsOf, place, rowScales, dense }: FactorOptions): KernelFactor {
  const self = {}
  let single = true

  /** Values times a scale, in the precision of the factor. */
  const kind = (values: Vector, scale: number): Floats => (single ? multiples(values, scale) : values)
  /** The n rows at an address, as an array: until the memory grows. */
  const viewOf = (engine: Engine, address: Address, length: number): Floats =>
    single
      ? new Float32Array(engine.memory.buffer, address, length)
      : new Float64Array(engine.memory.buffer, address, length)

  return {
    get stands() {
      return place.holder === self
    },
    factor(chosen, weights, inSingle) {
      delete place.holder
      single = inSingle
      const within = inside(single)
      const { n, engine, typed, unit } = within
      const line = lineOf(typed, n)
      const L = placed(engine, place, n * line)
      kernelMatrix(within, products, columnsOf(chosen), kind(weights, unit ** 2), L)
      const ld = line / typed.entry
      const M = viewOf(engine, L, n * ld)
      if (rowScales)
        for (let r = 0; r < n; r++) for (let q = 0; q <= r; q++) M[r * ld + q]! *= rowScales[r]! * rowScales[q]!
      for (let r = 0; r < n; r++) M[r * ld + r]! += 1
      const done = dense
        ? dense.cholesky(n, M, ld)
        : typed.factor(n, L, line, engine.room('packed 0', engine.kernels.packedBytes()))
      if (done !== n) return false
      place.holder = self
      return true
    },
    solve(transpose, x) {
      const { n, engine, typed } = inside(single)
      const at = engine.room('fit', 8 * n)
      engine.put(at, x, 1, n, n)
      const solve = transpose ? typed.backward : typed.forward
      solve(n, place.room!.kept.at(), lineOf(typed, n), at)
      engine.take(at, x, 1, n, n)
    },
    addProducts(chosen, vectors, H) {
      const { engine, typed, n, d, X, ldx, unit, words, wordStride } = inside(single)
      const { entry } = typed
      const f = chosen.length
      if (f === 0) return
      const v = kind(vectors, unit)
      const row = paddedBytes(v, d)
      const line = lineOf(typed, n)
      const wide = f * entry
      const coefficients = engine.room('coefficients', f * row)
      const Z = engine.room('fit', n * wide)
      const HH = engine.room('B', f * wide)
      const work = engine.room('packed 0', engine.kernels.packedBytes())
      putPadded(engine, coefficients, v, f, d)
      engine.clear(Z, n * wide)
      if (dense) {
        const [lx, lv] = [ldx / entry, row / entry]
        const [all, some] = [viewOf(engine, X, n * lx), viewOf(engine, coefficients, f * lv)]
        dense.gemm(false, true, n, f, d, 1, all, lx, some, lv, 0, viewOf(engine, Z, n * f), f)
      } else multiplyAdd(engine, entry, 0, 1, n, f, d, 1, X, ldx, coefficients, row, Z, wide, 0)
      typed.clearColumns(Z, wide, n, words, wordStride, putList(engine, columnsOf(chosen)), f)
      if (rowScales) {
        const rows = viewOf(engine, Z, n * f)
        for (let r = 0; r < n; r++) for (let i = 0; i < f; i++) rows[r * f + i]! *= rowScales[r]!
      }
      // H = (L^-1 Z)'(L^-1 Z)
      const sums = viewOf(engine, HH, f * f)
      if (dense) {
        const ld = line / entry
        const images = viewOf(engine, Z, n * f)
        dense.triangularSolve(false, n, f, viewOf(engine, place.room!.kept.at(), n * ld), ld, images, f)
        dense.syrk(true, f, n, 1, images, f, 0, sums, f)
      } else {
        typed.solveLower(n, f, place.room!.kept.at(), line, Z, wide, work)
        engine.clear(HH, f * wide)
        multiplyAdd(engine, entry, 1, 0, f, f, n, 1, Z, wide, Z, wide, HH, wide, 1)
      }
      for (let i = 0; i < f; i++) for (let j = 0; j <= i; j++) H[i * f + j]! += sums[i * f + j]!
    },
  }
}

/** The values times a scale, in float32. */
export function multiples(values: Floats, scale: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let k = 0; k < out.length; k++) out[k] = scale * values[k]!
  return out
}

/** Bytes from one row of n entries to the next. */
function lineOf({ entry }: Typed, n: number): number {
  return Math.ceil((n * entry) / 16) * 16
}

/** Room for so many bytes at this place; a larger one, or one of half the size, is exchanged. */
function placed(engine: Engine, place: Place, bytes: number): Address {
  if (place.room && (place.room.bytes < bytes || place.room.bytes >= 2 * bytes)) {
    place.room.kept.release()
    delete place.room
  }
  place.room ??= { kept: keep(engine, bytes), bytes }
  return place.room.kept.at()
}
