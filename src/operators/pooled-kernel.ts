import { kernelMatrix } from '../kernels/kernel-matrix.ts'
import type { PatchKernel } from '../kernels/kernels.ts'
import { product } from '../numerics/products.ts'
import type { KernelMap, Matrix, Vector } from '../types.ts'
import { cutPatches, type PatchGrid } from './patches.ts'
import { keepsAll, type Pooling, pool } from './pooling.ts'

/** What the kernel of images is made of. */
export interface PooledKernelOptions {
  readonly images: Matrix
  readonly grid: PatchGrid
  readonly pooling: Pooling
  readonly kernel: PatchKernel
  readonly outputs: number
  /** Bytes that the whole matrix of pooled kernels may take (default 256 MiB); above, every pass computes it again. */
  readonly memory?: number
}

/**
 * G [k(z_p(x_i), z_r(x_j))] G' for all pairs of images: the kernel of pooled features, size P' x P' a pair.
 *
 * Kept whole where it fits in `memory`. Otherwise it is computed anew, one image against all others at a time, in every
 * pass, n^2 P^2 d flops: what is held is then the patches and P x (n P) numbers, never (n P') x (n P').
 */
export function pooledKernel(options: PooledKernelOptions): KernelMap {
  const { images, grid, pooling, kernel, outputs, memory = 256 * 2 ** 20 } = options
  const n = images.rows
  const P = grid.count
  const size = pooling.count
  const width = n * size
  const patches = new Float64Array(n * P * grid.length)
  for (let i = 0; i < n; i++) cutPatches(grid, images.data, i * images.columns, patches, i * P * grid.length)

  /** Rows (j, p) of the matrix: size x width. */
  const compute = (j: number, out: Vector): Vector => {
    const own = patches.subarray(j * P * grid.length, (j + 1) * P * grid.length)
    const K = kernelMatrix(kernel, own, patches, grid.length)
    if (keepsAll(pooling)) {
      out.set(K)
      return out
    }
    const half = pool(pooling, K, n * P)
    const { starts, members } = pooling
    for (let p = 0; p < size; p++)
      for (let i = 0; i < n; i++)
        for (let r = 0; r < size; r++) {
          let total = 0
          for (let m = starts[r]!; m < starts[r + 1]!; m++) total += half[p * n * P + i * P + members[m]!]!
          out[p * width + i * size + r] = total / (starts[r + 1]! - starts[r]!)
        }
    return out
  }
  const whole = width * width * 8 <= memory ? new Float64Array(width * width) : undefined
  if (whole) for (let j = 0; j < n; j++) compute(j, whole.subarray(j * size * width, (j + 1) * size * width))
  const buffer = whole ? undefined : new Float64Array(size * width)
  const rowsOf = (j: number): Vector =>
    whole ? whole.subarray(j * size * width, (j + 1) * size * width) : compute(j, buffer!)

  return {
    count: n,
    size,
    outputs,
    images(alpha, out = new Float64Array(outputs * size * width)) {
      out.fill(0)
      for (let j = 0; j < n; j++) {
        if (!nonzero(alpha, j * outputs, outputs)) continue
        const rows = rowsOf(j)
        for (let l = 0; l < outputs; l++) {
          const weight = alpha[j * outputs + l]!
          const from = l * size * width
          for (let k = 0; k < size * width; k++) out[from + k]! += weight * rows[k]!
        }
      }
      return out
    },
    products(W, columns, out = new Float64Array(width * columns)) {
      for (let j = 0; j < n; j++)
        product(rowsOf(j), size, W, width, columns, out.subarray(j * size * columns, (j + 1) * size * columns))
      return out
    },
    block(i, j, out = new Float64Array(size * size)) {
      const rows = rowsOf(i)
      for (let p = 0; p < size; p++) for (let r = 0; r < size; r++) out[p * size + r] = rows[p * width + j * size + r]!
      return out
    },
  }
}

function nonzero(alpha: Vector, start: number, count: number): boolean {
  for (let k = start; k < start + count; k++) if (alpha[k] !== 0) return true
  return false
}
