import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix'
import type { Vector } from '../types.ts'

/** S = sum_i values_i v_i v_i', values from the largest down; row i of `vectors` is v_i. */
export interface SymmetricEigen {
  readonly values: Vector
  readonly vectors: Vector
}

/** The eigenvalues and eigenvectors of a symmetric matrix of `size` rows; only its lower triangle is read. */
export function symmetricEigen(S: Vector, size: number): SymmetricEigen {
  if (size === 0) return { values: new Float64Array(0), vectors: new Float64Array(0) }
  const M = new MlMatrix(size, size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      M.set(i, j, S[i * size + j]!)
      M.set(j, i, S[i * size + j]!)
    }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(M, { assumeSymmetric: true })
  const values = new Float64Array(size)
  const vectors = new Float64Array(size * size)
  const order = Array.from({ length: size }, (_, k) => k).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!)
  order.forEach((k, place) => {
    values[place] = realEigenvalues[k]!
    for (let j = 0; j < size; j++) vectors[place * size + j] = eigenvectorMatrix.get(j, k)
  })
  return { values, vectors }
}
