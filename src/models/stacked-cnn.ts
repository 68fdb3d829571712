import * as v from 'valibot'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { Matrix, Model, ModelJson } from '../types.ts'
import { type ConvexCnn, convexCnn, convexCnnFromJson } from './convex-cnn.ts'

/** Convolutional networks one on the other: each reads what the orthonormal filters of the one before see. */
export interface StackedCnn extends Model {
  readonly kind: 'stacked-cnn'
  /** From the images up; the last one predicts. */
  readonly layers: readonly ConvexCnn[]
  readonly outputs: number
  predict(X: MatrixLike): Matrix
}

/** @throws RangeError when a layer does not read what the one before gives. */
export function stackedCnn(layers: readonly ConvexCnn[]): StackedCnn {
  const last = layers.at(-1)
  if (!last) throw new RangeError('stackedCnn: there is no layer; pass at least one network.')
  for (let k = 1; k < layers.length; k++) {
    const { height, width, channels } = layers[k - 1]!.convolved
    const { shape } = layers[k]!
    if (shape.height !== height || shape.width !== width || shape.channels !== channels)
      throw new RangeError(
        `stackedCnn: layer ${k} gives ${height} x ${width} x ${channels} and layer ${k + 1} reads ${shape.height} x ${shape.width} x ${shape.channels}; pass layers trained one on the other.`,
      )
  }
  return {
    kind: 'stacked-cnn',
    layers,
    width: layers.reduce((total, layer) => total + layer.width, 0),
    outputs: last.outputs,
    predict(X) {
      const seen = layers
        .slice(0, -1)
        .reduce<MatrixLike>((images, layer) => layer.convolve(images, { orthonormal: true }), X)
      return last.predict(seen)
    },
    toJSON: () =>
      ({
        format: 'cvxnn',
        version: 1,
        kind: 'stacked-cnn',
        layers: layers.map((layer) => layer.toJSON()),
      }) as ModelJson,
  }
}

/** The same network with its `count` filters of largest weight: what a next layer is built on. */
export function strongestFilters(network: ConvexCnn, count: number): ConvexCnn {
  const { filters, linear } = network
  const r = filters.columns
  if (r <= count) return network
  // Recovered filters come in order of their singular values.
  const kept = {
    filters: { rows: filters.rows, columns: count, data: new Float64Array(filters.rows * count) },
    linear: { rows: count, columns: linear.columns, data: linear.data.slice(0, count * linear.columns) },
  }
  for (let f = 0; f < filters.rows; f++)
    for (let j = 0; j < count; j++) kept.filters.data[f * count + j] = filters.data[f * r + j]!
  return convexCnn({ ...network, ...kept })
}

const file = v.object({ layers: v.pipe(v.array(v.looseObject({ kind: v.literal('convex-cnn') })), v.minLength(1)) })

/** @throws RangeError or a validation error when the file is damaged. */
export function stackedCnnFromJson(json: ModelJson): StackedCnn {
  return stackedCnn(v.parse(file, json).layers.map((layer) => convexCnnFromJson(layer as unknown as ModelJson)))
}
