import type { DualLoss, Vector } from '../types.ts'
import { BOUNDARY } from './exponential.ts'

/** phi_k*(p) between `low` and `high`, with its derivatives inside. */
export interface DualEntries {
  low(k: number): number
  high(k: number): number
  /** phi_k*(p) */
  value(p: number, k: number): number
  /** phi_k*'(p) */
  slope(p: number, k: number): number
  /** phi_k*''(p) */
  second(p: number, k: number): number
}

/** G(alpha) = sum_k a_k phi_k*(-alpha_k / a_k), every entry for itself; alpha_k is zero where a_k is. */
export function separableDual(weights: Vector, entries: DualEntries): DualLoss {
  const size = weights.length
  const bounds = (k: number): number =>
    weights[k]! > 0 ? Number(Number.isFinite(entries.low(k))) + Number(Number.isFinite(entries.high(k))) : 0
  let barriers = 0
  for (let k = 0; k < size; k++) barriers += bounds(k)
  return {
    group: 1,
    barriers,
    inside() {
      const alpha = new Float64Array(size)
      for (let k = 0; k < size; k++) {
        const [low, high] = [Math.max(entries.low(k), -1), Math.min(entries.high(k), 1)]
        if (weights[k]! > 0) alpha[k] = -weights[k]! * (low / 2 + high / 2)
      }
      return alpha
    },
    value(alpha, weight, gradient, hessian) {
      let total = 0
      for (let k = 0; k < size; k++) {
        const a = weights[k]!
        if (!(a > 0)) {
          if (alpha[k] !== 0) return Number.POSITIVE_INFINITY
          if (gradient) gradient[k] = 0
          if (hessian) hessian[k] = 1
          continue
        }
        const p = 0 - alpha[k]! / a
        const below = p - entries.low(k)
        const above = entries.high(k) - p
        if (!(below >= -BOUNDARY && above >= -BOUNDARY) || (weight > 0 && !(below > 0 && above > 0)))
          return Number.POSITIVE_INFINITY
        total += a * entries.value(p, k)
        if (weight > 0) {
          if (below < Number.POSITIVE_INFINITY) total -= weight * Math.log(below)
          if (above < Number.POSITIVE_INFINITY) total -= weight * Math.log(above)
        }
        if (gradient) gradient[k] = -entries.slope(p, k) + (weight / a) * (1 / below - 1 / above)
        if (hessian) hessian[k] = entries.second(p, k) / a + (weight / (a * a)) * (1 / below ** 2 + 1 / above ** 2)
      }
      return total
    },
    prox(v, step, out = new Float64Array(size)) {
      for (let k = 0; k < size; k++)
        out[k] = weights[k]! > 0 ? -weights[k]! * dualRoot(entries, weights[k]!, v[k]!, step, k) : 0
      return out
    },
  }
}

/**
 * The p in [low, high] with step phi*'(p) + a p + v = 0, or the end nearest to it: Newton's method between brackets, which
 * is done at once where phi* is quadratic.
 */
function dualRoot(entries: DualEntries, a: number, v: number, step: number, k: number): number {
  let low = entries.low(k)
  let high = entries.high(k)
  const at = (p: number): number => step * entries.slope(p, k) + a * p + v
  if (Number.isFinite(low) && at(low) >= 0) return low
  if (Number.isFinite(high) && at(high) <= 0) return high
  let p = Math.max(low, Math.min(high, 0))
  if (Number.isFinite(low) && Number.isFinite(high)) p = low / 2 + high / 2
  for (let round = 0; round < 200; round++) {
    const residual = at(p)
    if (residual === 0) return p
    if (residual > 0) high = p
    else low = p
    const newton = p - residual / (step * entries.second(p, k) + a)
    const next = newton > low && newton < high ? newton : Number.isFinite(low + high) ? low / 2 + high / 2 : newton
    if (next === p || next === low || next === high || Math.abs(next - p) <= 2 ** -53 * Math.abs(p)) return next
    p = next
  }
  return p
}
