import { type Certified, certifier, isSolved } from '../src/certificates/certify.ts'
import { atZero } from '../src/certificates/gradient-at-zero.ts'
import { withLowerBound } from '../src/certificates/lower-bound.ts'
import { given } from '../src/numerics/given.ts'
import { type OptionKinds, requireOptions } from '../src/numerics/options.ts'
import { allFinite } from '../src/numerics/vectors.ts'
import type { Certificate, ConvexProgram, Iterate, Progress, Solution, Solver, Status, Step } from '../src/types.ts'
import { type CheckpointOptions, openCheckpoint } from './checkpoint.ts'
import { chooseSolver } from './choose.ts'
import { requireSolver } from './require-solver.ts'
import { breathe, startPace } from './turn.ts'

/** Which solver, from where, how close, and when to stop. */
export interface SolveOptions {
  /** Default: chosen by the program's structure. */
  solver?: Solver
  /** Relative duality gap at which an answer counts as solved (default 1e-6). */
  tolerance?: number
  /** Default 100,000. */
  maxIterations?: number
  /** Seconds (default none). */
  timeLimit?: number
  /** Iterations between two certificates (default 10), unless the solver says itself when one is due; each costs about one product with A'. */
  checkEvery?: number
  /** Where to start (default: zero). Never written to. */
  start?: Iterate
  /** Aborting returns the best certified iterate with status `aborted`. */
  signal?: AbortSignal
  /**
   * Keeps the latest point in a file, every so many seconds and where the work ends, and begins from that file where it is
   * there (rather than from `start`): a run that was killed goes on from its last checkpoint. Of another program, it is refused.
   */
  checkpoint?: CheckpointOptions
  /** Called at every certificate. */
  onProgress?: (progress: Progress) => void
}

/**
 * Solves a program, giving the event loop a turn about every 16 ms.
 *
 * Never throws for want of convergence: the status says how it ended and the certificate how close it came. The answer
 * is the certified iterate of lowest objective, and its bound the best seen.
 *
 * @throws RangeError when the options are out of range or the solver does not take the program.
 */
export async function solve<M>(program: ConvexProgram<M>, options: SolveOptions = {}): Promise<Solution<M>> {
  return breathe(walk(program, options, isWatched(options)))
}

/** `solve` without turns: blocks until done. A signal can then only have fired before the call. */
export function solveSync<M>(program: ConvexProgram<M>, options: SolveOptions = {}): Solution<M> {
  const walking = walk(program, options, isWatched(options))
  for (;;) {
    const at = walking.next()
    if (at.done) return at.value
  }
}

/** `solve` as an async generator: yields at every certificate, returns the solution. Leaving the loop ends the work. */
export async function* steps<M>(
  program: ConvexProgram<M>,
  options: SolveOptions = {},
): AsyncGenerator<Progress, Solution<M>> {
  const walking = walk(program, options)
  const pace = startPace()
  try {
    for (;;) {
      const at = await breathe(walking, (value) => value !== undefined, pace)
      if (!('iteration' in at)) return at
      yield at
    }
  } finally {
    // Whoever leaves the loop early lets the solver clean up.
    walking.return(undefined as never)
  }
}

/** Iterations after which a solver that reckons with a larger gap is certified all the same: for whoever ends the work early. */
const OVERDUE = 50

/**
 * The driver: walks a solver and decides when to stop. It certifies the points that the solver says, or whose gap as the solver
 * reckons it may be enough, or every `checkEvery`-th where it says nothing, and the last one however the work ends. Yields once
 * per iteration (with the progress when there is a certificate) so that whoever drives it can let the event loop breathe. Where
 * nobody looks at the progress (`watched` is false) and blocks lie in cones, only the last certificate measures stationarity.
 */
export function* walk<M>(
  program: ConvexProgram<M>,
  options: SolveOptions = {},
  watched = true,
): Generator<Progress | undefined, Solution<M>> {
  requireOptions(options, solveOptionNames, 'solve')
  const { solver = chooseSolver(program), tolerance = 1e-6, maxIterations = 100_000 } = options
  const { timeLimit = Number.POSITIVE_INFINITY, checkEvery = 10, signal, onProgress } = options
  check(program, solver, options)
  // A start's fit may belong to other data: only the point itself is taken.
  const kept = options.checkpoint && openCheckpoint(program, options.checkpoint)
  const start = kept?.resumed ? pointOf(kept.resumed) : options.start && pointOf(options.start)
  // From zero, the same program ends at the same bits however often it has been solved; a path goes on from what it knows.
  if (!start || start.coefficients.every((entry) => entry === 0)) program.penalty.forget?.()
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  const examine = certifier(program)
  // At lambda = 0 it is what decides, and without cones it costs next to nothing.
  const measured = watched || program.lambda === 0 || !program.penalty.domain

  // best: the certified iterate of lowest objective, copied · bound, dual: the best lower bound and the point behind it
  let best = copy(start ?? { coefficients: new Float64Array(program.operator.columns) })
  const first = examine(kept?.resumed ?? best, measured)
  if (first.at !== best) best = copy(first.at)
  let certificate = first.certificate
  // What was last examined, where that is the best.
  let examined: Certified | undefined = first
  let bound = certificate.dual
  let dual = first.dual.slice()
  let iterations = 0

  const { loss: lossAtZero } = atZero(program)
  const withBound = (at: Certificate, lower: number): Certificate => withLowerBound(at, lower, lossAtZero)
  const finish = (status: Status): Solution<M> => {
    // The iterate may have been repaired: what is returned is the point inside, and so is its feasibility.
    const primalFeasibility = program.penalty.domain?.violation(best.coefficients) ?? 0
    kept?.save({ coefficients: best.coefficients, dual }, true)
    const stationarity = measured
      ? certificate.stationarity
      : (examined?.stationarity() ?? examine(pointAt(best)).certificate.stationarity)
    const final = { ...withBound(certificate, bound), stationarity, primalFeasibility }
    return solution(program, solver, status, iterations, seconds(), final, { ...best, dual })
  }
  const report = (now: Certificate): Progress => {
    const progress = { iteration: iterations, seconds: seconds(), certificate: withBound(now, bound) }
    onProgress?.(progress)
    return progress
  }

  /** Certifies an iterate and keeps it if it is the best. */
  const weigh = (iterate: Iterate): 'solved' | 'diverged' | undefined => {
    const found = examine(iterate, measured)
    const now = found.certificate
    examined = undefined
    if (!Number.isFinite(now.primal)) return 'diverged'
    if (now.dual > bound) {
      bound = now.dual
      dual = found.dual.slice()
    }
    const solved = isSolved(withBound(now, bound), program.lambda, tolerance)
    if (solved || now.primal < certificate.primal) {
      best = copy(found.at)
      certificate = now
      examined = found
    }
    // The bound may have risen far enough for an earlier iterate.
    return solved || isSolved(withBound(certificate, bound), program.lambda, tolerance) ? 'solved' : undefined
  }
  // last: the iteration of the last certificate
  let last = 0
  const isDue = ({ certify, gap }: Step): boolean => {
    if (gap !== undefined && gap <= tolerance) return true
    if (certify !== undefined) return certify
    if (gap === undefined) return iterations === 1 || iterations % checkEvery === 0
    return watched || iterations - last >= OVERDUE
  }
  const reasonToLeave = (): Status | undefined => {
    if (signal?.aborted) return 'aborted'
    if (iterations >= maxIterations) return 'iteration-limit'
    return seconds() > timeLimit ? 'time-limit' : undefined
  }

  yield report(certificate)
  if (isSolved(certificate, program.lambda, tolerance)) return finish('solved')
  if (signal?.aborted) return finish('aborted')
  for (const iterate of solver.iterate(program, start)) {
    iterations++
    kept?.save(iterate)
    const due = isDue(iterate)
    if (due) last = iterations
    if (due) {
      const ended = weigh(iterate)
      if (ended !== 'diverged') yield report(certificate)
      if (ended) return finish(ended)
    } else yield undefined
    const leaving = reasonToLeave()
    if (!leaving) continue
    if (due) return finish(leaving)
    const ended = weigh(iterate)
    if (ended !== 'diverged') yield report(certificate)
    return finish(ended ?? leaving)
  }
  return finish('iteration-limit')
}

/** Whether somebody looks at the certificates on the way. */
export function isWatched(options: SolveOptions): boolean {
  // Options that are none are refused where the work begins.
  return options?.onProgress !== undefined
}

/** The coefficients of an iterate and their fit. */
function pointAt({ coefficients, fit }: Iterate): Iterate {
  return fit ? { coefficients, fit } : { coefficients }
}

/** The coefficients and multipliers of an iterate, without what was computed from them. */
function pointOf({ coefficients, multipliers }: Iterate): Iterate {
  return multipliers ? { coefficients, multipliers } : { coefficients }
}

function copy({ coefficients, fit, multipliers }: Iterate): Iterate {
  return {
    coefficients: coefficients.slice(),
    ...(fit && { fit: fit.slice() }),
    ...(multipliers && { multipliers: multipliers.slice() }),
  }
}

function solution<M>(
  program: ConvexProgram<M>,
  solver: Solver,
  status: Status,
  iterations: number,
  seconds: number,
  certificate: Certificate,
  at: Iterate,
): Solution<M> {
  let model: M | undefined
  return {
    ...at,
    program,
    solver: solver.name,
    status,
    iterations,
    seconds,
    certificate,
    get model() {
      return (model ??= program.recover(at))
    },
  }
}

/** Every name of `SolveOptions`. */
export const solveOptionNames: OptionKinds<SolveOptions> = {
  solver: true,
  tolerance: 'number',
  maxIterations: 'number',
  timeLimit: 'number',
  checkEvery: 'number',
  start: true,
  signal: true,
  checkpoint: true,
  onProgress: true,
}

function check(program: ConvexProgram, solver: Solver, options: SolveOptions): void {
  requireSolver(solver, 'solve')
  const answer = solver.supports(program)
  if (answer !== true) throw new RangeError(`solve: ${answer}`)
  const { tolerance = 1e-6, maxIterations = 1, checkEvery = 1, timeLimit = 1, start } = options
  const { lambda } = program
  if (!(lambda >= 0 && Number.isFinite(lambda)))
    throw new RangeError(
      `solve: lambda is ${given(lambda)}, expected a number of at least 0; pass for example 0.1 * lambdaMax(program).`,
    )
  if (!(tolerance >= 0))
    throw new RangeError(`solve: tolerance is ${tolerance}, expected at least 0; pass for example 1e-6.`)
  if (!(maxIterations >= 1))
    throw new RangeError(`solve: maxIterations is ${maxIterations}, expected at least 1; pass for example 10000.`)
  if (!Number.isInteger(checkEvery) || checkEvery < 1)
    throw new RangeError(`solve: checkEvery is ${checkEvery}, expected a positive whole number; pass for example 10.`)
  if (!(timeLimit > 0))
    throw new RangeError(`solve: timeLimit is ${timeLimit}, expected seconds above 0; pass for example 60.`)
  if (start && !(start.coefficients instanceof Float64Array))
    throw new TypeError(
      `solve: start is ${given(start)}, expected a point; pass { coefficients } with a Float64Array, or an earlier solution.`,
    )
  if (start && start.coefficients.length !== program.operator.columns)
    throw new RangeError(
      `solve: start has ${start.coefficients.length} coefficients and ${program.name} has ${program.operator.columns}; pass a point of this program.`,
    )
  if (start && !allFinite(start.coefficients))
    throw new RangeError('solve: start has entries that are not finite; pass a finite start or none.')
}
