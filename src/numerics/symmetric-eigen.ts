import type { Vector } from '../types.ts'
import { backend } from './backends/index.ts'

/** S = sum_i values_i v_i v_i', values from the largest down; row i of `vectors` is v_i. */
export interface SymmetricEigen {
  readonly values: Vector
  readonly vectors: Vector
}

/** The eigenvalues and eigenvectors of a symmetric matrix of `size` rows; only its lower triangle is read. */
export function symmetricEigen(S: Vector, size: number): SymmetricEigen {
  const { values, vectors } = backend().symmetricEigen(size, S, size)
  const descending = new Float64Array(size * size)
  for (let i = 0; i < size; i++) descending.set(vectors.subarray((size - 1 - i) * size, (size - i) * size), i * size)
  return { values: values.slice().reverse(), vectors: descending }
}
