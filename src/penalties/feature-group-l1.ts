import { requireOptions } from '../numerics/options.ts'
import type { Penalty, PenaltyChoice, Vector } from '../types.ts'

/**
 * R(u) = sum_j |u_{j, j + size, j + 2 size, ...}|_2: one group per feature across all gates and outputs.
 *
 * What becomes zero is a whole feature: the network stops reading that column of X. (The reference software multiplies
 * this by sqrt(d); here lambda multiplies the plain sum.) Without a size it is a choice for a program.
 *
 * @throws RangeError when `size` is not a positive whole number.
 */
export function featureGroupL1(): PenaltyChoice
export function featureGroupL1(options: { size: number }): Penalty
export function featureGroupL1(options: { size?: number } = {}): Penalty | PenaltyChoice {
  requireOptions(options, { size: 'number' }, 'featureGroupL1')
  if (options.size !== undefined) return stridedPenalty(options.size)
  return { name: 'feature-group-l1', over: ({ features }) => stridedPenalty(features) }
}

function stridedPenalty(size: number): Penalty {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(
      `featureGroupL1: size is ${size}, expected a positive whole number; pass the number of features.`,
    )
  const norms = (v: Vector): Vector => {
    const squares = new Float64Array(size)
    for (let start = 0; start < v.length; start += size)
      for (let j = 0; j < size; j++) squares[j]! += v[start + j]! * v[start + j]!
    return squares.map(Math.sqrt)
  }
  const polar = (v: Vector): number => norms(v).reduce((a, b) => Math.max(a, b), 0)
  return {
    name: 'feature-group-l1',
    value: (u) => norms(u).reduce((a, b) => a + b, 0),
    prox(v, step, out = new Float64Array(v.length)) {
      const scale = norms(v).map((length) => (length > step ? 1 - step / length : 0))
      for (let start = 0; start < v.length; start += size)
        for (let j = 0; j < size; j++) out[start + j] = scale[j]! * v[start + j]!
      return out
    },
    polar,
    conjugate: (v) => (polar(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      const lengths = norms(u)
      const slopes = norms(v)
      let total = 0
      for (let j = 0; j < size; j++)
        if (lengths[j]! > 0) for (let k = j; k < u.length; k += size) total += (v[k]! - u[k]! / lengths[j]!) ** 2
        else total += Math.max(0, slopes[j]! - 1) ** 2
      return Math.sqrt(total)
    },
  }
}
