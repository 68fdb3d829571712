import type { Floats, GatedKernel } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import { KEPT_ROWS } from '../js/gated.ts'
import { js } from '../js.ts'
import { type Address, type Engine, sharedEngine, type Typed } from './engine.ts'
import { paddedBytes, putPadded, type Resident, resident, takePadded } from './resident.ts'

// As assembly/subset-sums.as numbers them.
const ROWS_OF_X = 0
const BLOCKS = 1
const BITS = 2
const TO_ROW = 0
const TO_PRODUCT = 1

/** A pass over fewer entries of D_i X than this is done where the arrays are. */
const SMALL = 2 ** 13

/** Rows of X X' at a time where it is not kept. */
const STRIP = 256

/** What a kernel and those selected from it share. */
interface Shared<T extends Floats> {
  readonly X: T
  readonly d: number
  readonly patterns: BitColumns
  /** Entries of D_i X from which on a pass is done in the module. */
  readonly smallest: number
  /** In the engine's memory, from the first pass that is not small on. */
  resident?: Resident
  products?: Address
}

/** The products of [D_1 X ... D_P X] by looked-up subset sums. */
export function gatedKernel<T extends Floats>(
  X: T,
  d: number,
  patterns: BitColumns,
  everything: boolean,
): GatedKernel<T> {
  return over(
    { X, d, patterns, smallest: everything ? 1 : SMALL },
    js.gated(X, d, patterns),
    Int32Array.from({ length: patterns.count }, (_, i) => i),
  )
}

/** `gates` are the patterns' columns that this kernel has; `small` does what does not repay a copy. */
function over<T extends Floats>(shared: Shared<T>, small: GatedKernel<T>, gates: Int32Array): GatedKernel<T> {
  const { X, d, patterns } = shared
  const n = patterns.rows
  const P = gates.length
  const entry = X.BYTES_PER_ELEMENT
  const row = paddedBytes(X, d)

  const pays = (blocks: number): boolean => blocks * n * d >= shared.smallest
  const start = (): { engine: Engine; typed: Typed; kept: Resident; tables: Address } => {
    const engine = sharedEngine()
    const kept = (shared.resident ??= resident(engine, X, d, patterns))
    return { engine, typed: engine.typed(X), kept, tables: engine.room('tables', engine.kernels.tableBytes()) }
  }
  const putList = (engine: Engine, name: string, list: Int32Array): Address => {
    const address = engine.room(name, 4 * list.length)
    engine.putWords(address, list)
    return address
  }
  const columnsOf = (chosen: Int32Array): Int32Array => chosen.map((b) => gates[b]!)

  /** out_{i,k} <- X' D_i p[:, k] over these columns of the patterns. */
  const correlate = (columns: Int32Array, p: T, outputs: number, out: T): void => {
    const { engine, typed, kept, tables } = start()
    const m = columns.length
    const size = groupSize(m, n)
    const list = putList(engine, 'columns', columns)
    const codes = engine.room('codes', m * Math.ceil(n / size))
    const weights = engine.room('fit', n * outputs * entry)
    const sums = engine.room('coefficients', m * outputs * row)
    engine.put(weights, p, 1, n * outputs, n * outputs)
    engine.clear(sums, m * outputs * row)
    engine.kernels.codesOfColumns(kept.words, kept.wordStride, list, m, n, size, codes)
    for (let k = 0; k < outputs; k++)
      typed.passes(
        ...[ROWS_OF_X, TO_ROW, size, n, kept.X, kept.ldx, weights + k * entry, outputs * entry, 0, 0, 0],
        ...[codes, m, 0, m, 0, row, 0, sums + k * row, outputs * row, 0, 0, tables],
      )
    takePadded(engine, sums, out, m * outputs, d)
  }

  return {
    apply(u, outputs, out) {
      if (!pays(P * outputs)) return small.apply(u, outputs, out)
      const { engine, typed, kept, tables } = start()
      const coefficients = engine.room('coefficients', P * outputs * row)
      const places = engine.room('places', 4 * P)
      const fit = engine.room('fit', n * outputs * entry)
      putPadded(engine, coefficients, u, P * outputs, d)
      engine.clear(fit, n * outputs * entry)
      for (let k = 0; k < outputs; k++) {
        const u_k = coefficients + k * row
        const active = typed.activeBlocks(u_k, P, outputs * row, d * entry, places)
        if (active === 0) continue
        const size = groupSize(n, active)
        const codes = engine.room('codes', n * Math.ceil(active / size))
        const list = putList(engine, 'columns', columnsOf(engine.words(places, active)))
        engine.kernels.codesOfRows(kept.words, kept.wordStride, list, active, 0, n, size, codes)
        typed.passes(
          ...[BLOCKS, TO_PRODUCT, size, active, u_k, outputs * row, 0, 0, places, 0, 0],
          ...[codes, n, 0, n, 0, row, 0, fit + k * entry, outputs * entry, kept.X, kept.ldx, tables],
        )
      }
      engine.take(fit, out, 1, n * outputs, n * outputs)
    },
    adjoint(p, outputs, out) {
      if (!pays(P * outputs)) small.adjoint(p, outputs, out)
      else correlate(gates, p, outputs, out)
    },
    images(chosen, vectors, out) {
      const m = chosen.length
      if (!pays(m)) return small.images(chosen, vectors, out)
      const { engine, typed, kept } = start()
      const v = engine.room('coefficients', m * row)
      const result = engine.room('fit', m * n * entry)
      const work = engine.room('packed', engine.kernels.packedBytes())
      const list = putList(engine, 'columns', columnsOf(chosen))
      putPadded(engine, v, vectors, m, d)
      engine.clear(result, m * n * entry)
      typed.multiplyAdd(0, 1, m, n, d, 1, v, row, kept.X, kept.ldx, result, n * entry, 0, work)
      typed.clearRows(result, n * entry, n, kept.words, kept.wordStride, list, m)
      engine.take(result, out, m, n, n)
    },
    correlations(chosen, p, out) {
      if (!pays(chosen.length)) small.correlations(chosen, p, out)
      else correlate(columnsOf(chosen), p, 1, out)
    },
    kernel(chosen, weights, out) {
      const m = chosen.length
      // The matrix alone is n x n, and so are its products with X.
      if (n * n < shared.smallest || m === 0 || n * n * entry > 2 ** 29) return small.kernel(chosen, weights, out)
      const { engine, typed, kept, tables } = start()
      const size = groupSize(n / 2, m)
      const columns = putList(engine, 'columns', columnsOf(chosen))
      const codes = engine.room('codes', n * Math.ceil(m / size))
      const w = engine.room('fit', m * entry)
      const line = paddedBytes(X, n)
      const matrix = engine.room('C', n * line)
      engine.put(w, weights, 1, m, m)
      engine.clear(matrix, n * line)
      engine.kernels.codesOfRows(kept.words, kept.wordStride, columns, m, 0, n, size, codes)
      // sum_i weights_i 1_i 1_i' over the patterns' 0/1 columns 1_i, and then its product with X X', entry by entry.
      typed.passes(
        ...[BITS, TO_ROW, size, m, 0, 0, w, entry, columns, kept.words, kept.wordStride],
        ...[codes, n, 0, n, 0, line, 1, matrix, line, 0, 0, tables],
      )
      const work = engine.room('packed', engine.kernels.packedBytes())
      const height = n <= KEPT_ROWS ? n : STRIP
      for (let r = 0; r < n; r += height) {
        const rows = Math.min(height, n - r)
        const products = n <= KEPT_ROWS ? shared.products : undefined
        const strip = products ?? (n <= KEPT_ROWS ? kept.room(n * line) : engine.room('strip', rows * line))
        if (products === undefined) {
          engine.clear(strip, rows * line)
          const lower = n <= KEPT_ROWS ? 1 : 0
          const lines = kept.X + r * kept.ldx
          typed.multiplyAdd(0, 1, rows, r + rows, d, 1, lines, kept.ldx, kept.X, kept.ldx, strip, line, lower, work)
          if (n <= KEPT_ROWS) shared.products = strip
        }
        typed.multiplyLower(matrix + r * line, strip, line, r, r + rows)
      }
      engine.takeLower(matrix, out, n, line / entry, n)
    },
    gram(b, c, out) {
      if (!pays(d)) return small.gram(b, c, out)
      const { engine, typed, kept } = start()
      const rows = engine.room('coefficients', n * row)
      const product = engine.room('C', d * d * entry)
      const work = engine.room('packed', engine.kernels.packedBytes())
      const [first, second] = [gates[b]!, gates[c]!].map((column) => kept.words + column * kept.wordStride)
      const both = engine.kernels.gatherRows(rows, kept.X, kept.ldx, n, first!, second!)
      engine.clear(product, d * d * entry)
      typed.multiplyAdd(1, 0, d, d, both, 1, rows, row, rows, row, product, d * entry, 0, work)
      engine.take(product, out, d, d, d)
    },
    select: (chosen) => over(shared, small.select(chosen), columnsOf(chosen)),
  }
}

/** Vectors per table, 2^size sums each: the fewest additions for so many lines looking into it. */
function groupSize(lines: number, vectors: number): number {
  return Math.min(lines < 224 ? 4 : 8, Math.max(1, vectors))
}
