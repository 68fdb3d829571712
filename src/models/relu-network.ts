import * as v from 'valibot'
import { gateValue } from '../gates/gates.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite, toRows } from '../numerics/matrix.ts'
import type { Matrix, Model, ModelJson, Vector } from '../types.ts'
import { finiteNumbers, weightsFromJson } from './json.ts'
import { requireWeights } from './require-weights.ts'

/** The weights of a two-layer ReLU network with `width` neurons. */
export interface ReluWeights {
  /** First layer: width x features. */
  readonly W1: Matrix
  /** First-layer bias, one per neuron. */
  readonly b1: Vector
  /** Second layer: width x outputs. */
  readonly W2: Matrix
  /** Output bias, one per output. */
  readonly intercept: Vector
}

export interface ReluNetwork extends Model, ReluWeights {
  readonly kind: 'relu-network'
  readonly features: number
  readonly outputs: number
}

/**
 * f(x) = sum_j (x'w1_j + b1_j)_+ w2_j + intercept: a two-layer ReLU network.
 *
 * @throws RangeError when the sizes do not belong together or a weight is not finite; TypeError when one is left out.
 */
export function reluNetwork(weights: ReluWeights): ReluNetwork {
  const { W1, b1, W2, intercept } = weights
  requireWeights({ W1, W2 }, { b1, intercept }, 'reluNetwork')
  const width = W1.rows
  const outputs = intercept.length
  if (b1.length !== width || W2.rows !== width || W2.columns !== outputs)
    throw new RangeError(
      `reluNetwork: W1 ${width} x ${W1.columns}, b1 ${b1.length}, W2 ${W2.rows} x ${W2.columns}, intercept ${outputs} do not belong together; pass one row per neuron.`,
    )
  for (const [name, entries] of Object.entries({ W1: W1.data, b1, W2: W2.data, intercept }))
    requireFinite(matrix(entries.length, 1, entries), 'reluNetwork', name)
  return {
    kind: 'relu-network',
    ...weights,
    width,
    features: W1.columns,
    outputs,
    predict: (X) => predict(weights, X),
    toJSON: () => ({
      format: 'cvxnn',
      version: 1,
      kind: 'relu-network',
      features: W1.columns,
      outputs,
      W1: toRows(W1),
      b1: Array.from(b1),
      W2: toRows(W2),
      intercept: Array.from(intercept),
    }),
  }
}

function predict({ W1, b1, W2, intercept }: ReluWeights, rows: MatrixLike): Matrix {
  const X = asMatrix(rows, 'predict', 'X')
  const d = W1.columns
  const c = intercept.length
  if (X.columns !== d)
    throw new RangeError(
      `predict: X has ${X.columns} columns and the network reads ${d}; pass the features it was trained on.`,
    )
  requireFinite(X, 'predict', 'X')
  const out = matrix(X.rows, c)
  for (let r = 0; r < X.rows; r++) {
    for (let k = 0; k < c; k++) out.data[r * c + k] = intercept[k]!
    for (let j = 0; j < W1.rows; j++) {
      const hidden = gateValue(X.data, r * d, W1.data, j * d, d) + b1[j]!
      if (hidden > 0) for (let k = 0; k < c; k++) out.data[r * c + k]! += hidden * W2.data[j * c + k]!
    }
  }
  return out
}

const schema = v.object({
  format: v.literal('cvxnn'),
  version: v.literal(1),
  kind: v.literal('relu-network'),
  features: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  outputs: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  W1: v.array(finiteNumbers),
  b1: finiteNumbers,
  W2: v.array(finiteNumbers),
  intercept: finiteNumbers,
})

/** The network of a JSON object that `toJSON` wrote; `loadModel` is the door for any kind. */
export function reluNetworkFromJson(json: ModelJson): ReluNetwork {
  return reluNetwork(weightsFromJson(v.parse(schema, json)))
}
