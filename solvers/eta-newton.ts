import type { ConvexProgram, Solver, Step, Vector } from '../src/types.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { type VariationalProblem, variationalProblem } from './variational-problem.ts'

/**
 * Newton's method on the variational weights of group norms:  minimise |Au - y|^2 / 2 + lambda sum_b |u_b|.
 *
 * With lambda |u| = min over eta >= 0 of |u|^2 / (2 eta) + lambda^2 eta / 2, minimising over u leaves a smooth convex
 * problem in one number a block (a multiple kernel learning problem, the "eta trick"),
 *
 *     phi(eta) = y' M(eta)^-1 y / 2 + lambda^2/2 sum_b eta_b ,    M(eta) = I + sum_b eta_b A_b A_b'
 *
 * whose Newton steps are small non-negative quadratic programs. It is solved on working sets of blocks: each round, one
 * pass over all blocks gives the gap and the blocks that violate the most, and Newton's method runs on those until their
 * own gap is a tenth of the whole one. A gap of 1e-9 takes some ten to fifteen factorisations of M, of order n or, when
 * few blocks are active, of order (active blocks) x (block size): n^3/3 flops each, against a pass of 2 n d P.
 * Factors of order 200 and more are in float32, which takes half the time, as preconditioners of conjugate gradients in
 * float64; where float32 does not do, float64 takes over. Every gap is that of float64 residuals.
 *
 * Takes the plain squared loss and group norms, one group a block and output (outputs are then independent problems) or
 * one over all outputs of a block. Yields at each Newton step. Where rounding leaves nothing to gain, it goes on as
 * proximal gradient.
 *
 * Variational form: Bach, Jenatton, Mairal and Obozinski 2012, Found. Trends Mach. Learn. 4(1); multiple kernel learning
 * in the weights: Rakotomamonjy, Bach, Canu and Grandvalet 2008, JMLR 9.
 */
export function etaNewton(): Solver {
  return {
    name: 'eta-newton',
    supports,
    *iterate(program, start) {
      const coefficients = start?.coefficients.slice() ?? new Float64Array(program.operator.columns)
      if (coefficients.every((entry) => entry === 0)) yield* warmUp(program, coefficients)
      const problems = split(program, coefficients)
      for (let moved = true; moved; ) {
        moved = false
        const most = Math.max(...problems.map(({ gap }) => gap))
        for (const problem of problems) {
          // Of many problems, those that hold the sum up are brought down by a good deal before the next is turned to.
          if (problem.gap < SHARE * most) continue
          const goal = problems.length > 1 ? REDUCTION * problem.gap : Number.POSITIVE_INFINITY
          do {
            if (!(yield* problem.round())) break
            moved = true
          } while (problem.gap > goal)
        }
        yield { coefficients, certify: !moved || problems.every(({ relativeGap }) => relativeGap < WORTH_A_LOOK) }
      }
      yield* proximalGradient().iterate(program, { coefficients })
    },
  }
}

/** A problem's turn comes when its gap is this share of the largest, and ends when it is reduced by this much. */
const SHARE = 0.1
const REDUCTION = 1e-3
/** The relative gap from which on a certificate may say more than that there is far to go. */
const WORTH_A_LOOK = 0.1

/** From how many rows on a factorisation costs more than a warm-up, the warm-up's blocks per row, and its steps. */
const WARM_ROWS = 200
const WARM_SHARE = 1 / 4
const WARM_MOST = 250
const WARM_STEPS = 15

/**
 * A few steps of proximal gradient on the blocks that the targets pull at the most: for the price of one or two
 * factorisations they spare Newton's method its first ones.
 */
function* warmUp(program: ConvexProgram, coefficients: Vector): Generator<Step, void> {
  const { operator, penalty, blocks, loss } = program
  const rows = operator.blocks!.rows
  if (rows < WARM_ROWS || !blocks || !program.restrict || !penalty.polars) return
  const polars = penalty.polars(operator.adjoint(loss.quadratic!.target), blocks.size, 0)
  const chosen = Int32Array.from(polars.keys())
    .sort((a, b) => polars[b]! - polars[a]! || a - b)
    .slice(0, Math.min(WARM_MOST, Math.ceil(WARM_SHARE * rows)))
    .sort()
  let steps = 0
  for (const { coefficients: some } of proximalGradient().iterate(program.restrict(chosen))) {
    chosen.forEach((b, k) => {
      coefficients.set(some.subarray(k * blocks.size, (k + 1) * blocks.size), b * blocks.size)
    })
    yield { coefficients, certify: false }
    if (++steps === WARM_STEPS) return
  }
}

/** One problem an output, or one of all outputs where a group holds them all. */
function split(program: ConvexProgram, coefficients: Vector): VariationalProblem[] {
  const maps = program.operator.blocks!
  const { curvature, target } = program.loss.quadratic!
  const { outputs: count } = maps
  const columns = Array.from({ length: count }, (_, k) => target.filter((_, r) => r % count === k))
  const indices = columns.map((_, k) => k)
  const joint = program.penalty.groups!.size > maps.size
  return (joint ? [indices] : indices.map((k) => [k])).map((outputs) =>
    variationalProblem({
      maps,
      gathered: count === 1 ? program.operator.select?.bind(program.operator) : undefined,
      lambda: program.lambda / curvature,
      outputs,
      targets: outputs.map((k) => columns[k]!),
      coefficients,
    }),
  )
}

function supports({ name, loss, operator, penalty, lambda }: ConvexProgram): true | string {
  const { blocks } = operator
  if (!loss.quadratic)
    return `eta-newton needs a loss |z - y|^2 / 2 up to scale and ${name} has ${loss.name}; use proximalGradient().`
  if (!blocks)
    return `eta-newton needs an operator that tells its blocks apart and that of ${name} does not; use proximalGradient().`
  const size = penalty.groups?.size
  if (size !== blocks.size && size !== blocks.size * blocks.outputs)
    return `eta-newton needs a penalty that is a sum of Euclidean norms of blocks and ${name} has ${penalty.name}; use proximalGradient().`
  if (!(lambda > 0)) return `eta-newton needs a lambda above 0 and ${name} has ${lambda}; use leastSquares().`
  return true
}
