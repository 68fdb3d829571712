import type { FeatureMap } from '../kernels/features.ts'
import { matrix } from '../numerics/matrix.ts'
import { cutPatches, type PatchGrid } from '../operators/patches.ts'
import { type Pooling, pool } from '../operators/pooling.ts'
import type { Matrix } from '../types.ts'

/** Patches -> features -> averages over windows: what comes before the filters of a convolutional layer. */
export interface ConvolutionLayer {
  readonly grid: PatchGrid
  readonly pooling: Pooling
  readonly features: FeatureMap
}

/** Z(x) for every image, a row each: P' positions x m features, n x (P' m). */
export function layerFeatures({ grid, pooling, features }: ConvolutionLayer, images: Matrix): Matrix {
  const m = features.width
  const Z = matrix(images.rows, pooling.count * m)
  const patches = new Float64Array(grid.count * grid.length)
  const mapped = new Float64Array(grid.count * m)
  for (let i = 0; i < images.rows; i++) {
    cutPatches(grid, images.data, i * images.columns, patches)
    features.map(patches, mapped)
    pool(pooling, mapped, m, Z.data, i * Z.columns)
  }
  return Z
}
