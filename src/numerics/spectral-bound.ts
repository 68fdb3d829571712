import type { Matrix } from '../types.ts'

/** Squarings of the Gram matrix; the bound is at most k^(1/64) too large for a Gram matrix of k rows. */
const SQUARINGS = 5

/**
 * An upper bound of |X|_2, as screening needs it: power iterations would give a lower one.
 *
 * With G = X'X or X X', whichever is smaller, |X|_2^2 = largest eigenvalue of G <= tr(G^32)^(1/32). Costs k^2 max(n, d)
 * for G and 4 k^3 for its powers, k = min(n, d).
 */
export function spectralBound(X: Matrix): number {
  const k = Math.min(X.rows, X.columns)
  let G: Float64Array = gram(X, k)
  let next: Float64Array = new Float64Array(k * k)
  let total = 0
  for (let i = 0; i < k; i++) total += G[i * k + i]!
  if (!(total > 0)) return 0
  // G is kept at trace one: its factors are collected as logarithms, log |X|^2 <= sum_q log(trace_q) / 2^q.
  let log = Math.log(total)
  for (let q = 1, weight = 0.5; q <= SQUARINGS; q++, weight /= 2) {
    for (let e = 0; e < G.length; e++) G[e]! /= total
    // The trace of a square is the squared Frobenius norm.
    total = 0
    for (let e = 0; e < G.length; e++) total += G[e]! * G[e]!
    log += weight * Math.log(total)
    if (q < SQUARINGS) {
      square(G, k, next)
      ;[G, next] = [next, G]
    }
  }
  return Math.exp(log / 2) * (1 + 1e-12)
}

function gram({ rows: n, columns: d, data }: Matrix, k: number): Float64Array {
  const G = new Float64Array(k * k)
  if (k === d)
    for (let r = 0; r < n; r++)
      for (let i = 0; i < d; i++) {
        const entry = data[r * d + i]!
        for (let j = 0; j < d; j++) G[i * d + j]! += entry * data[r * d + j]!
      }
  else
    for (let a = 0; a < n; a++)
      for (let b = 0; b <= a; b++) {
        let product = 0
        for (let j = 0; j < d; j++) product += data[a * d + j]! * data[b * d + j]!
        G[a * n + b] = product
        G[b * n + a] = product
      }
  return G
}

function square(G: Float64Array, k: number, out: Float64Array): void {
  out.fill(0)
  for (let i = 0; i < k; i++)
    for (let l = 0; l < k; l++) {
      const entry = G[i * k + l]!
      for (let j = 0; j < k; j++) out[i * k + j]! += entry * G[l * k + j]!
    }
}
