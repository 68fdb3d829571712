import { matrix } from '../numerics/matrix.ts'
import { solveSymmetric } from '../numerics/solve-symmetric.ts'
import type { DualLoss, Matrix, Vector } from '../types.ts'
import { BOUNDARY, entropyTerm } from './exponential.ts'

/**
 * The conjugate of the reference-class softmax in detail: with q_rk = y_rk - alpha_rk / a_r and q_r0 = 1 - sum_k q_rk the
 * probabilities of a row's classes, G(alpha) = sum_r a_r sum_k q log q. `weights` are the a_r.
 */
export function softmaxDual(targets: Matrix, weights: Vector): DualLoss {
  const { rows, columns: c, data: y } = targets
  const q = new Float64Array(c + 1)
  /** The probabilities of a row, the reference class last. */
  const probabilities = (alpha: Vector, r: number): void => {
    // Of a row of the reference class every y is 0, and so its own probability is 1 minus the others.
    let rest = 1
    for (let k = 0; k < c; k++) rest -= y[r * c + k]!
    let others = 0
    for (let k = 0; k < c; k++) {
      const moved = alpha[r * c + k]! / weights[r]!
      q[k] = y[r * c + k]! - moved
      others += moved
    }
    q[c] = rest + others
  }
  return {
    group: c,
    barriers: rows * (c + 1),
    inside() {
      const alpha = new Float64Array(rows * c)
      for (let r = 0; r < rows; r++)
        for (let k = 0; k < c; k++) alpha[r * c + k] = weights[r]! * (y[r * c + k]! - 1 / (c + 1))
      return alpha
    },
    value(alpha, weight, gradient, hessian) {
      let total = 0
      for (let r = 0; r < rows; r++) {
        const a = weights[r]!
        if (!(a > 0)) {
          for (let k = r * c; k < (r + 1) * c; k++) if (alpha[k] !== 0) return Number.POSITIVE_INFINITY
          gradient?.fill(0, r * c, (r + 1) * c)
          if (hessian) identity(hessian, r * c * c, c)
          continue
        }
        probabilities(alpha, r)
        for (let k = 0; k <= c; k++) {
          if (!(q[k]! >= -BOUNDARY) || (weight > 0 && !(q[k]! > 0))) return Number.POSITIVE_INFINITY
          total += a * entropyTerm(q[k]!)
          if (weight > 0) total -= weight * Math.log(q[k]!)
        }
        const ratio = weight / a
        const last = Math.log(q[c]!) - ratio / q[c]!
        if (gradient) for (let k = 0; k < c; k++) gradient[r * c + k] = last - Math.log(q[k]!) + ratio / q[k]!
        if (!hessian) continue
        const shared = (1 / q[c]! + ratio / q[c]! ** 2) / a
        for (let k = 0; k < c; k++)
          for (let l = 0; l < c; l++)
            hessian[(r * c + k) * c + l] = shared + (k === l ? (1 / q[k]! + ratio / q[k]! ** 2) / a : 0)
      }
      return total
    },
    prox(v, step, out = new Float64Array(rows * c)) {
      for (let r = 0; r < rows; r++) {
        if (weights[r]! > 0) proxRow(y, v, out, r * c, c, weights[r]!, step)
        else out.fill(0, r * c, (r + 1) * c)
      }
      return out
    },
  }
}

/**
 * One row of the prox by Moreau: the logits z that minimise a (log(1 + sum e^z) - z'y) + |step z + v|^2 / (2 step), by
 * Newton's method with halving; then alpha = v + step z = a (y - p(z)).
 */
function proxRow(y: Vector, v: Vector, out: Vector, start: number, c: number, a: number, step: number): void {
  const z = new Float64Array(c)
  const p = new Float64Array(c)
  const gradient = new Float64Array(c)
  const H = matrix(c, c)
  const cost = (at: Vector): number => {
    let top = 0
    for (let k = 0; k < c; k++) top = Math.max(top, at[k]!)
    let sum = Math.exp(-top)
    for (let k = 0; k < c; k++) sum += p[k] = Math.exp(at[k]! - top)
    let total = a * (top + Math.log(sum))
    for (let k = 0; k < c; k++) {
      p[k]! /= sum
      total += (step * at[k]! + v[start + k]!) ** 2 / (2 * step) - a * y[start + k]! * at[k]!
    }
    return total
  }
  let value = cost(z)
  for (let round = 0; round < 100; round++) {
    let size = 0
    for (let k = 0; k < c; k++) {
      gradient[k] = a * (p[k]! - y[start + k]!) + step * z[k]! + v[start + k]!
      size += gradient[k]! ** 2
      for (let l = 0; l < c; l++) H.data[k * c + l] = (k === l ? a * p[k]! + step : 0) - a * p[k]! * p[l]!
    }
    if (Math.sqrt(size) <= 1e-15 * (a + step)) break
    const direction = solveSymmetric(H.data, c, gradient)
    let length = 1
    const trial = z.slice()
    let lower = Number.POSITIVE_INFINITY
    for (; length > 1e-12; length /= 2) {
      for (let k = 0; k < c; k++) trial[k] = z[k]! - length * direction[k]!
      lower = cost(trial)
      if (lower <= value + 1e-15 * Math.abs(value)) break
    }
    z.set(trial)
    if (!(lower < value) && round > 60) break
    value = lower
  }
  cost(z)
  for (let k = 0; k < c; k++) out[start + k] = a * (y[start + k]! - p[k]!)
}

function identity(hessian: Vector, start: number, c: number): void {
  for (let k = 0; k < c; k++) for (let l = 0; l < c; l++) hessian[start + k * c + l] = k === l ? 1 : 0
}
