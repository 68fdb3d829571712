import type { ConvexProgram } from '../types.ts'
import { gradientAtZero } from './gradient-at-zero.ts'

/**
 * The smallest lambda for which the zero network is optimal: the dual norm of the gradient at zero, R°(A'dF(0)).
 *
 * For groups of one gate and output: max_{i,k} |X'D_i dF(0)_k|_2. With cones it is the longest
 * projection of that gradient onto its cone. One product with A'. Infinity for a penalty that never
 * gives exact zeros (ridge), unless the gradient at zero vanishes.
 */
export function lambdaMax(program: ConvexProgram): number {
  return program.penalty.polar(gradientAtZero(program))
}
