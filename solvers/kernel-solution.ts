import type { kernelSpectrum } from '../src/numerics/kernel-spectrum.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { rowProducts, transpose } from '../src/numerics/products.ts'
import type { KernelMap, Matrix, Vector } from '../src/types.ts'

/** The first `count` left singular vectors of M(alpha) as filters, by the kernel alone, and what they see. */
export interface SingularFilters {
  readonly count: number
  /** (n size) x count: orthonormal filters w_j = M(alpha) v_j / s_j as combinations of the Z_i. */
  readonly filters: Vector
  /** (n size) x count: Z_i w_j. */
  readonly seen: Vector
}

/** M(alpha) v_j / s_j for the largest singular values: no further pass over the kernel, the images have it all. */
export function singularFilters(
  { count: n, size, outputs: c }: KernelMap,
  alpha: Vector,
  { images, values, vectors }: ReturnType<typeof kernelSpectrum>,
  count: number,
): SingularFilters {
  const q = c * size
  const filters = new Float64Array(n * size * count)
  for (let j = 0; j < count; j++)
    for (let i = 0; i < n; i++)
      for (let l = 0; l < c; l++) {
        const weight = alpha[i * c + l]! / values[j]!
        if (weight === 0) continue
        for (let p = 0; p < size; p++) filters[(i * size + p) * count + j]! += weight * vectors[j * q + l * size + p]!
      }
  // T' V, scaled: T is q x (n size).
  const seen = rowProducts(transpose(images, q, n * size), n * size, vectors, count, q)
  for (let k = 0; k < seen.length; k++) seen[k]! /= values[k % count]!
  return { count, filters, seen }
}

/** Rows of what filters see (n size x r) as one row per point: n x (size r), without copying. */
export function byPoint({ count, size }: KernelMap, H: Vector, r: number): Matrix {
  return matrix(count, size * r, H)
}
