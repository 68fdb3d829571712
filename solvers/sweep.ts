import { lambdaMax } from '../src/certificates/lambda-max.ts'
import { type OptionKinds, requireOptions } from '../src/numerics/options.ts'
import type { ConvexProgram, Iterate, Progress, Solution, Vector } from '../src/types.ts'
import { chooseSolver } from './choose.ts'
import { isWatched, type SolveOptions, solveOptionNames, walk } from './solve.ts'
import { breathe, startPace } from './turn.ts'

/** The lambdas of a path, and how each is solved. */
export interface SweepOptions extends Omit<SolveOptions, 'checkpoint'> {
  /** Number of lambdas, geometric from lambda_max down (default 20). */
  count?: number
  /** Last lambda over lambda_max (default 0.001). */
  ratio?: number
  /** The lambdas themselves, instead of a grid; solved in the order given. */
  lambdas?: readonly number[]
}

/**
 * The regularisation path: one certified solution per lambda, each started from those before.
 *
 * The start is the last solution, or what the last two or three of them extrapolate to in lambda, whichever has the lowest
 * objective at the new one; between changes of the support the path is smooth, and the extrapolation far nearer. A solver
 * with working sets takes from the start what the strong rule lets through, and screens safely with its gap at the new
 * lambda; whatever was guessed, the certificate of each point is of the whole program.
 *
 * The same gates, loss and penalty throughout; the program's own lambda is not used. Ends early when the signal fires,
 * after yielding the aborted solution.
 *
 * @throws RangeError when the grid is out of range, or the penalty has no finite lambda_max and no lambdas are given.
 */
export async function* sweep<M>(
  program: ConvexProgram<M>,
  options: SweepOptions = {},
): AsyncGenerator<Solution<M>, void> {
  const path = walkPath(program, options, isWatched(options))
  const pace = startPace()
  try {
    for (;;) {
      const at = await breathe(path, (value) => value !== undefined && 'program' in value, pace)
      if (at === undefined || !('program' in at)) return
      yield at
    }
  } finally {
    path.return()
  }
}

/** `sweep` as a plain generator: blocks while it works. */
export function* sweepSync<M>(program: ConvexProgram<M>, options: SweepOptions = {}): Generator<Solution<M>, void> {
  for (const at of walkPath(program, options, isWatched(options))) if (at !== undefined && 'program' in at) yield at
}

/** Yields once per iteration and, among those, every finished solution. */
export function* walkPath<M>(
  program: ConvexProgram<M>,
  options: SweepOptions = {},
  watched = true,
): Generator<Solution<M> | Progress | undefined, void> {
  requireOptions(options, sweepOptionNames, 'sweep')
  const { count: _, ratio: __, lambdas: ___, ...each } = options
  let start = options.start
  let before: readonly Solution<M>[] = []
  let solver = options.solver
  // Twice the same path has the same bits, wherever it starts.
  program.penalty.forget?.()
  for (const lambda of options.lambdas ?? lambdaGrid(program, options)) {
    const at = { ...program, lambda }
    if (before.length > 0) start = nearest(at, before)
    // A point that its start already solves is none the less the last after an abort.
    const late = options.signal?.aborted === true
    if (!options.solver) {
      // The same one as long as it is of the same kind: it may go on from what it knows.
      const chosen = chooseSolver(at)
      if (chosen.name !== solver?.name) solver = chosen
    }
    const found: Solution<M> = yield* walk(at, { ...each, ...(solver && { solver }), ...(start && { start }) }, watched)
    yield found
    if (late || found.status === 'aborted') return
    before = [...before, found].slice(-POINTS)
  }
}

const { checkpoint: _, ...shared } = solveOptionNames

/** Every name of `SweepOptions`. */
export const sweepOptionNames: OptionKinds<SweepOptions> = {
  ...shared,
  count: 'number',
  ratio: 'number',
  lambdas: true,
}

/** How many solutions are extrapolated at most: a parabola. */
const POINTS = 3

/** The last solution, or an extrapolation of the last few, whichever has the lowest objective. */
function nearest(program: ConvexProgram, solutions: readonly Solution[]): Iterate {
  let best: Iterate = solutions.at(-1)!
  let least = objective(program, best.coefficients, best.fit)
  for (let points = 2; points <= solutions.length; points++) {
    const coefficients = extrapolated(program, solutions.slice(-points))
    if (!coefficients) continue
    const value = objective(program, coefficients)
    if (!(value < least)) continue
    best = { coefficients }
    least = value
  }
  return best
}

/** Lagrange's polynomial through the solutions, at the program's lambda; what is zero in the last one stays zero. */
function extrapolated({ lambda, penalty }: ConvexProgram, solutions: readonly Solution[]): Vector | undefined {
  const nodes = solutions.map((solution) => solution.program.lambda)
  if (new Set(nodes).size < nodes.length) return undefined
  const weights = nodes.map((node, i) =>
    nodes.reduce((product, other, j) => (j === i ? product : (product * (lambda - other)) / (node - other)), 1),
  )
  const last = solutions.at(-1)!.coefficients
  const u = new Float64Array(last.length)
  for (let k = 0; k < u.length; k++) {
    if (last[k] === 0) continue
    for (let i = 0; i < nodes.length; i++) u[k]! += weights[i]! * solutions[i]!.coefficients[k]!
  }
  return penalty.domain ? penalty.domain.project(u) : u
}

function objective({ loss, operator, penalty, lambda }: ConvexProgram, u: Vector, fit = operator.apply(u)): number {
  return loss.value(fit) + lambda * penalty.value(u)
}

/**
 * lambda_max, ..., ratio * lambda_max: `count` values in geometric progression; all 0 where the loss is least at zero, as
 * for targets of 0.
 *
 * @throws RangeError when the loss falls from zero on and no column goes along with it: lambda_max is 0, or rounding alone.
 */
export function lambdaGrid(program: ConvexProgram, options: { count?: number; ratio?: number } = {}): number[] {
  const { count = 20, ratio = 1e-3 } = options
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(
      `sweep: count is ${count}, expected a positive whole number; pass how many lambdas to solve for.`,
    )
  if (!(ratio > 0 && ratio <= 1))
    throw new RangeError(`sweep: ratio is ${ratio}, expected above 0 and at most 1; pass for example 0.001.`)
  const top = lambdaMax(program)
  if (!Number.isFinite(top))
    throw new RangeError(
      `sweep: ${program.penalty.name} has no finite lambda_max, expected the lambdas themselves; pass lambdas: [1, 0.1, 0.01].`,
    )
  if (isRounding(program, top))
    throw new RangeError(
      `sweep: lambda_max is ${top === 0 ? '0' : `${top.toExponential(1)}, which is 0 within rounding`}, expected a gradient at zero to begin from; pass features that vary with the targets, or the lambdas themselves.`,
    )
  return Array.from({ length: count }, (_, k) => top * (count === 1 ? 1 : ratio ** (k / (count - 1))))
}

/**
 * Whether a lambda_max = R°(A'g), g = dF(0), is no more than the rounding of those sums: n eps R°(A'|g|), the n terms of each
 * added up without their cancelling. False for g = 0, where there is nothing to sum.
 */
export function isRounding({ operator, loss, penalty }: ConvexProgram, top: number): boolean {
  const gradient = loss.gradient(new Float64Array(operator.rows))
  if (gradient.every((entry) => entry === 0)) return false
  const scale = penalty.polar(operator.adjoint(gradient.map(Math.abs)))
  return top <= operator.rows * Number.EPSILON * scale
}
