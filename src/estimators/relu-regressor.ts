import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { ConvexProgram } from '../types.ts'
import { explainedVariation, predictionsOf } from './answers.ts'
import { Estimator, type TrainAsyncOptions } from './estimator.ts'
import { type EstimatorJson, stateFromJson, stateToJson } from './file.ts'
import { optionsOf, type TrainOptions } from './options.ts'
import type { TrainingProblem } from './prepare.ts'
import { checkedRows, regressionData, type TrainingData } from './training-data.ts'

/**
 * Regression by a two-layer network that is trained to its certified optimum:
 *
 * ```ts
 * const regressor = new ReluRegressor().train(X, y)
 * regressor.predict(X)                      // one number per row
 * regressor.certificate.relativeGap         // at most this far from the best network with these gates
 * ```
 *
 * X: rows of numbers, an ml-matrix Matrix, Float64Array rows or our Matrix. y: one number per row, or a matrix of targets.
 */
export class ReluRegressor extends Estimator {
  constructor(options: TrainOptions = {}) {
    super(options, 'ReluRegressor', 'regression')
  }

  /** Trains and blocks until done; returns itself. */
  train(X: MatrixLike, y: MatrixLike): this {
    this.trainSync(this.checked(X, y))
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, y: MatrixLike, options: TrainAsyncOptions = {}): Promise<this> {
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

  /** The ingredients of that program: prepared rows and targets, gates, penalty. */
  problem(X: MatrixLike, y: MatrixLike): TrainingProblem {
    return this.rebuild(this.checked(X, y))
  }

  /** The convex program that `train(X, y)` solved, from the same rows; `preparedNetwork` is a point of it, for `verify`. */
  program(X: MatrixLike, y: MatrixLike): ConvexProgram<TwoLayerNetwork> {
    return this.rebuildProgram(this.checked(X, y))
  }

  /** What `load` and `loadModel` read back. */
  toJSON(): EstimatorJson {
    return stateToJson('relu-regressor', this.trained())
  }

  /** @throws TypeError in one sentence when the file is foreign, newer, of another kind, or damaged. */
  static load(json: string | object): ReluRegressor {
    const { state } = stateFromJson('relu-regressor', json)
    const regressor = new ReluRegressor(optionsOf(state.settings))
    regressor.keep(state)
    return regressor
  }

  private checked(X: MatrixLike, y: MatrixLike): TrainingData {
    return regressionData(X, y, 'ReluRegressor')
  }
}
