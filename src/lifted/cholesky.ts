import { backend } from '../numerics/backends/index.ts'
import { transpose } from '../numerics/products.ts'
import type { Matrix } from '../types.ts'

/**
 * M = L L' over the lower triangle of M, by the backend. Where a pivot is not positive, M gets a little added to its
 * diagonal first, which leaves a majoriser a majoriser: the backend's own factorisation only says that there is such a pivot.
 */
export function factor(M: Matrix): void {
  const n = M.rows
  const kept = M.data.slice()
  let largest = 0
  for (let j = 0; j < n; j++) largest = Math.max(largest, kept[j * n + j]!)
  for (let shift = 0; ; shift = Math.max(10 * shift, 1e-14 * largest, Number.MIN_VALUE * 1e16)) {
    if (shift > 0) {
      M.data.set(kept)
      for (let j = 0; j < n; j++) M.data[j * n + j]! += shift
    }
    // What is not finite never gets a positive pivot: the objective reports it.
    if (backend().cholesky(n, M.data, n) === n || !(shift <= largest)) return
  }
}

/** G <- G M^-1 for M = L L' as `factor` leaves it, one system a row of G. */
export function solveRows(L: Matrix, G: Matrix): void {
  const [n, m] = [G.columns, G.rows]
  const B = transpose(G.data, m, n)
  backend().triangularSolve(false, n, m, L.data, n, B, m)
  backend().triangularSolve(true, n, m, L.data, n, B, m)
  transpose(B, n, m, G.data)
}
