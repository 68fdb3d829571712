import { norm } from '../numerics/vectors.ts'
import type { ConvexProgram, LinearOperator, Loss, Vector } from '../types.ts'

/** What the zero network tells about a program: the yardsticks of its residuals. */
export interface AtZero {
  /** F(0) */
  readonly loss: number
  /** |A'dF(0)|_2 */
  readonly gradientNorm: number
}

const known = new WeakMap<LinearOperator, WeakMap<Loss, AtZero>>()

/** A'dF(0), at the cost of one product with A'. */
export function gradientAtZero(program: ConvexProgram): Vector {
  return program.operator.adjoint(program.loss.gradient(new Float64Array(program.operator.rows)))
}

/** F(0) and |A'dF(0)|, computed once for all lambdas of a path. */
export function atZero(program: ConvexProgram): AtZero {
  const { operator, loss } = program
  let byLoss = known.get(operator)
  if (!byLoss) known.set(operator, (byLoss = new WeakMap()))
  let found = byLoss.get(loss)
  if (!found) {
    found = { loss: loss.value(new Float64Array(operator.rows)), gradientNorm: norm(gradientAtZero(program)) }
    byLoss.set(loss, found)
  }
  return found
}
