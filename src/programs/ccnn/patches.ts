import type { Gates } from '../../gates/gates.ts'
import { isSet } from '../../numerics/bits.ts'
import { asMatrix, type MatrixLike } from '../../numerics/interchange.ts'
import { matrix } from '../../numerics/matrix.ts'
import { cutPatches, type ImageShape, type PatchOptions, patchGrid } from '../../operators/patches.ts'
import { pool } from '../../operators/pooling.ts'
import type { Matrix } from '../../types.ts'
import { requireGates } from '../require-parts.ts'
import type { CcnnParts } from './layer.ts'

/** All patches of all images, a row each, image by image: what gates of convolutional networks are sampled on. */
export function imagePatches({ X, shape, patch }: { X: MatrixLike; shape: ImageShape; patch: PatchOptions }): Matrix {
  const images = asMatrix(X, 'imagePatches', 'X')
  const grid = patchGrid(shape, patch)
  if (images.columns !== shape.height * shape.width * shape.channels)
    throw new RangeError(
      `imagePatches: X has ${images.columns} columns and the shape ${shape.height} x ${shape.width} x ${shape.channels} has ${shape.height * shape.width * shape.channels} numbers; pass one image per row.`,
    )
  const all = matrix(images.rows * grid.count, grid.length)
  for (let i = 0; i < images.rows; i++)
    cutPatches(grid, images.data, i * images.columns, all.data, i * grid.count * grid.length)
  return all
}

/** P D_k X_i for every image: the patches where gate k is on, averaged over the windows, n x (P' h). One matrix a gate. */
export function gatedPatches({ images, grid, pooling }: CcnnParts, patches: Matrix, gates: Gates): Matrix[] {
  const h = grid.length
  return Array.from({ length: gates.count }, (_, k) => {
    const Z = matrix(images.rows, pooling.count * h)
    const on = new Float64Array(grid.count * h)
    for (let i = 0; i < images.rows; i++) {
      for (let p = 0; p < grid.count; p++) {
        const row = i * grid.count + p
        if (isSet(gates.patterns, row, k)) on.set(patches.data.subarray(row * h, (row + 1) * h), p * h)
        else on.fill(0, p * h, (p + 1) * h)
      }
      pool(pooling, on, h, Z.data, i * Z.columns)
    }
    return Z
  })
}

/** @throws RangeError when gates were made on other data than these patches. */
export function requirePatchGates(gates: Gates, patches: Matrix, caller: string): void {
  requireGates(gates, caller)
  if (gates.bias || gates.vectors.columns !== patches.columns || gates.patterns.rows !== patches.rows)
    throw new RangeError(
      `${caller}: the gates were made for ${gates.patterns.rows} rows of ${gates.vectors.columns} numbers and there are ${patches.rows} patches of ${patches.columns}; call sampleGates(imagePatches({ X, shape, patch }), { count: 50 }).`,
    )
}
