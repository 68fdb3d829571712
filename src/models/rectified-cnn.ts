import * as v from 'valibot'
import { gateValue } from '../gates/gates.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { cutPatches, type ImageShape, type PatchOptions, patchGrid } from '../operators/patches.ts'
import { averagePooling, type PoolOptions, pool } from '../operators/pooling.ts'
import type { Matrix, Model, ModelJson, Vector } from '../types.ts'
import { finiteNumbers } from './json.ts'

/** What a convolutional network with ReLU or gated filters is made of. */
export interface RectifiedCnnWeights {
  readonly shape: ImageShape
  readonly patch: PatchOptions
  readonly pool?: PoolOptions | undefined
  /** r x h: one filter a row. */
  readonly filters: Matrix
  /** r x h: filter j acts where the patch has z'g_j >= 0. Without gates it acts where z'w_j >= 0, which is a ReLU. */
  readonly gates?: Matrix | undefined
  /** r x (c P'): what output k gives filter j at position p, in column k P' + p. */
  readonly linear: Matrix
  readonly intercept: Vector
}

/**
 * f_k(x) = sum_j sum_p a_jkp mean over window p of 1[z'g_j >= 0] z'w_j + b_k, z the patches of x: a convolutional layer of
 * ReLUs (g_j = w_j) or of gated filters, average pooling and a linear layer.
 */
export interface RectifiedCnn extends Model, RectifiedCnnWeights {
  readonly kind: 'rectified-cnn'
  readonly outputs: number
  predict(X: MatrixLike): Matrix
}

/** @throws RangeError when two sizes do not fit together. */
export function rectifiedCnn(weights: RectifiedCnnWeights): RectifiedCnn {
  const { shape, filters, gates, linear, intercept } = weights
  const grid = patchGrid(shape, weights.patch)
  const pooling = averagePooling(grid.rows, grid.columns, weights.pool)
  const outputs = intercept.length
  const r = filters.rows
  const h = grid.length
  if (filters.columns !== h || (gates && (gates.rows !== r || gates.columns !== h)))
    throw new RangeError(
      `rectifiedCnn: patches have ${h} numbers, filters are ${r} x ${filters.columns}${gates ? ` and gates ${gates.rows} x ${gates.columns}` : ''}; pass parts of one network.`,
    )
  if (outputs === 0)
    throw new RangeError('rectifiedCnn: intercept has no entry, expected one per output; pass at least one.')
  if (linear.rows !== r || linear.columns !== outputs * pooling.count)
    throw new RangeError(
      `rectifiedCnn: linear is ${linear.rows} x ${linear.columns}, expected ${r} x ${outputs * pooling.count} for ${outputs} outputs at ${pooling.count} positions.`,
    )
  const pixels = shape.height * shape.width * shape.channels
  return {
    kind: 'rectified-cnn',
    ...weights,
    width: r,
    outputs,
    predict(given) {
      const X = asMatrix(given, 'predict', 'X')
      if (X.columns !== pixels)
        throw new RangeError(
          `predict: X has ${X.columns} columns and the network reads ${pixels} (${shape.height} x ${shape.width} x ${shape.channels}); pass images of that shape.`,
        )
      requireFinite(X, 'predict', 'X')
      const fit = matrix(X.rows, outputs)
      const patches = new Float64Array(grid.count * h)
      const seen = new Float64Array(grid.count * r)
      for (let i = 0; i < X.rows; i++) {
        cutPatches(grid, X.data, i * X.columns, patches)
        for (let p = 0; p < grid.count; p++)
          for (let j = 0; j < r; j++) {
            const value = gateValue(patches, p * h, filters.data, j * h, h)
            const gate = gates ? gateValue(patches, p * h, gates.data, j * h, h) : value
            seen[p * r + j] = gate >= 0 ? value : 0
          }
        const pooled = pool(pooling, seen, r)
        for (let k = 0; k < outputs; k++) {
          let total = intercept[k]!
          for (let p = 0; p < pooling.count; p++)
            for (let j = 0; j < r; j++)
              total += pooled[p * r + j]! * linear.data[j * linear.columns + k * pooling.count + p]!
          fit.data[i * outputs + k] = total
        }
      }
      return fit
    },
    toJSON: () =>
      ({
        format: 'cvxnn',
        version: 1,
        kind: 'rectified-cnn',
        shape,
        patch: weights.patch,
        ...(weights.pool && { pool: weights.pool }),
        width: r,
        filters: Array.from(filters.data),
        ...(gates && { gates: Array.from(gates.data) }),
        linear: Array.from(linear.data),
        intercept: Array.from(intercept),
      }) as ModelJson,
  }
}

const whole = v.pipe(v.number(), v.integer())
const file = v.object({
  shape: v.object({ height: whole, width: whole, channels: whole }),
  patch: v.object({
    size: whole,
    stride: v.optional(whole),
    padding: v.optional(whole),
    normalize: v.optional(v.picklist(['none', 'l2', 'contrast'])),
  }),
  pool: v.optional(v.object({ size: whole, stride: v.optional(whole) })),
  width: whole,
  filters: finiteNumbers,
  gates: v.optional(finiteNumbers),
  linear: finiteNumbers,
  intercept: finiteNumbers,
})

/** @throws RangeError or a validation error when the file is damaged. */
export function rectifiedCnnFromJson(json: ModelJson): RectifiedCnn {
  const { width, ...fields } = v.parse(file, json)
  const rows = (flat: number[]): Matrix => matrix(width, width === 0 ? 0 : flat.length / width, Float64Array.from(flat))
  const { length, count } = sizesOf(fields)
  return rectifiedCnn({
    shape: fields.shape,
    patch: fields.patch as PatchOptions,
    pool: fields.pool as PoolOptions | undefined,
    filters: width === 0 ? matrix(0, length) : rows(fields.filters),
    gates: fields.gates && (width === 0 ? matrix(0, length) : rows(fields.gates)),
    linear: width === 0 ? matrix(0, count * fields.intercept.length) : rows(fields.linear),
    intercept: Float64Array.from(fields.intercept),
  })
}

/** Entries of a patch, and positions after pooling. */
function sizesOf(fields: { shape: ImageShape; patch: object; pool?: object | undefined }): {
  length: number
  count: number
} {
  const grid = patchGrid(fields.shape, fields.patch as PatchOptions)
  const { count } = averagePooling(grid.rows, grid.columns, fields.pool as PoolOptions | undefined)
  return { length: grid.length, count }
}
