import * as v from 'valibot'
import type { FeatureMap, FeatureMapJson } from '../kernels/features.ts'
import { featureMapFromJson } from '../kernels/features-from-json.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { product, rowProducts } from '../numerics/products.ts'
import { norm } from '../numerics/vectors.ts'
import { cutPatches, type ImageShape, type PatchOptions, patchGrid } from '../operators/patches.ts'
import { averagePooling, type PoolOptions, pool } from '../operators/pooling.ts'
import type { Matrix, Model, ModelJson, Vector } from '../types.ts'
import { finiteNumbers } from './json.ts'

/** What a convolutional network is made of. */
export interface ConvexCnnWeights {
  readonly shape: ImageShape
  readonly patch: PatchOptions
  readonly pool?: PoolOptions | undefined
  readonly features: FeatureMap
  /** m x r: filter j is the column j, a vector in the space of the features. */
  readonly filters: Matrix
  /** r x (c P'): what output k gives filter j at position p, in column k P' + p. */
  readonly linear: Matrix
  readonly intercept: Vector
}

/**
 * A convolutional layer of r filters with average pooling and a linear layer on top:
 *
 *     f_k(x) = sum_j sum_p a_jkp h_jp(x) + b_k ,    h_jp(x) = mean over window p of <w_j, phi(z)>, z the patches of x
 *
 * phi is the feature map of a kernel: with the linear kernel these are ordinary filters, with others <w_j, phi(z)> is the
 * activation.
 */
export interface ConvexCnn extends Model, ConvexCnnWeights {
  readonly kind: 'convex-cnn'
  readonly outputs: number
  /** What `convolve` gives for an image: the grid after pooling, one channel per filter. */
  readonly convolved: ImageShape
  /**
   * h(x) for every image, n x (P' r): the images of the next layer. With `orthonormal` every filter is divided by the length
   * of its linear weights, which makes those of a recovered network orthonormal: a next layer with a kernel of distances then
   * does not depend on how they were turned.
   */
  convolve(X: MatrixLike, options?: { orthonormal?: boolean }): Matrix
  predict(X: MatrixLike): Matrix
}

/** @throws RangeError when two sizes do not fit together. */
export function convexCnn(weights: ConvexCnnWeights): ConvexCnn {
  const { shape, features, filters, linear, intercept } = weights
  const grid = patchGrid(shape, weights.patch)
  const pooling = averagePooling(grid.rows, grid.columns, weights.pool)
  const outputs = intercept.length
  const r = filters.columns
  const pixels = shape.height * shape.width * shape.channels
  if (features.length !== grid.length || features.width !== filters.rows)
    throw new RangeError(
      `convexCnn: the features read ${features.length} entries and give ${features.width}, patches have ${grid.length} and filters ${filters.rows}; pass parts of one network.`,
    )
  if (outputs === 0)
    throw new RangeError('convexCnn: intercept has no entry, expected one per output; pass at least one.')
  if (linear.rows !== r || linear.columns !== outputs * pooling.count)
    throw new RangeError(
      `convexCnn: linear is ${linear.rows} x ${linear.columns}, expected ${r} x ${outputs * pooling.count} for ${outputs} outputs at ${pooling.count} positions.`,
    )
  // c x (P' r), so that a prediction is one product with h(x).
  const weightsByOutput = new Float64Array(outputs * pooling.count * r)
  for (let j = 0; j < r; j++)
    for (let kp = 0; kp < linear.columns; kp++) weightsByOutput[kp * r + j] = linear.data[j * linear.columns + kp]!

  const lengths = Float64Array.from({ length: r }, (_, j) =>
    norm(linear.data.subarray(j * linear.columns, (j + 1) * linear.columns)),
  )

  const convolve = (given: MatrixLike, { orthonormal = false } = {}): Matrix => {
    const X = asMatrix(given, 'convolve', 'X')
    if (X.columns !== pixels)
      throw new RangeError(
        `convolve: X has ${X.columns} columns and the network reads ${pixels} (${shape.height} x ${shape.width} x ${shape.channels}); pass images of that shape.`,
      )
    requireFinite(X, 'convolve', 'X')
    const H = matrix(X.rows, pooling.count * r)
    const patches = new Float64Array(grid.count * grid.length)
    const mapped = new Float64Array(grid.count * features.width)
    const seen = new Float64Array(grid.count * r)
    for (let i = 0; i < X.rows; i++) {
      cutPatches(grid, X.data, i * X.columns, patches)
      features.map(patches, mapped)
      product(mapped, grid.count, filters.data, features.width, r, seen)
      pool(pooling, seen, r, H.data, i * H.columns)
    }
    if (orthonormal) for (let k = 0; k < H.data.length; k++) H.data[k]! /= lengths[k % r]! || 1
    return H
  }
  return {
    kind: 'convex-cnn',
    ...weights,
    width: r,
    outputs,
    convolved: { height: pooling.rows, width: pooling.columns, channels: r },
    convolve,
    predict(X) {
      const H = convolve(X)
      const fit = matrix(H.rows, outputs)
      rowProducts(H.data, H.rows, weightsByOutput, outputs, H.columns, fit.data)
      for (let k = 0; k < fit.data.length; k++) fit.data[k]! += intercept[k % outputs]!
      return fit
    },
    toJSON: () =>
      ({
        format: 'cvxnn',
        version: 1,
        kind: 'convex-cnn',
        shape,
        patch: weights.patch,
        ...(weights.pool && { pool: weights.pool }),
        features: features.toJSON(),
        width: r,
        filters: Array.from(filters.data),
        linear: Array.from(linear.data),
        intercept: Array.from(intercept),
      }) as ModelJson,
  }
}

const whole = v.pipe(v.number(), v.integer())
const kernelSchema = v.variant('name', [
  v.object({ name: v.literal('linear') }),
  v.object({ name: v.literal('rbf'), gamma: v.number() }),
  v.object({ name: v.literal('inverse-polynomial') }),
])
const plainFeatures = [
  v.object({ kind: v.literal('pixels'), length: whole }),
  v.object({
    kind: v.literal('kernel'),
    kernel: kernelSchema,
    length: whole,
    landmarks: finiteNumbers,
    mix: v.optional(finiteNumbers),
  }),
  v.object({ kind: v.literal('fourier'), length: whole, directions: finiteNumbers, phases: finiteNumbers }),
] as const
const featuresSchema = v.variant('kind', [
  ...plainFeatures,
  v.object({
    kind: v.literal('whitened'),
    matrix: finiteNumbers,
    unit: v.boolean(),
    of: v.variant('kind', [...plainFeatures]),
  }),
])
const file = v.object({
  shape: v.object({ height: whole, width: whole, channels: whole }),
  patch: v.object({
    size: whole,
    stride: v.optional(whole),
    padding: v.optional(whole),
    normalize: v.optional(v.picklist(['none', 'l2', 'contrast'])),
  }),
  pool: v.optional(v.object({ size: whole, stride: v.optional(whole) })),
  features: featuresSchema,
  width: whole,
  filters: finiteNumbers,
  linear: finiteNumbers,
  intercept: finiteNumbers,
})

/** @throws RangeError or a validation error when the file is damaged. */
export function convexCnnFromJson(json: ModelJson): ConvexCnn {
  const fields = v.parse(file, json)
  const features = featureMapFromJson(fields.features as FeatureMapJson)
  const { width } = fields
  return convexCnn({
    shape: fields.shape,
    patch: fields.patch as PatchOptions,
    pool: fields.pool as PoolOptions | undefined,
    features,
    filters: matrix(features.width, width, Float64Array.from(fields.filters)),
    linear: matrix(
      width,
      width === 0 ? linearWidth(fields) : fields.linear.length / width,
      Float64Array.from(fields.linear),
    ),
    intercept: Float64Array.from(fields.intercept),
  })
}

/** c P': the columns of linear weights of no filters. */
function linearWidth(fields: {
  shape: ImageShape
  patch: object
  pool?: object | undefined
  intercept: number[]
}): number {
  const grid = patchGrid(fields.shape, fields.patch as PatchOptions)
  const { count } = averagePooling(grid.rows, grid.columns, fields.pool as PoolOptions | undefined)
  return count * fields.intercept.length
}
