import type { MatrixLike } from '../numerics/interchange.ts'
import { explainedVariation, predictionsOf } from './answers.ts'
import { LiftedEstimator, type LiftedTrainAsyncOptions } from './lifted-estimator.ts'
import { type LiftedEstimatorJson, liftedFromJson, liftedToJson } from './lifted-file.ts'
import { type LiftedTrainOptions, liftedOptionsOf } from './lifted-options.ts'
import { checkedRows, regressionData, type TrainingData } from './training-data.ts'

/**
 * Regression by a deep network that is trained block by block, without backpropagation:
 *
 * ```ts
 * const regressor = new LiftedRegressor({ method: 'fenchel', hidden: [64, 32] }).train(X, y)
 * regressor.predict(X)                      // one number per row
 * ```
 *
 * Its certificate is of scope `block`: no bound of how good a network there could be. `ReluRegressor` has one.
 */
export class LiftedRegressor extends LiftedEstimator {
  constructor(options: LiftedTrainOptions = {}) {
    super(options, 'LiftedRegressor')
  }

  /** Trains and blocks until done; returns itself. */
  train(X: MatrixLike, y: MatrixLike): this {
    this.trainSync(this.checked(X, y))
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, y: MatrixLike, options: LiftedTrainAsyncOptions = {}): Promise<this> {
    await this.trainBreathing(this.checked(X, y), options)
    return this
  }

  /**
   * One prediction per row: a number, or of several targets a row of numbers, whose type is `predict<number[]>(X)`.
   * `network.predict(X)` has them as a matrix.
   */
  predict<Prediction extends number | number[] = number>(X: MatrixLike): Prediction[] {
    return predictionsOf(this.network.predict(checkedRows(X, 'predict'))) as Prediction[]
  }

  /**
   * R^2 = 1 - |y - f(X)|^2 / |y - mean|^2, over all targets together; of targets that do not vary 1 if they are predicted to
   * within rounding and 0 otherwise.
   */
  score(X: MatrixLike, y: MatrixLike): number {
    const data = this.checked(X, y)
    return explainedVariation(this.network.predict(data.X), data.Y)
  }

  /** What `load` and `loadModel` read back. */
  toJSON(): LiftedEstimatorJson {
    return liftedToJson('lifted-regressor', this.trained())
  }

  /** @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged. */
  static load(json: string | object): LiftedRegressor {
    const { trained } = liftedFromJson('lifted-regressor', json)
    const regressor = new LiftedRegressor(liftedOptionsOf(trained.settings))
    regressor.keep(trained)
    return regressor
  }

  private checked(X: MatrixLike, y: MatrixLike): TrainingData {
    return regressionData(X, y, 'LiftedRegressor')
  }
}
