import { type OptionKinds, requireOptions } from '../src/numerics/options.ts'
import type { BlockMeasure, Certificate, MultiConvexProgram, Status } from '../src/types.ts'
import { breathe, startPace } from './turn.ts'

/** When `train` stops, and whom it tells. */
export interface TrainBlocksOptions<M = unknown> {
  /** Sweeps over all blocks, or epochs of batches (default 200). */
  maxSweeps?: number
  /** Ends when every node and link residual is at most this, relative, or no block alone can gain more (default 1e-3). */
  tolerance?: number
  /** Seconds (default none). */
  timeLimit?: number
  /** Sweeps between two measures (default 10); each costs about as much as one step of every block. */
  checkEvery?: number
  /** A network to start from (default: a random one). */
  start?: M
  /** Of the random start (default 1). */
  seed?: number
  /** Aborting returns what was reached, with status `aborted`. */
  signal?: AbortSignal
  /** Called after every sweep, and at the start. */
  onProgress?: (progress: SweepProgress) => void
}

/** What is known after a sweep. */
export interface SweepProgress {
  readonly sweep: number
  readonly seconds: number
  readonly objective: number
  /** At the start, every `checkEvery` sweeps, and at the end. */
  readonly measure?: BlockMeasure
}

/** What block coordinate descent reached. */
export interface BlockSolution<M = unknown, S = unknown> {
  readonly program: MultiConvexProgram<M, S>
  readonly status: Status
  /** Whole ones. */
  readonly sweeps: number
  readonly seconds: number
  /** The objective at the start and after every sweep. */
  readonly history: readonly SweepProgress[]
  readonly measure: BlockMeasure
  /** Scope `block`: how far the state is from the minimum of any one block. No bound of the network's optimum. */
  readonly certificate: Certificate
  readonly state: S
  readonly model: M
}

/**
 * Block coordinate descent on a multi-convex program, giving the event loop a turn between blocks.
 *
 * Never throws for want of convergence. The objective of a full-batch program never rises, but the point it settles at is
 * one that no single block can improve, not a global minimum: its value bounds neither the program nor the network.
 *
 * @throws RangeError when the options are out of range.
 */
export async function train<M, S>(
  program: MultiConvexProgram<M, S>,
  options: TrainBlocksOptions<M> = {},
): Promise<BlockSolution<M, S>> {
  return breathe(trainWalk(program, options))
}

/** `train` without turns: blocks until done. */
export function trainSync<M, S>(
  program: MultiConvexProgram<M, S>,
  options: TrainBlocksOptions<M> = {},
): BlockSolution<M, S> {
  const walking = trainWalk(program, options)
  for (;;) {
    const at = walking.next()
    if (at.done) return at.value
  }
}

/** `train` as an async generator: yields after every sweep, returns the solution. */
export async function* trainSteps<M, S>(
  program: MultiConvexProgram<M, S>,
  options: TrainBlocksOptions<M> = {},
): AsyncGenerator<SweepProgress, BlockSolution<M, S>> {
  const walking = trainWalk(program, options)
  const pace = startPace()
  for (;;) {
    const at = await breathe(walking, (value) => value !== undefined, pace)
    if (!('sweep' in at)) return at
    yield at
  }
}

/** The driver: yields after every block, with the progress where a sweep has ended. */
export function* trainWalk<M, S>(
  program: MultiConvexProgram<M, S>,
  options: TrainBlocksOptions<M> = {},
): Generator<SweepProgress | undefined, BlockSolution<M, S>> {
  check(options)
  const { maxSweeps = 200, tolerance = 1e-3, timeLimit = Number.POSITIVE_INFINITY, checkEvery = 10 } = options
  const { start, seed = 1, signal, onProgress } = options
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  let state = start === undefined ? program.initial(seed) : program.embed(start)
  let sweeps = 0
  // kept: the network of the last sweep with a finite objective
  let kept = program.recover(state)
  const history: SweepProgress[] = []
  const report = (objective: number, measured: boolean): SweepProgress => {
    const progress: SweepProgress = {
      ...{ sweep: sweeps, seconds: seconds(), objective },
      ...(measured && { measure: program.measure(state) }),
    }
    history.push(progress)
    onProgress?.(progress)
    return progress
  }
  const finish = (status: Status): BlockSolution<M, S> => {
    const measure = program.measure(state)
    return {
      ...{ program, status, sweeps, seconds: seconds(), history, measure, certificate: measure.certificate, state },
      model: program.recover(state),
    }
  }

  const first = report(program.objective(state), true)
  yield first
  if (settled(first, tolerance)) return finish('solved')
  if (signal?.aborted) return finish('aborted')
  while (sweeps < maxSweeps) {
    for (const _ of program.sweep(state, sweeps + 1)) {
      yield undefined
      if (signal?.aborted) return finish('aborted')
      if (seconds() > timeLimit) return finish('time-limit')
    }
    const objective = program.objective(state)
    if (!Number.isFinite(objective)) {
      state = program.embed(kept)
      return finish('diverged')
    }
    sweeps++
    kept = program.recover(state)
    const progress = report(objective, sweeps % checkEvery === 0 || sweeps === maxSweeps)
    yield progress
    if (settled(progress, tolerance)) return finish('solved')
    if (signal?.aborted) return finish('aborted')
  }
  return finish('iteration-limit')
}

function settled({ measure }: SweepProgress, tolerance: number): boolean {
  if (!measure) return false
  const { stationarity, relativeGap } = measure.certificate
  return stationarity <= tolerance || relativeGap <= tolerance
}

const optionNames: OptionKinds<TrainBlocksOptions> = {
  maxSweeps: 'number',
  tolerance: 'number',
  timeLimit: 'number',
  checkEvery: 'number',
  start: true,
  seed: 'number',
  signal: true,
  onProgress: true,
}

function check(options: TrainBlocksOptions): void {
  requireOptions(options, optionNames, 'train')
  const { maxSweeps = 1, tolerance = 0, timeLimit = 1, checkEvery = 1, seed = 1 } = options
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1)
    throw new RangeError(`train: maxSweeps is ${maxSweeps}, expected a positive whole number; pass for example 200.`)
  if (!(tolerance >= 0))
    throw new RangeError(`train: tolerance is ${tolerance}, expected at least 0; pass for example 1e-3.`)
  if (!(timeLimit > 0))
    throw new RangeError(`train: timeLimit is ${timeLimit}, expected seconds above 0; pass for example 60.`)
  if (!Number.isInteger(checkEvery) || checkEvery < 1)
    throw new RangeError(`train: checkEvery is ${checkEvery}, expected a positive whole number; pass for example 10.`)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`train: seed is ${seed}, expected a whole number from 0; pass for example 1.`)
}
