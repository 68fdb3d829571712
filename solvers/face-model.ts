import type { Backend } from '../src/numerics/backend.ts'
import { transpose } from '../src/numerics/products.ts'
import { mirrorLower } from '../src/numerics/triangular.ts'
import type { Vector } from '../src/types.ts'

/**
 * M = I + sum_b weight_b A_b N_b'N_b A_b' in factored form, for blocks that stay on faces spanned by the rows of N_b.
 *
 * With S of one row sqrt(weight_b) A_b N_b' a direction of a face, q rows in all, M = I + S'S. Held is the factor of the
 * smaller of M (n x n) and B = I + S S' (q x q), with M^-1 = I - S' B^-1 S. Faces have few directions, so B is mostly
 * the smaller one: q^3 / 3 flops.
 */
export interface FaceModel {
  /** `images[i]` holds the rows A_b N_b' of the i-th block. False when rounding leaves no positive definite factor. */
  factor(images: readonly Vector[], weights: ArrayLike<number>): boolean
  /** M^-1 x */
  solve(x: Vector): Vector
  /** Z M^-1 Z' for Z of k x n: k x k, both triangles. */
  hessian(Z: Vector, k: number): Vector
}

export function faceModel(backend: Backend, n: number): FaceModel {
  // S: q x n · L: the factor, of order q or n
  let S: Vector = new Float64Array(0)
  let L: Vector = new Float64Array(0)
  let q = 0
  let small = true
  const order = (): number => (small ? q : n)

  /** X <- L^-1 X, or L'^-1 X, for X of m columns. */
  const solveTriangle = (transpose: boolean, X: Vector, m: number): void =>
    backend.triangularSolve(transpose, order(), m, L, order(), X, m)

  return {
    factor(images, weights) {
      q = images.reduce((total, rows) => total + rows.length / n, 0)
      if (S.length < q * n) S = new Float64Array(q * n)
      let at = 0
      images.forEach((rows, i) => {
        const scale = Math.sqrt(weights[i]!)
        for (let k = 0; k < rows.length; k++) S[at++] = scale * rows[k]!
      })
      small = q <= n
      const size = order()
      if (L.length < size * size) L = new Float64Array(size * size)
      if (size === 0) return true
      backend.syrk(!small, size, small ? n : q, 1, S, n, 0, L, size)
      for (let i = 0; i < size; i++) L[i * size + i]! += 1
      return backend.cholesky(size, L, size) === size
    },
    solve(x) {
      const out = x.slice()
      if (q === 0) return out
      const inner = small ? new Float64Array(q) : out
      if (small) backend.gemv(false, q, n, 1, S, n, x, 0, inner)
      solveTriangle(false, inner, 1)
      solveTriangle(true, inner, 1)
      if (small) backend.gemv(true, q, n, -1, S, n, inner, 1, out)
      return out
    },
    hessian(Z, k) {
      const H = new Float64Array(k * k)
      const size = order()
      // Z M^-1 Z' = Z Z' - (L^-1 S Z')'(L^-1 S Z'), or (L^-1 Z')'(L^-1 Z')
      if (small) backend.syrk(false, k, n, 1, Z, n, 0, H, k)
      if (q > 0) {
        const inner = small ? new Float64Array(q * k) : transpose(Z, k, n)
        if (small) backend.gemm(false, true, q, k, n, 1, S, n, Z, n, 0, inner, k)
        solveTriangle(false, inner, k)
        backend.syrk(true, k, size, small ? -1 : 1, inner, k, small ? 1 : 0, H, k)
      }
      mirrorLower(k, H)
      return H
    },
  }
}
