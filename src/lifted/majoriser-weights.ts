import { timesTransposed, transposedTimes } from '../layers/products.ts'
import { matrix } from '../numerics/matrix.ts'
import { squaredDistance, squaredNorm } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'
import { factor, solveRows } from './cholesky.ts'
import type { LinkProblem } from './link-problem.ts'
import type { Majoriser } from './majoriser.ts'

/** The majoriser in the weights themselves: W row by row, then b. */
export function overWeights(problem: LinkProblem): Majoriser {
  const { A, divergence, scale, ridge, damping, weights, buffer } = problem
  const { W, b } = weights
  const [units, d] = [W.rows, W.columns]
  const side = d + 1
  const gram = problem.gram()
  const M = buffer('majoriser', side, side)
  for (let e = 0; e < M.data.length; e++) M.data[e] = scale * divergence.smoothness * gram[e]!
  for (let j = 0; j < side; j++) M.data[j * side + j]! += (j < d ? ridge : 0) + damping
  factor(M)
  const W0 = W.data.slice()
  const b0 = b.slice()
  const start = new Float64Array(units * side)
  start.set(W0)
  start.set(b0, W0.length)
  const slopes = buffer('slopes', units, d)
  const gradient = buffer('gradient', units, side)

  return {
    start,
    step(at, residual, next, nextFit) {
      transposedTimes(residual, A, slopes)
      const sums = new Float64Array(units)
      for (let e = 0; e < residual.data.length; e += units)
        for (let j = 0; j < units; j++) sums[j]! += residual.data[e + j]!
      for (let j = 0; j < units; j++) {
        for (let l = 0; l < d; l++) {
          const e = j * d + l
          gradient.data[j * side + l] = slopes.data[e]! + ridge * at[e]! + damping * (at[e]! - W0[e]!)
        }
        const e = units * d + j
        gradient.data[j * side + d] = sums[j]! + damping * (at[e]! - b0[j]!)
      }
      solveRows(M, gradient)
      for (let j = 0; j < units; j++) {
        for (let l = 0; l < d; l++) next[j * d + l] = at[j * d + l]! - gradient.data[j * side + l]!
        next[units * d + j] = at[units * d + j]! - gradient.data[j * side + d]!
      }
      timesTransposed(A, matrix(units, d, next.subarray(0, units * d)), nextFit)
      for (let e = 0; e < nextFit.data.length; e += units)
        for (let j = 0; j < units; j++) nextFit.data[e + j]! += next[units * d + j]!
    },
    penalty: (at: Vector) =>
      (ridge / 2) * squaredNorm(at.subarray(0, units * d)) + (damping / 2) * squaredDistance(at, start),
    store(at) {
      W.data.set(at.subarray(0, units * d))
      b.set(at.subarray(units * d))
    },
  }
}
