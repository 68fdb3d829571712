import type { Loss, Vector } from '../src/types.ts'

/**
 * What a curvature becomes, over the largest one: where the loss is flat but slopes, where it is flat and level, and at
 * least anywhere else, below which it is rounding.
 */
const SLOPING = 1e-5
const LEVEL = 1e-9
const LEAST = 1e-13

/**
 * The second derivatives of a loss that is a sum over entries, all above zero: a quadratic model needs some everywhere.
 *
 * Small ones are left as they are: a row that a logistic loss is nearly sure of has little curvature and as little slope, and
 * a larger curvature would hold it back, as it would a row of no weight. Flat pieces that slope (Huber's tails) get more, for
 * the model must end somewhere.
 */
export function positiveCurvatures(loss: Loss, fit: Vector, slope: Vector): Vector {
  if (loss.quadratic) return new Float64Array(fit.length).fill(loss.quadratic.curvature)
  const curvatures = loss.curvatures!(fit)
  const largest = curvatures.reduce((most, entry) => Math.max(most, entry), 0) || loss.smoothness || 1
  return curvatures.map((entry, k) => {
    if (entry > 0) return Math.max(LEAST * largest, entry)
    return (slope[k] === 0 ? LEVEL : SLOPING) * largest
  })
}
