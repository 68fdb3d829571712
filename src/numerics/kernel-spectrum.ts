import type { KernelMap, Vector } from '../types.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** M(alpha) by its kernel: singular values and right singular vectors. */
export interface KernelSpectrum {
  /** M(alpha)'[Z_1' ... Z_n']: q x (count size). */
  readonly images: Vector
  /** M(alpha)'M(alpha): q x q. */
  readonly gram: Vector
  /** Singular values, from the largest down; row j of `vectors` is the j-th right singular vector. */
  readonly values: Vector
  readonly vectors: Vector
}

/** One kernel pass and the eigenvectors of a q x q matrix. */
export function kernelSpectrum(
  kernel: KernelMap,
  alpha: Vector,
  images: Vector = kernel.images(alpha),
): KernelSpectrum {
  const q = kernel.outputs * kernel.size
  const gram = gramOf(kernel, alpha, images)
  const { values, vectors } = symmetricEigen(gram, q)
  return { images, gram, values: values.map((value) => Math.sqrt(Math.max(0, value))), vectors }
}

/** T M(beta) for T = M(alpha)'[Z_1' ... Z_n']: M(alpha)'M(beta), q x q. */
export function gramOf({ count, size, outputs }: KernelMap, beta: Vector, T: Vector): Vector {
  const q = outputs * size
  const S = new Float64Array(q * q)
  for (let a = 0; a < q; a++)
    for (let i = 0; i < count; i++)
      for (let l = 0; l < outputs; l++) {
        const weight = beta[i * outputs + l]!
        if (weight === 0) continue
        const from = a * count * size + i * size
        for (let r = 0; r < size; r++) S[a * q + l * size + r]! += weight * T[from + r]!
      }
  return S
}

/** [<Z_i, A_k>]_ik from A'[Z_1' ... Z_n'] (q x (count size)). */
export function fitOfImages({ count, size, outputs }: KernelMap, images: Vector, out?: Vector): Vector {
  const fit = out ?? new Float64Array(count * outputs)
  for (let i = 0; i < count; i++)
    for (let k = 0; k < outputs; k++) {
      let total = 0
      for (let p = 0; p < size; p++) total += images[(k * size + p) * count * size + i * size + p]!
      fit[i * outputs + k] = total
    }
  return fit
}
