import { backend } from '../src/numerics/backends/index.ts'
import type { ConvexProgram, Solver, Vector } from '../src/types.ts'
import { type ConeProblem, coneProblem } from './cone-problem.ts'
import { proximalGradient } from './proximal-gradient.ts'

/**
 * Newton's method for group norms on polyhedral cones:  minimise |Av - y|^2 / 2 + lambda sum_b |v_b|, v_b in K_b.
 *
 * The dual is to maximise y'theta - |theta|^2 / 2 subject to g_b(theta) = |P_b(A_b'theta)| <= lambda for all blocks, P_b
 * the projection on K_b. It is solved for theta and the multipliers eta >= 0 at once, which give v_b = eta_b P_b(A_b'theta)
 * in the cones. While P_b(A_b'theta) stays on one face of K_b, spanned by the rows of N_b, the projection is
 * multiplication with N_b'N_b: so each step minimises the second-order model of the Lagrangian, whose Hessian is
 *
 *     M = I + sum_b eta_b A_b N_b'N_b A_b' ,
 *
 * with the constraints replaced by their tangents, a non-negative quadratic program in eta with Z M^-1 Z', Z of one
 * row A_b P_b(A_b'theta) a block; it is shortened until an exact penalty of the dual falls. A semismooth Newton method
 * in SQP form: quadratic near the solution, where the faces stay. Faces have few directions, so M costs little; most of
 * the time goes to projections. Where blocks nearly repeat each other, as those of all patterns do, Z M^-1 Z' is singular and
 * such steps may lead nowhere: then they are of eta alone, damped (Levenberg and Marquardt), on the convex function that is
 * left when theta is minimised over.
 *
 * Works on the blocks that are active or violate g_b <= lambda the most, one of those with the same projection, and comes down to lambda from where the start is
 * optimal in factors of not less than a half: a warm start along a path goes straight on. Takes the plain squared loss;
 * outputs are independent problems. Yields at each Newton step, every point feasible. Where rounding leaves nothing to
 * gain, it goes on as proximal gradient.
 *
 * SQP for nonsmooth Jacobians: Qi and Sun 1993, Math. Program. 58; exact penalties: Han 1977, J. Optim. Theory Appl. 22.
 */
export function coneNewton(): Solver {
  return {
    name: 'cone-newton',
    supports,
    *iterate(program, start) {
      const coefficients = start?.coefficients.slice() ?? new Float64Array(program.operator.columns)
      const problems = split(program, coefficients)
      const done = new Set<ConeProblem>()
      while (done.size < problems.length) {
        const most = Math.max(...problems.filter((one) => !done.has(one)).map(({ gap }) => gap))
        for (const problem of problems) {
          if (done.has(problem) || (most > 0 && problem.gap < SHARE * most)) continue
          if (!(yield* problem.round())) done.add(problem)
        }
        const gap = problems.reduce((total, one) => total + one.gap, 0)
        const primal = problems.reduce((total, one) => total + one.primal, 0)
        if (gap <= WORTH_A_LOOK * primal) yield { coefficients, gap: gap / primal }
        else yield { coefficients, certify: false }
      }
      yield* proximalGradient().iterate(program, { coefficients })
    },
  }
}

/** A problem's turn comes when its gap is this share of the largest. */
const SHARE = 0.1
/** The relative gap from which on a certificate may say more than that there is far to go. */
const WORTH_A_LOOK = 0.1

/** One problem an output. */
function split(program: ConvexProgram, coefficients: Vector): ConeProblem[] {
  const maps = program.operator.blocks!
  const { curvature, target } = program.loss.quadratic!
  return Array.from({ length: maps.outputs }, (_, output) =>
    coneProblem({
      backend: backend(),
      maps,
      cones: program.penalty.cones!,
      output,
      lambda: program.lambda / curvature,
      target: target.filter((_, r) => r % maps.outputs === output),
      coefficients,
    }),
  )
}

function supports({ name, loss, operator, penalty, lambda }: ConvexProgram): true | string {
  if (!loss.quadratic)
    return `cone-newton needs a loss |z - y|^2 / 2 up to scale and ${name} has ${loss.name}; use proximalGradient().`
  if (!penalty.cones || !operator.blocks || penalty.cones.size !== operator.blocks.size)
    return `cone-newton needs blocks that lie in cones and ${name} has none; use proximalGradient().`
  if (!(lambda > 0)) return `cone-newton needs a lambda above 0 and ${name} has ${lambda}; use proximalGradient().`
  return true
}
