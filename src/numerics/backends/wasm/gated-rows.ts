import type { Floats, GatedPasses, RowSource } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import type { Engine } from './engine.ts'
import { combine, correlate, type Inside, images, type RowBlock } from './passes.ts'
import { paddedBytes, putPadded, type Resident, type ResidentPatterns, resident, residentPatterns } from './resident.ts'

/** Bytes of X that are in the module's memory at a time where they are not kept: rows enough to repay tables made for them. */
const BLOCK = 2 ** 25

/** Fewer rows than this make no block. */
const FEWEST = 1024

/** The passes by looked-up subset sums, X read a block of rows at a time; `smallest` ones are of 32 rows. */
export function gatedRows<T extends Floats>(
  engineOf: () => Engine,
  source: RowSource<T>,
  d: number,
  patterns: BitColumns,
  smallest: boolean,
): GatedPasses<T> {
  const { rows: n } = patterns
  const like = source.floats(0)
  const ldx = paddedBytes(like, d)
  let kept: Resident | undefined
  let words: ResidentPatterns | undefined

  const keep = (engine: Engine): boolean => {
    if (kept || !source.kept || words) return kept !== undefined
    try {
      kept = resident(engine, source.read, like, d, patterns)
    } catch (error) {
      // Where there is no room for X, blocks of it are read in every pass.
      if (!(error instanceof RangeError)) throw error
    }
    return kept !== undefined
  }

  function* read(engine: Engine): Generator<RowBlock> {
    const step = smallest ? 32 : Math.max(FEWEST, Math.floor(BLOCK / ldx) & ~31)
    const X = engine.room('rows', Math.min(n, step) * ldx)
    for (let first = 0; first < n; first += step) {
      const count = Math.min(step, n - first)
      putPadded(engine, X, source.read(first, count), count, d)
      yield { X, first, count }
    }
  }

  const start = (): Inside => {
    const engine = engineOf()
    engine.nextTurn()
    const own = { engine, typed: engine.typed(like), n, d, ldx }
    if (keep(engine)) return { ...kept!, ...own, blocks: () => [{ X: kept!.X, first: 0, count: n }] }
    words ??= residentPatterns(engine, patterns)
    return { ...words, ...own, blocks: () => read(engine) }
  }

  const over = (gates: Int32Array): GatedPasses<T> => {
    const columnsOf = (chosen: Int32Array): Int32Array => chosen.map((b) => gates[b]!)
    const isNothing = (blocks: number, out: T): boolean => {
      if (blocks * n * d > 0) return false
      out.fill(0)
      return true
    }
    return {
      apply(u, outputs, out) {
        if (!isNothing(gates.length * outputs, out)) combine(start(), gates, u, outputs, out)
      },
      adjoint(p, outputs, out) {
        if (!isNothing(gates.length * outputs, out)) correlate(start(), gates, p, outputs, out)
      },
      images(chosen, vectors, out) {
        if (!isNothing(chosen.length, out)) images(start(), columnsOf(chosen), vectors, out)
      },
      correlations(chosen, p, out) {
        if (!isNothing(chosen.length, out)) correlate(start(), columnsOf(chosen), p, 1, out)
      },
      select: (chosen) => over(columnsOf(chosen)),
    }
  }
  return over(Int32Array.from({ length: patterns.count }, (_, i) => i))
}
