import type { Loss, Vector } from '../types.ts'
import { withIntercept } from './intercept.ts'
import { type Entries, separable } from './separable.ts'

/** What a separable loss adds for its intercept. */
export interface Rootable extends Entries {
  /** phi_k''(z), or one of its one-sided values */
  second(z: number, k: number): number
  /** Where entry k alone would have its intercept: the best one of a column lies between the least and the largest. */
  own(z: number, k: number): number
  /** A Newton step of this size is the last: what is left is rounding. */
  readonly settled: number
  /** How large the targets are in sum_k a_k |y_k|: what rounding of a column of slopes is measured by. */
  readonly magnitude: number
}

/** A separable loss with its intercepts minimised out, each by a search of its own. */
export function separableWithIntercept(entries: Rootable, columns: number, shift?: Vector): Loss {
  return withIntercept(separable(entries), {
    columns,
    best(fit, out) {
      for (let column = 0; column < columns; column++) out[column] = columnRoot(entries, fit, column, columns)
    },
    rounding: 1e-14 * entries.magnitude,
    ...(shift && { shift }),
  })
}

/**
 * argmin_b sum over a column of a_k phi_k(z_k + b): the root of the column's sum of slopes, by Newton's method between
 * brackets, to the rounding of that sum. Where a whole interval is best, some point of it.
 */
function columnRoot(entries: Rootable, fit: Vector, column: number, columns: number): number {
  const { weights } = entries
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let k = column; k < fit.length; k += columns) {
    if (!(weights[k]! > 0)) continue
    const own = entries.own(fit[k]!, k)
    low = Math.min(low, own)
    high = Math.max(high, own)
  }
  // No weights, or a fit that is not finite: that is for the loss's value to report.
  if (!(high >= low && high - low < Number.POSITIVE_INFINITY)) return 0
  let b = low <= 0 && high >= 0 ? 0 : low / 2 + high / 2
  let step = high - low
  // Halving alone needs some hundred steps from the widest bracket; Newton's method a handful.
  for (let round = 0; round < 200; round++) {
    let sum = 0
    let size = 0
    let bend = 0
    for (let k = column; k < fit.length; k += columns) {
      if (!(weights[k]! > 0)) continue
      const slope = weights[k]! * entries.slope(fit[k]! + b, k)
      sum += slope
      size += Math.abs(slope)
      bend += weights[k]! * entries.second(fit[k]! + b, k)
    }
    if (Math.abs(sum) <= 2 ** -51 * size) return b
    if (sum < 0) low = b
    else high = b
    const newton = b - sum / bend
    if (Math.abs(newton - b) <= Math.max(entries.settled, 2 ** -52 * Math.abs(b))) return newton
    // A step that shrinks too slowly creeps along a tail.
    const next = newton > low && newton < high && Math.abs(newton - b) <= step / 2 ? newton : low / 2 + high / 2
    step = Math.abs(next - b)
    if (next === b || next === low || next === high) return next
    b = next
  }
  return b
}
