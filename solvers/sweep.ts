import { lambdaMax } from '../src/certificates/lambda-max.ts'
import type { ConvexProgram, Progress, Solution } from '../src/types.ts'
import { type SolveOptions, walk } from './solve.ts'
import { breathe, startPace } from './turn.ts'

export interface SweepOptions extends SolveOptions {
  /** Number of lambdas, geometric from lambda_max down (default 20). */
  count?: number
  /** Last lambda over lambda_max (default 0.001). */
  ratio?: number
  /** The lambdas themselves, instead of a grid; solved in the order given. */
  lambdas?: readonly number[]
}

/**
 * The regularisation path: one certified solution per lambda, each started at the one before.
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
  const path = walkPath(program, options)
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
  for (const at of walkPath(program, options)) if (at !== undefined && 'program' in at) yield at
}

/** Yields once per iteration and, among those, every finished solution. */
export function* walkPath<M>(
  program: ConvexProgram<M>,
  options: SweepOptions = {},
): Generator<Solution<M> | Progress | undefined, void> {
  let { start } = options
  for (const lambda of options.lambdas ?? lambdaGrid(program, options)) {
    const found: Solution<M> = yield* walk({ ...program, lambda }, start ? { ...options, start } : options)
    yield found
    if (found.status === 'aborted' || options.signal?.aborted) return
    start = found
  }
}

/** lambda_max, ..., ratio * lambda_max: `count` values in geometric progression. */
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
  return Array.from({ length: count }, (_, k) => top * (count === 1 ? 1 : ratio ** (k / (count - 1))))
}
