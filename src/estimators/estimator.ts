import { breathe } from '../../solvers/turn.ts'
import type { GlobalCertificate } from '../certificates/global-certificate.ts'
import type { Task } from '../data/dataset.ts'
import { gatesOf } from '../gates/gates-of.ts'
import type { ReluNetwork } from '../models/relu-network.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { Certificate, ConvexProgram } from '../types.ts'
import type { CrossValidation } from './cross-validate.ts'
import type { Executor } from './executor.ts'
import { rawNetwork, type TrainedState } from './file.ts'
import { type TrainOptions, type TrainSettings, trainSettings } from './options.ts'
import { programOf, type TrainingProblem, trainingProblem } from './prepare.ts'
import { chooseBy, type TrainProgress, training } from './train.ts'
import { Trainable } from './trainable.ts'
import type { TrainingData } from './training-data.ts'

/** How to end the work early, and whom to tell about it. */
export interface TrainAsyncOptions {
  /** Aborting keeps the best certified network found so far, with status `aborted`. */
  signal?: AbortSignal
  /** Called as the work goes on. */
  onProgress?: (progress: TrainProgress) => void
  /** Where the folds of the cross-validation run (default: here). The network is the same, to the last bit. */
  executor?: Executor
}

/** A certificate as files keep it: of one over all networks, without the neurons that were found. */
function plain(certificate: Certificate): Certificate {
  const { violations: _, ...rest } = certificate as Partial<GlobalCertificate>
  return rest as Certificate
}

/** What regressor and classifier share: training, and what it leaves behind. */
export abstract class Estimator extends Trainable<TrainedState, TrainAsyncOptions> {
  protected readonly settings: TrainSettings
  #network: TwoLayerNetwork | undefined

  protected constructor(options: TrainOptions, caller: string, task: Task) {
    super()
    this.settings = trainSettings(options, caller, task)
  }

  /** The trained network: raw rows in, raw predictions (or class scores) out. */
  get network(): TwoLayerNetwork {
    return (this.#network ??= rawNetwork(this.trained()))
  }

  /** How close the training problem (on standardised data) was solved. */
  get certificate(): Certificate {
    return this.trained().certificate
  }

  /** Name of the solver that trained it. */
  get solver(): string {
    return this.trained().solver
  }

  /** Iterations of the final solve. */
  get iterations(): number {
    return this.trained().iterations
  }

  /** The lambda it was trained with, on prepared data: given, or chosen by cross-validation. */
  get selectedLambda(): number {
    return this.trained().selectedLambda
  }

  /** How many features enter a gate; 0 is all of them. */
  get selectedGateOrder(): number {
    return this.trained().selectedGateOrder
  }

  /** Held-out losses along the path; absent when lambda was given. */
  get crossValidation(): CrossValidation | undefined {
    return this.trained().crossValidation
  }

  /** The trained network before standardisation was undone: a point of the training program, for `verify`. */
  get preparedNetwork(): TwoLayerNetwork {
    return this.trained().network
  }

  /** Rebuilds the training problem of these rows and encoded targets, gates and all. */
  protected rebuild({ X, Y }: TrainingData): TrainingProblem {
    const { prepared, settings, network, selectedLambda: lambda, selectedGateOrder: gateOrder } = this.trained()
    const problem = trainingProblem(X, Y, prepared, settings, { lambda, gateOrder })
    // Global training went on from the sampled patterns.
    return settings.global ? { ...problem, gates: gatesOf(network as ReluNetwork, problem.X, problem.gates) } : problem
  }

  /** The program of these rows and encoded targets, at the lambda that was selected. */
  protected rebuildProgram(data: TrainingData): ConvexProgram<TwoLayerNetwork> {
    return programOf(this.rebuild(data), this.trained().settings)
  }

  protected override keep(state: TrainedState): void {
    super.keep(state)
    this.#network = undefined
  }

  protected override async trainBreathing(data: TrainingData, options: TrainAsyncOptions): Promise<void> {
    const { executor } = options
    const apart = executor && this.settings.lambda === 'cv'
    const crossValidation = apart ? await chooseBy(executor, data, this.settings, options) : undefined
    await breathe(this.training(data, options, crossValidation))
  }

  protected override *training(
    data: TrainingData,
    { signal, onProgress }: TrainAsyncOptions = {},
    chosen?: CrossValidation,
  ): Generator<undefined, void> {
    const work = training(data, this.settings, signal, chosen)
    let at = work.next()
    while (!at.done) {
      if (at.value) onProgress?.(at.value)
      yield
      at = work.next()
    }
    const { solution, prepared, crossValidation, selectedLambda, selectedGateOrder } = at.value
    this.keep({
      settings: this.settings,
      network: solution.model,
      prepared,
      selectedLambda,
      selectedGateOrder,
      status: solution.status,
      solver: solution.solver,
      iterations: solution.iterations,
      certificate: plain(solution.certificate),
      ...(crossValidation && { crossValidation }),
    })
  }
}
