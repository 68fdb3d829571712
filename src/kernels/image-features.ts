import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { cutPatches, type ImageShape, type PatchOptions, patchGrid } from '../operators/patches.ts'
import { averagePooling, type PoolOptions, pool } from '../operators/pooling.ts'
import type { Matrix } from '../types.ts'
import { type FeatureChoice, type FeatureMap, nystrom } from './features.ts'
import { type PatchKernel, rbf } from './kernels.ts'
import { patchSource } from './patch-source.ts'

/** What `imageFeatures` is fitted to. */
export interface ImageFeaturesOptions {
  /** Training images, one a row of height x width x channels numbers. */
  X: MatrixLike
  shape: ImageShape
  patch: PatchOptions
  /** Average pooling of the patches' features (default none). */
  pool?: PoolOptions
  /** Default `rbf({ gamma: 1 })`, for patches with `normalize: 'l2'`. */
  kernel?: PatchKernel
  /** Default `nystrom()`. */
  features?: FeatureChoice
}

const optionNames: OptionKinds<ImageFeaturesOptions> = {
  X: true,
  shape: true,
  patch: true,
  pool: true,
  kernel: true,
  features: true,
}

/** A fixed map of images to features, fitted to training images. */
export interface ImageFeatures {
  /** Of one image: positions x features of a patch. */
  readonly width: number
  /** Of one patch. */
  readonly patch: FeatureMap
  /** Row i: [G phi(z_1(x_i)), ..., phi(z_P(x_i))], position after position. */
  map(X: MatrixLike): Matrix
}

/**
 * x -> G [phi(z_1(x)) ... phi(z_P(x))]: features of all patches of an image, averaged over the windows of the pooling. What the
 * linear layer of `ccnnProgram` reads, as a table for any other program: a dense network on it is convex where one through
 * the patches' filters is not.
 *
 * Fitted on the training images alone, without labels. Cost: one map of P patches an image. Coates, Lee and Ng, AISTATS 2011,
 * pool features of whitened patches likewise.
 *
 * @throws RangeError naming what does not fit: sizes, NaN or Infinity by row and column.
 */
export function imageFeatures(options: ImageFeaturesOptions): ImageFeatures {
  requireOptions(options, optionNames, 'imageFeatures')
  const { shape, patch, kernel = rbf(), features = nystrom() } = options
  const grid = patchGrid(shape, patch)
  const pooling = averagePooling(grid.rows, grid.columns, options.pool)
  const pixels = shape.height * shape.width * shape.channels
  const read = (given: MatrixLike): Matrix => {
    const X = asMatrix(given, 'imageFeatures', 'X')
    if (X.columns !== pixels)
      throw new RangeError(
        `imageFeatures: X has ${X.columns} columns and the shape ${shape.height} x ${shape.width} x ${shape.channels} has ${pixels} numbers; pass one image per row.`,
      )
    requireFinite(X, 'imageFeatures', 'X')
    return X
  }
  const images = read(options.X)
  if (images.rows === 0)
    throw new RangeError('imageFeatures: X has no row, expected at least one image; pass the training images.')
  const phi = features.fit(patchSource({ images, grid, pooling }), kernel)
  const width = pooling.count * phi.width
  return {
    width,
    patch: phi,
    map(given) {
      const X = read(given)
      const out = matrix(X.rows, width)
      const patches = new Float64Array(grid.count * grid.length)
      const mapped = new Float64Array(grid.count * phi.width)
      for (let i = 0; i < X.rows; i++) {
        cutPatches(grid, X.data, i * X.columns, patches)
        pool(pooling, phi.map(patches, mapped), phi.width, out.data, i * width)
      }
      return out
    },
  }
}
