import { generation } from '../../solvers/generate-gates.ts'
import { walk } from '../../solvers/index.ts'
import { kFolds } from '../data/split.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { unstandardize } from '../models/unstandardize.ts'
import type { Certificate, Matrix, Solution } from '../types.ts'
import { type CrossValidation, crossValidateTogether } from './cross-validate.ts'
import { crossValidateApart } from './cross-validate-apart.ts'
import type { Executor } from './executor.ts'
import { gateOrders, type TrainSettings } from './options.ts'
import { type Preparation, preparation, trainingProgram } from './prepare.ts'
import type { TrainingData } from './training-data.ts'

/** What training reports while it works. */
export type TrainProgress =
  | { readonly phase: 'cross-validation'; readonly share: number; readonly lambda: number }
  | {
      readonly phase: 'training'
      readonly iteration: number
      readonly seconds: number
      readonly lambda: number
      readonly certificate: Certificate
    }

/** What training found. */
export interface Trained {
  /** Reads raw rows, answers in raw units. */
  readonly network: TwoLayerNetwork
  /** On the standardised problem; of global training the certificate is over all networks, with its `verdict`. */
  readonly solution: Solution<TwoLayerNetwork>
  readonly prepared: Preparation
  readonly selectedLambda: number
  readonly selectedGateOrder: number
  readonly crossValidation?: CrossValidation
}

/** Cross-validation where asked for and not done yet, then the solve; yields once per solver iteration. */
export function* training(
  data: TrainingData,
  settings: TrainSettings,
  signal?: AbortSignal,
  done?: CrossValidation,
): Generator<TrainProgress | undefined, Trained> {
  const { X, Y, task } = data
  const prepared = preparation(X, Y, settings, task)
  const crossValidation = done ?? (settings.lambda === 'cv' ? yield* choosing(data, settings, signal) : undefined)
  const cutShort = crossValidation !== undefined && (signal?.aborted ?? false)
  const lambda = crossValidation?.selectedLambda ?? (settings.lambda as number)
  const gateOrder = crossValidation?.gateOrder ?? gateOrders(settings)[0]!
  const program = trainingProgram(X, Y, prepared, settings, { lambda, gateOrder })
  const { tolerance, maxIterations, timeLimit, seed } = settings
  const limits = { tolerance, ...(timeLimit !== null && { timeLimit }), ...(signal && { signal }) }
  // What is not solved need not be solved over all networks.
  const walking =
    settings.global && !cutShort
      ? generation(program, { ...limits, seed })
      : walk(program, { ...limits, maxIterations })
  let at = walking.next()
  while (!at.done) {
    yield at.value && 'iteration' in at.value ? { phase: 'training', lambda, ...at.value } : undefined
    at = walking.next()
  }
  // Where lambda was not chosen to the end, nothing is solved, not even what is optimal at once.
  const solution = cutShort ? { ...at.value, status: 'aborted' as const } : at.value
  return {
    network: unstandardize(solution.model, prepared.inputs, prepared.targets),
    solution,
    prepared,
    selectedLambda: lambda,
    selectedGateOrder: gateOrder,
    ...(crossValidation && { crossValidation }),
  }
}

/** The cross-validation of training, here and now. */
function* choosing(
  { X, Y, task, labels }: TrainingData,
  settings: TrainSettings,
  signal?: AbortSignal,
): Generator<TrainProgress, CrossValidation> {
  const count = foldCount(X, settings)
  const folds = kFolds(X.rows, { count, seed: settings.seed, ...(labels && { stratify: labels }) })
  const orders = gateOrders(settings)
  let best: CrossValidation | undefined
  for (const [k, order] of orders.entries()) {
    const validating = crossValidateTogether(X, Y, settings, order, task, folds, signal)
    let at = validating.next()
    while (!at.done) {
      const share = (k + at.value.share) / orders.length
      yield { phase: 'cross-validation', share, lambda: at.value.lambda }
      at = validating.next()
    }
    if (!best || leastLoss(at.value) < leastLoss(best)) best = at.value
    if (signal?.aborted) break
  }
  return best!
}

/** The same, by an executor. */
export async function chooseBy(
  executor: Executor,
  data: TrainingData,
  settings: TrainSettings,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: TrainProgress) => void },
): Promise<CrossValidation> {
  const count = foldCount(data.X, settings)
  const orders = gateOrders(settings)
  const shares = orders.map(() => 0)
  const all = await Promise.all(
    orders.map((order, k) =>
      crossValidateApart(data, settings, order, count, executor, {
        ...(signal && { signal }),
        onShare(share, lambda) {
          shares[k] = share
          onProgress?.({
            phase: 'cross-validation',
            share: shares.reduce((total, one) => total + one / orders.length, 0),
            lambda,
          })
        },
      }),
    ),
  )
  return all.reduce((best, one) => (leastLoss(one) < leastLoss(best) ? one : best))
}

function foldCount(X: Matrix, settings: TrainSettings): number {
  if (X.rows < 2)
    throw new RangeError(
      'train: lambda is "cv" and X has one row, expected two at least to cross-validate on; pass lambda as a number.',
    )
  return Math.min(settings.folds, X.rows)
}

/** Infinity where an abort left nothing to compare. */
function leastLoss({ points }: CrossValidation): number {
  return Math.min(...points.map(({ mean }) => mean))
}
