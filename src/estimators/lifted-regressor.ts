import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { requireFinite } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { LiftedEstimator, type LiftedTrainAsyncOptions } from './lifted-estimator.ts'
import { type LiftedEstimatorJson, liftedFromJson, liftedToJson } from './lifted-file.ts'
import { type LiftedTrainOptions, liftedOptionsOf } from './lifted-options.ts'

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
    this.trainSync(...this.checked(X, y), 'regression')
    return this
  }

  /** Trains while the event loop keeps breathing; can be aborted. */
  async trainAsync(X: MatrixLike, y: MatrixLike, options: LiftedTrainAsyncOptions = {}): Promise<this> {
    await this.trainBreathing(...this.checked(X, y), 'regression', options)
    return this
  }

  /**
   * One prediction per row, of a single target.
   *
   * @throws RangeError with several targets: those are in `network.predict(X)`.
   */
  predict(X: MatrixLike): number[] {
    const predicted = this.network.predict(this.checkedRows(X, 'predict'))
    if (predicted.columns > 1)
      throw new RangeError(
        `predict: the network has ${predicted.columns} outputs, expected one; use network.predict(X) for all.`,
      )
    return Array.from(predicted.data)
  }

  /** R^2 = 1 - |y - f(X)|^2 / |y - mean|^2, over all targets together. */
  score(X: MatrixLike, y: MatrixLike): number {
    const [rows, Y] = this.checked(X, y)
    const predicted = this.network.predict(rows)
    if (predicted.columns !== Y.columns)
      throw new RangeError(
        `score: y has ${Y.columns} columns and the network ${predicted.columns} outputs; pass the same targets.`,
      )
    let residual = 0
    let variation = 0
    for (let k = 0; k < Y.columns; k++) {
      let mean = 0
      for (let e = k; e < Y.data.length; e += Y.columns) mean += Y.data[e]! / Y.rows
      for (let e = k; e < Y.data.length; e += Y.columns) {
        residual += (Y.data[e]! - predicted.data[e]!) ** 2
        variation += (Y.data[e]! - mean) ** 2
      }
    }
    return 1 - residual / variation
  }

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

  private checked(X: MatrixLike, y: MatrixLike): [Matrix, Matrix] {
    const rows = this.checkedRows(X, 'LiftedRegressor')
    const Y = asMatrix(y, 'LiftedRegressor', 'y')
    if (Y.rows !== rows.rows)
      throw new RangeError(`LiftedRegressor: y has ${Y.rows} rows and X has ${rows.rows}; pass one target per row.`)
    requireFinite(Y, 'LiftedRegressor', 'y')
    return [rows, Y]
  }
}
