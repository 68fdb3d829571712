import type { Floats, GatedKernel } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import { KEPT_ROWS } from '../js/gated.ts'
import { js } from '../js.ts'
import type { Address, Engine } from './engine.ts'
import { multiplyAdd, pass } from './parallel.ts'
import { combine, correlate, groupSize, type Inside, images, putList } from './passes.ts'
import { paddedBytes, type Resident, resident } from './resident.ts'

/** A pass over fewer entries of D_i X than this is done where the arrays are. */
const SMALL = 2 ** 13

/** Most bytes of X, and of an n x n matrix, that are taken into the module's memory. */
const LARGEST = 2 ** 29

/** Rows of X X' at a time where it is not kept. */
const STRIP = 256

/** What a kernel and those selected from it share. */
interface Shared<T extends Floats> {
  readonly X: T
  readonly d: number
  readonly patterns: BitColumns
  readonly engineOf: () => Engine
  /** Entries of D_i X from which on a pass is done in the module. */
  readonly smallest: number
  /** In the engine's memory, from the first pass that is not small on. */
  resident?: Resident
  /** X X', lower triangle. */
  products?: Address
}

/** The products of [D_1 X ... D_P X] by looked-up subset sums. */
export function gatedKernel<T extends Floats>(
  engineOf: () => Engine,
  X: T,
  d: number,
  patterns: BitColumns,
  everything: boolean,
): GatedKernel<T> {
  const small = js.gated(X, d, patterns)
  if (patterns.rows * paddedBytes(X, d) > LARGEST) return small
  const every = Int32Array.from({ length: patterns.count }, (_, i) => i)
  return over({ X, d, patterns, engineOf, smallest: everything ? 1 : SMALL }, small, every)
}

/** `gates` are the patterns' columns that this kernel has; `small` does what does not repay a copy. */
function over<T extends Floats>(shared: Shared<T>, small: GatedKernel<T>, gates: Int32Array): GatedKernel<T> {
  const { X, d, patterns } = shared
  const n = patterns.rows
  const P = gates.length
  const row = paddedBytes(X, d)

  const pays = (blocks: number): boolean => blocks * n * d >= shared.smallest
  const start = (): Inside & { kept: Resident } => {
    const engine = shared.engineOf()
    const kept = (shared.resident ??= resident(engine, (first, count) => rowsOf(X, d, first, count), X, d, patterns))
    return { ...kept, kept, engine, typed: engine.typed(X), n, d, blocks: () => [{ X: kept.X, first: 0, count: n }] }
  }
  const columnsOf = (chosen: Int32Array): Int32Array => chosen.map((b) => gates[b]!)

  return {
    apply(u, outputs, out) {
      if (!pays(P * outputs)) small.apply(u, outputs, out)
      else combine(start(), gates, u, outputs, out)
    },
    adjoint(p, outputs, out) {
      if (!pays(P * outputs)) small.adjoint(p, outputs, out)
      else correlate(start(), gates, p, outputs, out)
    },
    images(chosen, vectors, out) {
      if (!pays(chosen.length)) small.images(chosen, vectors, out)
      else images(start(), columnsOf(chosen), vectors, out)
    },
    correlations(chosen, p, out) {
      if (!pays(chosen.length)) small.correlations(chosen, p, out)
      else correlate(start(), columnsOf(chosen), p, 1, out)
    },
    kernel(chosen, weights, out) {
      const m = chosen.length
      const line = paddedBytes(X, n)
      if (n * n < shared.smallest || m === 0 || n * line > LARGEST) return small.kernel(chosen, weights, out)
      const { engine, typed, kept } = start()
      const { entry } = typed
      const size = groupSize(n / 2, m)
      const list = putList(engine, columnsOf(chosen))
      const codes = engine.room('codes', n * Math.ceil(m / size))
      const w = engine.room('fit', m * entry)
      const matrix = engine.room('C', n * line)
      engine.put(w, weights, 1, m, m)
      engine.clear(matrix, n * line)
      engine.kernels.codesOfRows(kept.words, kept.wordStride, list, m, 0, n, size, codes)
      // sum_i weights_i 1_i 1_i' over the patterns' 0/1 columns 1_i, and then its product with X X', entry by entry.
      pass(engine, entry, {
        source: 'bits',
        weights: w,
        weightStride: entry,
        chosen: list,
        words: kept.words,
        wordStride: kept.wordStride,
        count: m,
        size,
        codes,
        lines: n,
        length: line,
        lower: true,
        out: matrix,
        outStride: line,
      })
      const products = (to: Address, r: number, rows: number): void => {
        const lines = kept.X + r * kept.ldx
        engine.clear(to, rows * line)
        const lower = rows === n ? 1 : 0
        multiplyAdd(engine, entry, 0, 1, rows, r + rows, d, 1, lines, kept.ldx, kept.X, kept.ldx, to, line, lower)
      }
      if (n <= KEPT_ROWS) {
        if (shared.products === undefined) {
          const room = kept.room(n * line)
          products(room, 0, n)
          shared.products = room
        }
        typed.multiplyLower(matrix, shared.products, line, 0, n)
      } else
        for (let r = 0; r < n; r += STRIP) {
          const rows = Math.min(STRIP, n - r)
          const strip = engine.room('strip', rows * line)
          products(strip, r, rows)
          typed.multiplyLower(matrix + r * line, strip, line, r, r + rows)
        }
      engine.takeLower(matrix, out, n, line / entry, n)
    },
    gram(b, c, out) {
      if (!pays(d)) return small.gram(b, c, out)
      const { engine, typed, kept } = start()
      const { entry } = typed
      const rows = engine.room('coefficients', n * row)
      const product = engine.room('C', d * d * entry)
      const [first, second] = [gates[b]!, gates[c]!].map((column) => kept.words + column * kept.wordStride)
      const both = engine.kernels.gatherRows(rows, kept.X, kept.ldx, n, first!, second!)
      engine.clear(product, d * d * entry)
      multiplyAdd(engine, entry, 1, 0, d, d, both, 1, rows, row, rows, row, product, d * entry, 0)
      engine.take(product, out, d, d, d)
    },
    select: (chosen) => over(shared, small.select(chosen), columnsOf(chosen)),
  }
}

function rowsOf<T extends Floats>(X: T, d: number, first: number, count: number): T {
  return X.subarray(first * d, (first + count) * d) as T
}
