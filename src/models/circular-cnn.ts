import * as v from 'valibot'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import type { Matrix, Model, ModelJson, Vector } from '../types.ts'
import { finiteNumbers } from './json.ts'

/** A full-size filter u and the weights w that read it, d entries each. */
export interface CircularCnnWeights {
  readonly filter: Vector
  readonly linear: Vector
  readonly intercept: number
}

/** f(x) = sum_s w_s sum_t x_t u_{(t - s) mod d} + b: a circular convolution of the whole row and a linear layer on it. */
export interface CircularCnn extends Model, CircularCnnWeights {
  readonly kind: 'circular-cnn'
  predict(X: MatrixLike): Matrix
}

/** @throws RangeError when filter and linear weights differ in length. */
export function circularCnn(weights: CircularCnnWeights): CircularCnn {
  const { filter, linear, intercept } = weights
  const d = filter.length
  if (d === 0) throw new RangeError('circularCnn: the filter has no entry, expected one per entry of a row.')
  if (linear.length !== d)
    throw new RangeError(`circularCnn: the filter has ${d} entries and there are ${linear.length} linear weights.`)
  // z = circ(u) w: what the network is on the raw row.
  const z = new Float64Array(d)
  for (let t = 0; t < d; t++) for (let s = 0; s < d; s++) z[t]! += filter[(t - s + d) % d]! * linear[s]!
  return {
    kind: 'circular-cnn',
    ...weights,
    width: z.some((entry) => entry !== 0) ? 1 : 0,
    predict(given) {
      const X = asMatrix(given, 'predict', 'X')
      if (X.columns !== d)
        throw new RangeError(
          `predict: X has ${X.columns} columns and the network reads ${d}; pass rows of that length.`,
        )
      requireFinite(X, 'predict', 'X')
      const fit = matrix(X.rows, 1)
      for (let i = 0; i < X.rows; i++) {
        let total = intercept
        for (let t = 0; t < d; t++) total += X.data[i * d + t]! * z[t]!
        fit.data[i] = total
      }
      return fit
    },
    toJSON: () =>
      ({
        format: 'cvxnn',
        version: 1,
        kind: 'circular-cnn',
        filter: Array.from(filter),
        linear: Array.from(linear),
        intercept,
      }) as ModelJson,
  }
}

const file = v.object({ filter: finiteNumbers, linear: finiteNumbers, intercept: v.pipe(v.number(), v.finite()) })

/** @throws RangeError or a validation error when the file is damaged. */
export function circularCnnFromJson(json: ModelJson): CircularCnn {
  const { filter, linear, intercept } = v.parse(file, json)
  return circularCnn({ filter: Float64Array.from(filter), linear: Float64Array.from(linear), intercept })
}
