import { type SweepProgress, trainWalk } from '../../solvers/train.ts'
import type { Task } from '../data/dataset.ts'
import { standardize } from '../data/standardize.ts'
import { activations } from '../layers/activations.ts'
import { fenchelNetwork } from '../lifted/fenchel-network.ts'
import type { LiftedNetwork } from '../lifted/lifted-network.ts'
import { lpomNetwork } from '../lifted/lpom-network.ts'
import { tikhonovNetwork } from '../lifted/tikhonov-network.ts'
import type { DeepNetwork } from '../models/deep-network.ts'
import { unstandardizeDeep } from '../models/unstandardize-deep.ts'
import { matrix } from '../numerics/matrix.ts'
import type { BlockMeasure, Certificate, Matrix } from '../types.ts'
import type { LiftedTrained } from './lifted-file.ts'
import {
  type LiftedSettings,
  type LiftedTrainOptions,
  liftedOptionsOf,
  liftedSettings,
  paceOf,
} from './lifted-options.ts'
import { Trainable } from './trainable.ts'
import type { TrainingData } from './training-data.ts'

/** How to end the work early, and whom to tell about it. */
export interface LiftedTrainAsyncOptions {
  /** Aborting keeps what was reached, with status `aborted`. */
  signal?: AbortSignal
  /** Called after every sweep. */
  onProgress?: (progress: SweepProgress) => void
}

/** What lifted regressor and classifier share: training, and what it leaves behind. */
export abstract class LiftedEstimator extends Trainable<LiftedTrained, LiftedTrainAsyncOptions> {
  protected readonly settings: LiftedSettings

  protected constructor(options: LiftedTrainOptions, caller: string) {
    super()
    this.settings = liftedSettings(options, caller)
  }

  /** The trained network: raw rows in, raw predictions (or class scores) out. */
  get network(): DeepNetwork {
    return this.trained().network
  }

  /** Sweeps, or epochs of batches, that were made. */
  get sweeps(): number {
    return this.trained().sweeps
  }

  /** Of scope `block`: how far from the minimum of any one block. It does not bound the network's optimum. */
  get certificate(): Certificate {
    return this.trained().measure.certificate
  }

  /** Objective, gaps and residuals of the lifted network at the end. */
  get measure(): BlockMeasure {
    return this.trained().measure
  }

  protected override *training(
    { X, Y, task }: TrainingData,
    { signal, onProgress }: LiftedTrainAsyncOptions = {},
  ): Generator<undefined, void> {
    const { settings } = this
    const { tolerance, timeLimit, seed } = settings
    const { batch, maxSweeps } = paceOf(liftedOptionsOf(settings), X.rows)
    const inputs = settings.standardize ? standardize(X) : undefined
    const targets = settings.standardize && task === 'regression' ? standardize(Y) : undefined
    const program = programOf(inputs?.X ?? X, targets?.X ?? Y, task, settings, batch)
    const walking = trainWalk(program, {
      ...{ maxSweeps, tolerance, seed },
      ...(timeLimit !== null && { timeLimit }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    })
    let at = walking.next()
    while (!at.done) {
      yield
      at = walking.next()
    }
    const { status, sweeps, measure, state } = at.value
    const model = program.recover(settings.refit ? program.refit(state) : state)
    const network = inputs ? unstandardizeDeep(model, inputs, targets) : model
    this.keep({ settings, network, status, sweeps, measure })
  }
}

/**
 * The lifted network of these rows. Two classes share one output of either sign; more have one each, with targets 0 and 1.
 */
function programOf(X: Matrix, Y: Matrix, task: Task, settings: LiftedSettings, batch?: number): LiftedNetwork {
  const { method, hidden, coupling, ridge, seed } = settings
  const several = task === 'classification' && Y.columns > 1
  const y = several
    ? matrix(
        Y.rows,
        Y.columns,
        Y.data.map((value) => (value + 1) / 2),
      )
    : Y
  const common = {
    ...{ X, y, hidden, seed },
    ...(coupling !== null && { coupling }),
    ...(ridge !== null && { ridge }),
  }
  if (method === 'tikhonov') return tikhonovNetwork(common)
  const deep = { ...common, activation: activations[settings.activation](), ...(batch !== undefined && { batch }) }
  if (method === 'lpom')
    // A regression's answers are of any sign, and its scale is undone in a linear output.
    return lpomNetwork({ ...deep, ...(!several && { outputActivation: activations.identity() }) })
  return fenchelNetwork({
    ...deep,
    loss: task === 'regression' ? 'squared' : several ? 'cross-entropy' : 'logistic',
  })
}
