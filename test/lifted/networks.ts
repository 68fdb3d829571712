import {
  type Activation,
  type DeepNetwork,
  deepNetwork,
  elu,
  identity,
  leakyRelu,
  type Matrix,
  matrix,
  relu,
  sigmoid,
  softThreshold,
  tanh,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

/** Seven activations of different kinds: kinked, smooth, saturating, with and without a prox of their own. */
export const seven: readonly Activation[] = [
  relu(),
  identity(),
  leakyRelu({ slope: 0.1 }),
  sigmoid(),
  tanh(),
  elu(),
  softThreshold({ threshold: 0.2 }),
]

/** Normal entries. */
export function normals(rows: number, columns: number, seed: number, scale = 1): Matrix {
  const draws = random(seed)
  const M = matrix(rows, columns)
  for (let e = 0; e < M.data.length; e++) M.data[e] = scale * draws.normal()
  return M
}

/** 1 in one column of each row, as many of each as goes. */
export function oneHotRows(rows: number, classes: number): Matrix {
  const Y = matrix(rows, classes)
  for (let r = 0; r < rows; r++) Y.data[r * classes + (r % classes)] = 1
  return Y
}

/** A random network of these sizes, biases included. */
export function randomNetwork(
  sizes: readonly number[],
  activation: Activation,
  seed: number,
  scale = 0.8,
): DeepNetwork {
  return deepNetwork(
    sizes.slice(1).map((units, k) => ({
      W: normals(units, sizes[k]!, 10 * seed + k, scale),
      b: normals(1, units, 10 * seed + k + 5, 0.3).data,
      activation,
    })),
  )
}

/** A little regression and classification problem, 12 rows of 3 features. */
export const small: { readonly X: Matrix; readonly classes: Matrix; readonly targets: Matrix } = {
  X: normals(12, 3, 1),
  classes: oneHotRows(12, 3),
  targets: normals(12, 2, 2),
}

/** The largest entry of |a - b|. */
export function furthestApart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0
  for (let e = 0; e < a.length; e++) most = Math.max(most, Math.abs(a[e]! - b[e]!))
  return a.length === b.length ? most : Number.POSITIVE_INFINITY
}
