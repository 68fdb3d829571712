import * as v from 'valibot'
import type { Activation, ActivationName } from '../layers/activation.ts'
import { activations } from '../layers/activations.ts'
import { activate, affine, type Layer, type LayerWeights, outputsOf } from '../layers/layer.ts'
import { dense, type LayerMap, type LayerMapJson, layerMapFromJson } from '../layers/layer-map.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite, toRows } from '../numerics/matrix.ts'
import type { Matrix, Model, ModelJson } from '../types.ts'
import { finiteNumbers, matrixFromRows } from './json.ts'

/** A layer as it is given: dense where no map is. */
export interface LayerOptions extends LayerWeights {
  readonly activation: Activation
  readonly map?: LayerMap
}

export interface DeepNetwork extends Model {
  readonly kind: 'deep-network'
  readonly layers: readonly Layer[]
  readonly features: number
  readonly outputs: number
}

/** Rows that pass the layers together: what is held between two layers stays small. */
const CHUNK = 512

/**
 * f(x) = phi_K(W_K ... phi_1(W_1 x + b_1) ... + b_K): a feed-forward network, layers of any map and activation.
 *
 * @throws RangeError when there is no layer, sizes do not follow one another, or a weight is not finite.
 */
export function deepNetwork(given: readonly LayerOptions[]): DeepNetwork {
  if (given.length === 0)
    throw new RangeError('deepNetwork: there are no layers, expected one at least; pass the output layer.')
  const layers = given.map((layer): Layer => ({ map: dense(layer.W.columns), ...layer }))
  let entries = layers[0]!.map.inputs
  layers.forEach(({ map, W, b }, k) => {
    if (map.inputs !== entries || W.columns !== map.fanIn || b.length !== W.rows || W.rows === 0)
      throw new RangeError(
        `deepNetwork: layer ${k} (counted from 0) reads ${map.inputs} entries, ${map.fanIn} at a time, with W ${W.rows} x ${W.columns} and b ${b.length}, and ${entries} come in; pass one row of W and one entry of b per unit.`,
      )
    requireFinite(W, 'deepNetwork', `W of layer ${k}`)
    requireFinite(matrix(b.length, 1, b), 'deepNetwork', `b of layer ${k}`)
    entries = outputsOf({ map, W })
  })
  const features = layers[0]!.map.inputs
  return {
    kind: 'deep-network',
    layers,
    features,
    outputs: entries,
    width: layers.slice(0, -1).reduce((sum, layer) => sum + outputsOf(layer), 0),
    predict: (X) => predict(layers, X),
    toJSON: () => ({
      format: 'cvxnn',
      version: 1,
      kind: 'deep-network',
      layers: layers.map(({ map, activation, W, b }) => ({
        map: map.json,
        activation: { name: activation.name, ...(activation.options && { options: activation.options }) },
        W: toRows(W),
        b: Array.from(b),
      })),
    }),
  }
}

function predict(layers: readonly Layer[], rows: MatrixLike): Matrix {
  const X = asMatrix(rows, 'predict', 'X')
  const features = layers[0]!.map.inputs
  if (X.columns !== features)
    throw new RangeError(
      `predict: X has ${X.columns} columns and the network reads ${features}; pass the features it was trained on.`,
    )
  requireFinite(X, 'predict', 'X')
  const outputs = outputsOf(layers.at(-1)!)
  const out = matrix(X.rows, outputs)
  for (let from = 0; from < X.rows; from += CHUNK) {
    const to = Math.min(from + CHUNK, X.rows)
    const chunk = matrix(to - from, features, X.data.subarray(from * features, to * features))
    out.data.set(forward(layers, chunk).data, from * outputs)
  }
  return out
}

/** The rows after the last of these layers. */
export function forward(layers: readonly Layer[], X: Matrix): Matrix {
  let rows = X
  for (const layer of layers) {
    const Z = affine(layer.map, layer, rows)
    activate(layer.activation, Z.data, Z.data)
    rows = Z
  }
  return rows
}

const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const mapSchema = v.variant('kind', [
  v.object({ kind: v.literal('dense'), inputs: positive }),
  v.object({
    kind: v.literal('convolution'),
    height: positive,
    width: positive,
    channels: positive,
    size: positive,
    pool: positive,
  }),
])
const schema = v.object({
  format: v.literal('cvxnn'),
  version: v.literal(1),
  kind: v.literal('deep-network'),
  layers: v.pipe(
    v.array(
      v.object({
        map: mapSchema,
        activation: v.object({
          name: v.picklist(Object.keys(activations) as ActivationName[]),
          options: v.optional(v.record(v.string(), v.number())),
        }),
        W: v.array(finiteNumbers),
        b: finiteNumbers,
      }),
    ),
    v.minLength(1),
  ),
})

/** The network of a JSON object that `toJSON` wrote; `loadModel` is the door for any kind. */
export function deepNetworkFromJson(json: ModelJson): DeepNetwork {
  const { layers } = v.parse(schema, json)
  return deepNetwork(
    layers.map(({ map, activation: { name, options }, W, b }) => {
      const read = layerMapFromJson(map as LayerMapJson)
      return {
        map: read,
        activation: activations[name](options),
        W: matrixFromRows(W, read.fanIn),
        b: Float64Array.from(b),
      }
    }),
  )
}
