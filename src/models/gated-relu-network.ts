import * as v from 'valibot'
import { gateValue } from '../gates/gates.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite, toRows } from '../numerics/matrix.ts'
import type { Matrix, Model, ModelJson, Vector } from '../types.ts'
import { finiteNumbers, matrixFromRows, weightsFromJson } from './json.ts'
import { requireWeights } from './require-weights.ts'

/** The weights of a two-layer gated ReLU network with `width` neurons, `features` inputs and `outputs` outputs. */
export interface GatedReluWeights {
  /** width x features: a neuron passes a row x where x'g + g_0 >= 0. */
  readonly gates: Matrix
  /** g_0, one per neuron. */
  readonly gateBias: Vector
  /** First layer: width x features. */
  readonly W1: Matrix
  /** First-layer bias, one per neuron. */
  readonly b1: Vector
  /** Second layer: width x outputs. */
  readonly W2: Matrix
  /** Output bias, one per output. */
  readonly intercept: Vector
}

export interface GatedReluNetwork extends Model, GatedReluWeights {
  readonly kind: 'gated-relu-network'
  readonly features: number
  readonly outputs: number
}

/**
 * f(x) = sum_j 1[x'g_j + g_0j >= 0] (x'w1_j + b1_j) w2_j + intercept: a two-layer gated ReLU network.
 *
 * @throws RangeError when the sizes do not belong together or a weight is not finite; TypeError when one is left out.
 */
export function gatedReluNetwork(weights: GatedReluWeights): GatedReluNetwork {
  const { gates, gateBias, W1, b1, W2, intercept } = weights
  requireWeights({ gates, W1, W2 }, { gateBias, b1, intercept }, 'gatedReluNetwork')
  const width = W1.rows
  const features = W1.columns
  const outputs = intercept.length
  const fits =
    gates.rows === width &&
    gates.columns === features &&
    gateBias.length === width &&
    b1.length === width &&
    W2.rows === width &&
    W2.columns === outputs
  if (!fits)
    throw new RangeError(
      `gatedReluNetwork: gates ${gates.rows} x ${gates.columns}, gateBias ${gateBias.length}, W1 ${width} x ${features}, b1 ${b1.length}, W2 ${W2.rows} x ${W2.columns}, intercept ${outputs} do not belong together; pass one row per neuron.`,
    )
  for (const [name, entries] of Object.entries({
    gates: gates.data,
    gateBias,
    W1: W1.data,
    b1,
    W2: W2.data,
    intercept,
  }))
    requireFinite(matrix(entries.length, 1, entries), 'gatedReluNetwork', name)
  return {
    kind: 'gated-relu-network',
    ...weights,
    width,
    features,
    outputs,
    predict: (X) => predict(weights, X),
    toJSON: () => ({
      format: 'cvxnn',
      version: 1,
      kind: 'gated-relu-network',
      features,
      outputs,
      gates: toRows(gates),
      gateBias: Array.from(gateBias),
      W1: toRows(W1),
      b1: Array.from(b1),
      W2: toRows(W2),
      intercept: Array.from(intercept),
    }),
  }
}

function predict(weights: GatedReluWeights, rows: MatrixLike): Matrix {
  const { gates, gateBias, W1, b1, W2, intercept } = weights
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
      if (gateValue(X.data, r * d, gates.data, j * d, d) + gateBias[j]! < 0) continue
      const hidden = gateValue(X.data, r * d, W1.data, j * d, d) + b1[j]!
      for (let k = 0; k < c; k++) out.data[r * c + k]! += hidden * W2.data[j * c + k]!
    }
  }
  return out
}

const schema = v.object({
  format: v.literal('cvxnn'),
  version: v.literal(1),
  kind: v.literal('gated-relu-network'),
  features: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  outputs: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  gates: v.array(finiteNumbers),
  gateBias: finiteNumbers,
  W1: v.array(finiteNumbers),
  b1: finiteNumbers,
  W2: v.array(finiteNumbers),
  intercept: finiteNumbers,
})

/** The network of a JSON object that `toJSON` wrote; `loadModel` is the door for any kind. */
export function gatedReluNetworkFromJson(json: ModelJson): GatedReluNetwork {
  const fields = v.parse(schema, json)
  return gatedReluNetwork({
    ...weightsFromJson(fields),
    gates: matrixFromRows(fields.gates, fields.features),
    gateBias: Float64Array.from(fields.gateBias),
  })
}
