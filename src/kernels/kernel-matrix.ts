import { rowProducts } from '../numerics/products.ts'
import type { Vector } from '../types.ts'
import type { PatchKernel } from './kernels.ts'

/** Squared lengths of the rows of a list of patches. */
export function squaredLengths(patches: Vector, length: number): Vector {
  const squares = new Float64Array(patches.length / length)
  for (let i = 0; i < squares.length; i++)
    for (let k = i * length; k < (i + 1) * length; k++) squares[i]! += patches[k]! ** 2
  return squares
}

/** out <- [k(a_i, b_j)] for two lists of patches, row-major. */
export function kernelMatrix(
  kernel: PatchKernel,
  A: Vector,
  B: Vector,
  length: number,
  out: Vector = new Float64Array((A.length / length) * (B.length / length)),
): Vector {
  const a = A.length / length
  const b = B.length / length
  rowProducts(A, a, B, b, length, out)
  if (kernel.name === 'linear') return out
  const left = squaredLengths(A, length)
  const right = squaredLengths(B, length)
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++) out[i * b + j] = kernel.of(out[i * b + j]!, left[i]!, right[j]!)
  return out
}
