import type { Loss, Vector } from '../types.ts'
import { type DualEntries, separableDual } from './separable-dual.ts'

/** A convex function of one number for every entry of a fit, and its weight in the sum. */
export interface Entries {
  readonly name: string
  /** a_k, with the 1/n of a mean in it; zero is allowed. */
  readonly weights: Vector
  /** An upper bound of every second derivative. */
  readonly curvature: number
  /** phi_k(z) */
  value(z: number, k: number): number
  /** phi_k'(z) */
  slope(z: number, k: number): number
  /** phi_k''(z), or one of its one-sided values */
  second?(z: number, k: number): number
  /** phi_k*(p) */
  conjugate(p: number, k: number): number
  /** phi_k(to) - phi_k(at) - phi_k'(at) (to - at), without cancellation */
  divergence(to: number, at: number, k: number): number
  /** The conjugate in detail, for solvers of the dual. */
  readonly dual?: Omit<DualEntries, 'value'>
  /** Whether phi_k is linear where its slope is at an end of the dual's domain. */
  readonly linearAtEnds?: true
}

/**
 * F(z) = sum_k a_k phi_k(z_k): a loss that is a sum over entries.
 *
 * F*(p) = sum_k a_k phi_k*(p_k / a_k), and p_k has to be zero where a_k is.
 */
export function separable(entries: Entries): Loss {
  const { weights } = entries
  const size = weights.length
  return {
    name: entries.name,
    size,
    ...(entries.dual && { dual: separableDual(weights, { ...entries.dual, value: entries.conjugate }) }),
    smoothness: entries.curvature * weights.reduce((most, weight) => Math.max(most, weight), 0),
    ...(entries.second && {
      curvatures(fit: Vector, out: Vector = new Float64Array(size)) {
        for (let k = 0; k < size; k++) out[k] = weights[k]! > 0 ? weights[k]! * entries.second!(fit[k]!, k) : 0
        return out
      },
    }),
    ...((entries.linearAtEnds || weights.some((weight) => !(weight > 0))) && {
      flat: (fit: Vector, slack = 0) =>
        Uint8Array.from(weights, (weight, k) => Number(!(weight > 0) || isLinear(entries, fit[k]!, k, slack / weight))),
    }),
    value(fit) {
      let total = 0
      for (let k = 0; k < size; k++) if (weights[k]! > 0) total += weights[k]! * entries.value(fit[k]!, k)
      return total
    },
    gradient(fit, out = new Float64Array(size)) {
      for (let k = 0; k < size; k++) out[k] = weights[k]! > 0 ? weights[k]! * entries.slope(fit[k]!, k) : 0
      return out
    },
    conjugate(p) {
      let total = 0
      for (let k = 0; k < size; k++)
        if (weights[k]! > 0) total += weights[k]! * entries.conjugate(p[k]! / weights[k]!, k)
        else if (p[k] !== 0) return Number.POSITIVE_INFINITY
      return total
    },
    ...(entries.dual && {
      intoDomain(p: Vector, out: Vector = new Float64Array(size)) {
        const { low, high } = entries.dual!
        for (let k = 0; k < size; k++)
          out[k] = weights[k]! > 0 ? weights[k]! * Math.min(high(k), Math.max(low(k), p[k]! / weights[k]!)) : 0
        return out
      },
    }),
    divergence(to, at) {
      let total = 0
      for (let k = 0; k < size; k++) if (weights[k]! > 0) total += weights[k]! * entries.divergence(to[k]!, at[k]!, k)
      return total
    },
  }
}

/** Whether phi_k is linear at z, or its slope within `slack` of where it is. */
function isLinear({ linearAtEnds, dual, slope }: Entries, z: number, k: number, slack: number): boolean {
  if (!linearAtEnds || !dual) return false
  const p = slope(z, k)
  return Math.abs(p - dual.low(k)) <= slack || Math.abs(p - dual.high(k)) <= slack
}
