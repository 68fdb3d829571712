import type { ConvexProgram, LinearOperator, Solver, Step, Vector } from '../src/types.ts'
import { drawRows } from './draw-rows.ts'
import { proximalGradient } from './proximal-gradient.ts'
import type { VariationalModel } from './variational-model.ts'
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
 * own gap is a tenth of the whole one. A cold start is the rough solution of the problem on half of the rows, where the operator
 * can be restricted to some. A gap of 1e-9 takes some ten to fifteen factorisations of M, of order n or, when
 * few blocks are active, of order (active blocks) x (block size): n^3/3 flops each, against a pass of 2 n d P.
 * Factors of order 200 and more are in float32, which takes half the time, as preconditioners of conjugate gradients in
 * float64; where float32 does not do, float64 takes over. Every gap is that of float64 residuals.
 *
 * Takes the plain squared loss and group norms, one group a block and output (outputs are then independent problems) or
 * one over all outputs of a block. Yields at each Newton step. Where rounding leaves nothing to gain, it goes on as
 * proximal gradient. Along a path, one solver goes on from its last factor where that is of order 1500 or more.
 *
 * Variational form: Bach, Jenatton, Mairal and Obozinski 2012, Found. Trends Mach. Learn. 4(1); multiple kernel learning
 * in the weights: Rakotomamonjy, Bach, Canu and Grandvalet 2008, JMLR 9.
 */
export function etaNewton(): Solver {
  const factors = new WeakMap<LinearOperator, LastFactors>()
  return {
    name: 'eta-newton',
    supports,
    *iterate(program, start) {
      const { operator, loss, penalty } = program
      const coefficients = start?.coefficients.slice() ?? new Float64Array(operator.columns)
      const parts = partsOf(program)
      const last = factors.get(operator)
      // Of two walks at once one has them.
      factors.delete(operator)
      const cold = coefficients.every((entry) => entry === 0)
      if (cold) yield* fewerRows(parts, coefficients)
      const known = !cold && last?.loss === loss && last.penalty === penalty && last.models[0]!.order >= DEAR
      const problems = problemsOf(parts, coefficients, known ? last.models : undefined)
      try {
        yield* together(problems, coefficients)
      } finally {
        factors.set(operator, { loss, penalty, models: problems.map(({ model }) => model) })
      }
      yield* proximalGradient().iterate(program, { coefficients })
    },
  }
}

/** What a walk leaves to the next one of the same program at another lambda, as on a path: factors near those it needs. */
interface LastFactors extends Pick<ConvexProgram, 'loss' | 'penalty'> {
  /** One a problem. */
  readonly models: readonly VariationalModel[]
}

/** Rounds of all problems until none moves any more. */
function* together(problems: readonly VariationalProblem[], coefficients: Vector): Generator<Step, void> {
  for (let moved = true; moved; ) {
    moved = false
    const most = Math.max(...problems.map(({ gap }) => gap))
    for (const problem of problems) {
      // Of many problems, those that hold the sum up are brought down by a good deal before the next is turned to.
      if (problem.gap < SHARE * most) continue
      const goal = problems.length > 1 ? REDUCTION * problem.gap : Number.POSITIVE_INFINITY
      do {
        if (!(yield* problem.round(problems.length > 1))) break
        moved = true
      } while (problem.gap > goal)
    }
    yield { coefficients, certify: !moved || problems.every(({ relativeGap }) => relativeGap < WORTH_A_LOOK) }
  }
}

/** The order from which on a factor of another lambda is worth following rather than making one. */
const DEAR = 1500

/** A problem's turn comes when its gap is this share of the largest, and ends when it is reduced by this much. */
const SHARE = 0.1
const REDUCTION = 1e-3
/** The relative gap from which on a certificate may say more than that there is far to go. */
const WORTH_A_LOOK = 0.1

/** Fewer rows than this are solved from zero; more after this share of them, solved to this relative gap. */
const FEW_ROWS = 200
const SHARE_OF_ROWS = 0.5
const ROUGHLY = 0.2
/** Of the draw of rows. */
const SEED = 1

/** min |sum_b A_b u_b - y|^2 / 2 + lambda sum_b |u_b| in the outputs of each group, which hold one or all of them. */
interface Parts {
  readonly operator: LinearOperator
  readonly lambda: number
  /** One an output. */
  readonly targets: readonly Vector[]
  readonly groups: readonly (readonly number[])[]
}

function partsOf({ operator, loss, penalty, lambda }: ConvexProgram): Parts {
  const { curvature, target } = loss.quadratic!
  const { outputs: count, size } = operator.blocks!
  const indices = Array.from({ length: count }, (_, k) => k)
  return {
    operator,
    lambda: lambda / curvature,
    targets: indices.map((k) => target.filter((_, r) => r % count === k)),
    groups: penalty.groups!.size > size ? [indices] : indices.map((k) => [k]),
  }
}

function problemsOf(
  { operator, lambda, targets, groups }: Parts,
  coefficients: Vector,
  models?: readonly VariationalModel[],
): VariationalProblem[] {
  const maps = operator.blocks!
  const gathered = maps.outputs === 1 ? operator.select?.bind(operator) : undefined
  const fit = models && operator.apply(coefficients)
  return groups.map((outputs, i) => {
    const own = outputs.map((k) => targets[k]!)
    const residuals = fit && own.map((y, k) => y.map((value, r) => value - fit[r * maps.outputs + outputs[k]!]!))
    const options = { maps, gathered, lambda, outputs, targets: own, coefficients }
    return variationalProblem(options, residuals && { model: models![i]!, residuals })
  })
}

/**
 * A rough solution of the problem on half of the rows, found likewise from a quarter of them, and so on: its blocks, and
 * roughly their weights, are those of the whole, and a factorisation takes an eighth of the time.
 */
function* fewerRows(whole: Parts, coefficients: Vector): Generator<Step, void> {
  const { rows } = whole.operator.blocks!
  if (rows < FEW_ROWS || !whole.operator.onRows) return
  const chosen = drawRows(rows, Math.ceil(SHARE_OF_ROWS * rows), SEED)
  const part = {
    ...whole,
    operator: whole.operator.onRows(chosen),
    lambda: (whole.lambda * chosen.length) / rows,
    targets: whole.targets.map((y) => Float64Array.from(chosen, (r) => y[r]!)),
  }
  yield* fewerRows(part, coefficients)
  for (const problem of problemsOf(part, coefficients))
    while (problem.relativeGap > ROUGHLY && (yield* problem.round()));
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
