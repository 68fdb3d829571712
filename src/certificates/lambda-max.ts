import type { ConvexProgram, Penalty } from '../types.ts'
import { type AtZero, atZero, gradientAtZero } from './gradient-at-zero.ts'

const known = new WeakMap<AtZero, WeakMap<Penalty, number>>()

/**
 * The smallest lambda for which the zero network is optimal: the dual norm of the gradient at zero, R°(A'dF(0)).
 *
 * For groups of one gate and output: max_{i,k} |X'D_i dF(0)_k|_2. With cones it is the longest
 * projection of that gradient onto its cone. One product with A', once for all lambdas of a path. Infinity for a penalty that never
 * gives exact zeros (ridge), unless the gradient at zero vanishes.
 */
export function lambdaMax(program: ConvexProgram): number {
  const { penalty } = program
  const zero = atZero(program)
  let byPenalty = known.get(zero)
  if (!byPenalty) known.set(zero, (byPenalty = new WeakMap()))
  let top = byPenalty.get(penalty)
  if (top === undefined) {
    top = penalty.polar(gradientAtZero(program))
    byPenalty.set(penalty, top)
  }
  return top
}
