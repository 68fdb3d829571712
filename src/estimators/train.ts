import { generation } from '../../solvers/generate-gates.ts'
import { walk } from '../../solvers/index.ts'
import type { Task } from '../data/dataset.ts'
import { kFolds } from '../data/split.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { unstandardize } from '../models/unstandardize.ts'
import type { Certificate, Matrix, Solution } from '../types.ts'
import { type CrossValidation, crossValidate } from './cross-validate.ts'
import { gateOrders, type TrainSettings } from './options.ts'
import { type Preparation, preparation, trainingProgram } from './prepare.ts'

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

/** Cross-validation where asked for, then the solve; yields once per solver iteration. */
export function* training(
  X: Matrix,
  Y: Matrix,
  settings: TrainSettings,
  task: Task,
  labels: readonly string[] | undefined,
  signal?: AbortSignal,
): Generator<TrainProgress | undefined, Trained> {
  let lambda = settings.lambda
  let gateOrder = gateOrders(settings)[0]!
  let crossValidation: CrossValidation | undefined
  let cutShort = false
  const prepared = preparation(X, Y, settings, task)
  if (lambda === 'cv') {
    if (X.rows < 2)
      throw new RangeError(
        'train: lambda is "cv" and X has one row, expected two at least to cross-validate on; pass lambda as a number.',
      )
    const folds = kFolds(X.rows, {
      count: Math.min(settings.folds, X.rows),
      seed: settings.seed,
      ...(labels && { stratify: labels }),
    })
    const orders = gateOrders(settings)
    for (const [k, order] of orders.entries()) {
      const validating = crossValidate(X, Y, settings, order, task, folds, signal)
      let at = validating.next()
      while (!at.done) {
        const share = (k + at.value.share) / orders.length
        yield { phase: 'cross-validation', share, lambda: at.value.lambda }
        at = validating.next()
      }
      if (!crossValidation || leastLoss(at.value) < leastLoss(crossValidation)) crossValidation = at.value
      cutShort = signal?.aborted ?? false
      if (cutShort) break
    }
    lambda = crossValidation!.selectedLambda
    gateOrder = crossValidation!.gateOrder
  }
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

/** Infinity where an abort left nothing to compare. */
function leastLoss({ points }: CrossValidation): number {
  return Math.min(...points.map(({ mean }) => mean))
}
