import { bitColumns, countSet, selectColumns } from '../numerics/bits.ts'
import { isCompact, type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { type Random, random } from '../numerics/random.ts'
import type { CompactMatrix } from '../types.ts'
import { type Gates, gateValue, patternKey, patternsOf } from './gates.ts'

/** How many gates are drawn, and how. */
export interface SampleGatesOptions {
  /** How many distinct patterns are wanted; fewer come back when the data have fewer (default 100). */
  count?: number
  /** Seed of the draws (default 1). */
  seed?: number
  /** At most this many features enter one gate, drawn anew for each gate (default: all of them). */
  order?: number
  /** Only these columns of X enter a gate (default: all). */
  features?: readonly number[]
  /** Give every gate an offset, drawn so that the boundary crosses the data (default false). */
  bias?: boolean
  /** With `bias`: place every offset so that this share of the rows is on, between 0 and 1. */
  activeProportion?: number
}

/**
 * Distinct activation patterns of X from random gates g ~ N(0, I), restricted to some features on request.
 *
 * A draw whose pattern is already there, or is off on every row, is drawn again, for up to 20 count + 1000 draws: data
 * of low rank have few patterns (2 sum_{k<r} C(n-1, k) at rank r, Cover 1965), and then fewer gates come back. Cost
 * 2 n d flops a draw. Mishkin, Sahiner and Pilanci, ICML 2022, sample the same way.
 *
 * @throws RangeError when an option is out of range or X has an entry that is not finite.
 */
export function sampleGates(X: MatrixLike | CompactMatrix, options: SampleGatesOptions = {}): Gates {
  const rows = isCompact(X) ? X : asMatrix(X, 'sampleGates', 'X')
  if (!isCompact(rows)) requireFinite(rows, 'sampleGates', 'X')
  const { count = 100, seed = 1, bias = false, activeProportion } = options
  check(rows, options, count)
  const draws = random(seed)
  const d = rows.columns
  const vectors = matrix(count, bias ? d + 1 : d)
  const patterns = bitColumns(rows.rows, count)
  const seen = new Set<string>()
  const support = supportDrawer(d, options, draws)
  let found = 0
  for (let draw = 0; draw < 20 * count + 1000 && found < count; ) {
    // As many as are still wanted are drawn together, and their patterns made in one pass over X.
    const batch = matrix(Math.min(count - found, 20 * count + 1000 - draw), vectors.columns)
    for (let i = 0; i < batch.rows; i++, draw++) {
      const start = i * batch.columns
      for (const j of support()) batch.data[start + j] = draws.normal()
      if (bias) batch.data[start + d] = offset(rows, batch.data, start, draws, activeProportion)
    }
    const drawn = patternsOf(batch, rows)
    for (let i = 0; i < batch.rows; i++) {
      if (countSet(drawn, i) === 0) continue
      const key = patternKey(drawn, i)
      if (seen.has(key)) continue
      seen.add(key)
      const pattern = drawn.words.subarray(i * drawn.stride, (i + 1) * drawn.stride)
      patterns.words.set(pattern, found * patterns.stride)
      vectors.data.set(batch.data.subarray(i * batch.columns, (i + 1) * batch.columns), found * vectors.columns)
      found++
    }
  }
  if (found === 0)
    throw new RangeError(
      `sampleGates: no gate was on for any of the ${rows.rows} rows of X; check the features and activeProportion given.`,
    )
  const columns = Int32Array.from({ length: found }, (_, i) => i)
  return {
    vectors: matrix(found, vectors.columns, vectors.data.slice(0, found * vectors.columns)),
    patterns: found === count ? patterns : selectColumns(patterns, columns),
    count: found,
    bias,
    exhaustive: false,
  }
}

/** Draws the features that enter the next gate. */
function supportDrawer(d: number, options: SampleGatesOptions, draws: Random): () => Iterable<number> {
  const allowed = Int32Array.from(options.features ?? Array.from({ length: d }, (_, j) => j))
  const order = options.order ?? allowed.length
  if (order >= allowed.length) return () => allowed
  return () => {
    const size = 1 + draws.below(order)
    // The first `size` entries of a partial Fisher-Yates shuffle; the array stays a permutation for the next draw.
    for (let k = 0; k < size; k++) {
      const other = k + draws.below(allowed.length - k)
      const held = allowed[k]!
      allowed[k] = allowed[other]!
      allowed[other] = held
    }
    return allowed.subarray(0, size)
  }
}

/**
 * An offset that puts the boundary halfway between two rows, drawn at random or so that a share of the rows is on: no row
 * lies on it, so that rounding elsewhere cannot move one across.
 */
function offset(X: Rows, g: Float64Array, start: number, draws: Random, activeProportion?: number): number {
  const n = X.rows
  const values = new Float64Array(n)
  for (let first = 0; first < n; first += BLOCK) {
    const count = Math.min(BLOCK, n - first)
    const block = rowBlock(X, first, count)
    for (let r = 0; r < count; r++) values[first + r] = gateValue(block, r * X.columns, g, start, X.columns)
  }
  values.sort()
  // Rows first .. n - 1 of the sorted ones are to be on; equal ones go together.
  let first = activeProportion === undefined ? draws.below(n) : n - Math.max(1, Math.round(activeProportion * n))
  while (first > 0 && values[first - 1] === values[first]) first--
  if (first > 0) return -(values[first - 1]! + (values[first]! - values[first - 1]!) / 2)
  return -(values[0]! - ((values[n - 1]! - values[0]!) / n || 1))
}

/** Rows of X that are read at a time. */
const BLOCK = 1024

function check(X: Rows, options: SampleGatesOptions, count: number): void {
  const { order, features, bias, activeProportion } = options
  const d = X.columns
  if (X.rows === 0 || d === 0)
    throw new RangeError(`sampleGates: X is ${X.rows} x ${d}, expected at least one row and one column; pass the data.`)
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(
      `sampleGates: count is ${count}, expected a positive whole number; pass how many gates to sample.`,
    )
  if (order !== undefined && (!Number.isInteger(order) || order < 1))
    throw new RangeError(
      `sampleGates: order is ${order}, expected a positive whole number; pass how many features a gate may read.`,
    )
  if (
    features !== undefined &&
    (features.length === 0 || features.some((j) => !Number.isInteger(j) || j < 0 || j >= d))
  )
    throw new RangeError(
      `sampleGates: features is [${features.join(', ')}], expected column numbers from 0 to ${d - 1}; pass the columns a gate may read.`,
    )
  if (activeProportion !== undefined && !(bias && activeProportion > 0 && activeProportion <= 1))
    throw new RangeError(
      `sampleGates: activeProportion is ${activeProportion}${bias ? '' : ' without bias'}, expected a share above 0 and at most 1 together with bias: true.`,
    )
}
