import type { Floats, GatedKernel } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import { largestSize } from '../../unit.ts'
import { js } from '../js.ts'
import { type Address, type Engine, NoRoom } from './engine.ts'
import { type Dense, kernelFactor, multiples, nextPlace, type Place } from './kernel-factor.ts'
import { kernelMatrix, type Products } from './kernel-matrix.ts'
import { multiplyAdd } from './parallel.ts'
import { combine, correlate, type Inside, images, type KeptCodes, keptCodes, type RowBlock } from './passes.ts'
import { paddedBytes, type Resident, type ResidentRows, resident, residentRows } from './resident.ts'

/** A pass over fewer entries of D_i X than this is done where the arrays are. */
const SMALL = 2 ** 13

/** Most bytes of X, and of an n x n matrix, that are taken into the module's memory. */
const LARGEST = 2 ** 29

/** What a kernel and those selected from it share. */
interface Shared<T extends Floats> {
  readonly X: T
  readonly d: number
  readonly patterns: BitColumns
  readonly engineOf: () => Engine
  /** Entries of D_i X from which on a pass is done in the module. */
  readonly smallest: number
  /** What factors and solves in the module's place. */
  readonly dense: Dense | undefined
  /** In the engine's memory, from the first pass that is not small on. */
  resident?: Resident
  /** Rows of X / unit in float32, where factors in it were asked for. */
  rounded?: { rows: ResidentRows; unit: number }
  readonly products: Products
  /** Codes of the passes before. */
  codes?: KeptCodes
  /** Where factors stand. */
  readonly places: Place[]
}

/** The products of [D_1 X ... D_P X] by looked-up subset sums. */
export function gatedKernel<T extends Floats>(
  engineOf: () => Engine,
  X: T,
  d: number,
  patterns: BitColumns,
  everything: boolean,
  dense?: Dense,
): GatedKernel<T> {
  const small = js.gated(X, d, patterns)
  if (patterns.rows * paddedBytes(X, d) > LARGEST) return small
  const every = Int32Array.from({ length: patterns.count }, (_, i) => i)
  return over(
    { X, d, patterns, engineOf, smallest: everything ? 1 : SMALL, dense, places: [], products: {} },
    small,
    every,
  )
}

/** `gates` are the patterns' columns that this kernel has; `small` does what does not repay a copy. */
function over<T extends Floats>(shared: Shared<T>, small: GatedKernel<T>, gates: Int32Array): GatedKernel<T> {
  const { X, d, patterns } = shared
  const n = patterns.rows
  const P = gates.length
  const row = paddedBytes(X, d)

  const pays = (blocks: number): boolean => blocks * n * d >= shared.smallest
  const start = (): Inside & { X: Address } => {
    const engine = shared.engineOf()
    engine.nextTurn()
    const kept = (shared.resident ??= resident(engine, (first, count) => rowsOf(X, d, first, count), X, d, patterns))
    const codes = (shared.codes ??= keptCodes(engine))
    const blocks = (): RowBlock[] => [{ X: kept.X, first: 0, count: n }]
    return { ...kept, engine, typed: engine.typed(X), n, d, blocks, codes }
  }
  const columnsOf = (chosen: Int32Array): Int32Array => chosen.map((b) => gates[b]!)

  /** X / unit rounded to float32, where its squares are within reach of float32 too. */
  const startSingle = (): Inside & { X: Address; unit: number } => {
    const { engine, ...rest } = start()
    const like = new Float32Array(0)
    const round = (): NonNullable<typeof shared.rounded> => {
      const unit = powerOfTwo(X)
      const read = (first: number, count: number): Float32Array => multiples(rowsOf(X, d, first, count), 1 / unit)
      return { rows: residentRows(engine, read, like, n, d), unit }
    }
    const { rows, unit } = (shared.rounded ??= round())
    const blocks = (): RowBlock[] => [{ X: rows.X, first: 0, count: n }]
    return { ...rest, ...rows, unit, engine, typed: engine.typed(like), blocks }
  }

  return {
    apply(u, outputs, out) {
      if (!pays(P * outputs)) small.apply(u, outputs, out)
      else
        orElse(
          () => combine(start(), gates, u, outputs, out),
          () => small.apply(u, outputs, out),
        )
    },
    adjoint(p, outputs, out) {
      if (!pays(P * outputs)) small.adjoint(p, outputs, out)
      else
        orElse(
          () => correlate(start(), gates, p, outputs, out),
          () => small.adjoint(p, outputs, out),
        )
    },
    images(chosen, vectors, out) {
      if (!pays(chosen.length)) small.images(chosen, vectors, out)
      else
        orElse(
          () => images(start(), columnsOf(chosen), vectors, out),
          () => small.images(chosen, vectors, out),
        )
    },
    correlations(chosen, p, out) {
      if (!pays(chosen.length)) small.correlations(chosen, p, out)
      else
        orElse(
          () => correlate(start(), columnsOf(chosen), p, 1, out),
          () => small.correlations(chosen, p, out),
        )
    },
    kernel(chosen, weights, out) {
      const m = chosen.length
      const line = paddedBytes(X, n)
      if (n * n < shared.smallest || m === 0 || n * line > LARGEST) return small.kernel(chosen, weights, out)
      const inModule = (): void => {
        const inside = start()
        const matrix = inside.engine.room('C', n * line)
        kernelMatrix(inside, shared.products, columnsOf(chosen), weights, matrix)
        inside.engine.takeLower(matrix, out, n, line / inside.typed.entry, n)
      }
      orElse(inModule, () => small.kernel(chosen, weights, out))
    },
    ...(8 * n * n <= LARGEST &&
      8 * n * n >= shared.smallest && {
        factor: (most: number, rowScales?: Float64Array) =>
          kernelFactor({
            inside: (single) => (single ? startSingle() : { ...start(), unit: 1 }),
            products: shared.products,
            columnsOf,
            place: nextPlace(shared.places, most),
            rowScales,
            dense: shared.dense,
          }),
      }),
    gram(b, c, out) {
      if (!pays(d)) return small.gram(b, c, out)
      const inModule = (): void => {
        const { engine, typed, X: at, ldx, words, wordStride } = start()
        const { entry } = typed
        const rows = engine.room('coefficients', n * row)
        const product = engine.room('C', d * d * entry)
        const [first, second] = [gates[b]!, gates[c]!].map((column) => words + column * wordStride)
        const both = engine.kernels.gatherRows(rows, at, ldx, n, first!, second!)
        engine.clear(product, d * d * entry)
        multiplyAdd(engine, entry, 1, 0, d, d, both, 1, rows, row, rows, row, product, d * entry, 0)
        engine.take(product, out, d, d, d)
      }
      orElse(inModule, () => small.gram(b, c, out))
    },
    select: (chosen) => over(shared, small.select(chosen), columnsOf(chosen)),
  }
}

/** In the module, or where the arrays are when its memory has no room. */
function orElse(inModule: () => void, where: () => void): void {
  try {
    inModule()
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error
    where()
  }
}

function rowsOf<T extends Floats>(X: T, d: number, first: number, count: number): T {
  return X.subarray(first * d, (first + count) * d) as T
}

/** The one next below the largest entry. */
function powerOfTwo(X: Floats): number {
  const largest = largestSize(X)
  return largest > 0 ? 2 ** Math.floor(Math.log2(largest)) : 1
}
