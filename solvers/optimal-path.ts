import type { ConvexProgram, Solution } from '../src/types.ts'
import type { CertifiedPoint } from './certified-point.ts'
import { isNearOptimal } from './equicorrelated.ts'
import { type OptimalSet, type OptimalSetOptions, optimalSet } from './optimal-set.ts'
import { prune } from './prune.ts'
import { type SweepOptions, sweep, sweepSync } from './sweep.ts'

/** A point of a path with the set of all optima at its lambda, and the smallest network among those that `prune` finds. */
export interface PathPoint<M = unknown> {
  readonly solution: Solution<M>
  /** Absent where the solution is not: it ended at a limit or an abort, with a relative gap above 1e-3. */
  readonly set?: OptimalSet
  readonly pruned: CertifiedPoint<M>
}

/** The lambdas of `optimalPath`, and how each is solved. */
export interface OptimalPathOptions extends SweepOptions {
  /** Of the set at each point: what counts as equicorrelated and as dependent. */
  set?: OptimalSetOptions
}

/**
 * The path of optimal sets: `sweep`, and at every lambda how many optima there are and a smallest one.
 *
 *     for await (const { solution, set, pruned } of optimalPath(program))
 *       console.log(solution.program.lambda, set?.unique, set?.dimension, pruned.model.width)
 *
 * The tolerance is 1e-12 unless given: sets are as sharp as their points. Where the optimum is unique all along, so is the
 * path, and it is continuous in lambda. Mishkin and Pilanci, ICML 2023.
 *
 * @throws RangeError as `sweep` and `optimalSet` do.
 */
export async function* optimalPath<M>(
  program: ConvexProgram<M>,
  options: OptimalPathOptions = {},
): AsyncGenerator<PathPoint<M>, void> {
  const { set, ...path } = options
  for await (const solution of sweep(program, { tolerance: TOLERANCE, ...path })) yield pointOf(solution, set)
}

/** `optimalPath` as a plain generator: blocks while it works. */
export function* optimalPathSync<M>(
  program: ConvexProgram<M>,
  options: OptimalPathOptions = {},
): Generator<PathPoint<M>, void> {
  const { set, ...path } = options
  for (const solution of sweepSync(program, { tolerance: TOLERANCE, ...path })) yield pointOf(solution, set)
}

const TOLERANCE = 1e-12

function pointOf<M>(solution: Solution<M>, set: OptimalSetOptions | undefined): PathPoint<M> {
  return {
    solution,
    ...(isNearOptimal(solution.certificate) && { set: optimalSet(solution.program, solution, set) }),
    pruned: prune(solution.program, solution, set?.dependence === undefined ? {} : { dependence: set.dependence }),
  }
}
