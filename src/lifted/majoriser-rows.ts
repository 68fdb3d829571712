import { transposedTimes } from '../layers/products.ts'
import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'
import { factor, solveRows } from './cholesky.ts'
import type { LinkProblem } from './link-problem.ts'
import type { Majoriser } from './majoriser.ts'

/**
 * The majoriser in coordinates of the rows, for fewer rows than weights: every step stays in
 *
 *     Th = Th_0 + (C [A 1] - tau ridge [W_0 0]) D^-1,    D = diag(ridge + damping, .., damping)
 *
 * with C of units x rows and a number tau. With K = [A 1] D^-1 [A 1]' the fit is Z_0 + K C' - tau S, and since
 * [A 1] M^-1 = (I + scale beta K)^-1 [A 1] D^-1 a step needs K alone: A is read twice a sweep, not twice a step.
 */
export function overRows(problem: LinkProblem): Majoriser {
  const { A, divergence, scale, ridge, damping, weights, buffer } = problem
  const { W, b } = weights
  const [m, units, d] = [A.rows, W.rows, W.columns]
  const weight = ridge + damping
  const Z0 = problem.fit().data.slice()
  // S = ridge A W_0' / weight
  const S = Z0.map((z, e) => (ridge / weight) * (z - b[e % units]!))

  const K = buffer('rows kernel', m, m)
  backend().syrk(false, m, d, 1 / weight, A.data, d, 0, K.data, m)
  for (let i = 0; i < m; i++)
    for (let j = 0; j <= i; j++) {
      K.data[i * m + j]! += 1 / damping
      K.data[j * m + i] = K.data[i * m + j]!
    }
  const bend = scale * divergence.smoothness
  const system = buffer('rows system', m, m)
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) system.data[i * m + j] = bend * K.data[i * m + j]! + (i === j ? 1 : 0)
  factor(system)

  const size = units * m
  const E = buffer('rows step', units, m)
  const image = buffer('rows image', m, units)
  /** K C' */
  const spread = (C: Vector): Vector => {
    backend().gemm(false, true, m, units, m, 1, K.data, m, C, m, 0, image.data, units)
    return image.data
  }
  const length = squaredNorm(W.data)

  return {
    start: new Float64Array(size + 1),
    step(at, residual, next, nextFit) {
      // G = (residual' + C) [A 1] + (1 - tau) ridge [W_0 0]
      const rest = 1 - at[size]!
      for (let j = 0; j < units; j++)
        for (let i = 0; i < m; i++)
          E.data[j * m + i] = residual.data[i * units + j]! + at[j * m + i]! - rest * bend * S[i * units + j]!
      solveRows(system, E)
      for (let e = 0; e < size; e++) next[e] = at[e]! - E.data[e]!
      next[size] = 1
      const image = spread(next.subarray(0, size))
      for (let e = 0; e < nextFit.data.length; e++) nextFit.data[e] = Z0[e]! + image[e]! - S[e]!
    },
    penalty(at, fit) {
      // With P = ridge [W_0 0] and Delta = (C [A 1] - tau P) D^-1 this is Delta D Delta'/2 + <P, Delta> + ridge/2 |W_0|^2.
      const tau = at[size]!
      const C = at.subarray(0, size)
      let bends = 0
      let meets = 0
      for (let i = 0; i < m; i++)
        for (let j = 0; j < units; j++) {
          const e = i * units + j
          // K C' = fit - Z_0 + tau S
          bends += C[j * m + i]! * (fit.data[e]! - Z0[e]! + tau * S[e]!)
          meets += C[j * m + i]! * S[e]!
        }
      const own = (ridge * ridge * length) / weight
      return bends / 2 - tau * meets + (tau * tau * own) / 2 + meets - tau * own + (ridge / 2) * length
    },
    store(at) {
      const tau = at[size]!
      const C = matrix(units, m, at.subarray(0, size))
      const turned = buffer('rows image', m, units)
      for (let j = 0; j < units; j++) for (let i = 0; i < m; i++) turned.data[i * units + j] = C.data[j * m + i]!
      const moved = transposedTimes(turned, A, buffer('slopes', units, d))
      for (let e = 0; e < W.data.length; e++) W.data[e]! += (moved.data[e]! - tau * ridge * W.data[e]!) / weight
      for (let j = 0; j < units; j++) {
        let sum = 0
        for (let i = 0; i < m; i++) sum += C.data[j * m + i]!
        b[j]! += sum / damping
      }
    },
  }
}
