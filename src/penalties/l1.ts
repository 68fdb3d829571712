import type { Penalty, PenaltyChoice } from '../types.ts'

/** R(u) = sum_k |u_k|: single weights become zero. */
export function l1(): Penalty & PenaltyChoice {
  const penalty: Penalty = {
    name: 'l1',
    blocks: { size: 1 },
    value(u) {
      let total = 0
      for (let k = 0; k < u.length; k++) total += Math.abs(u[k]!)
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      for (let k = 0; k < v.length; k++) out[k] = Math.sign(v[k]!) * Math.max(0, Math.abs(v[k]!) - step)
      return out
    },
    polar: (v) => largest(v),
    polars: (v, part) =>
      Float64Array.from({ length: v.length / part }, (_, k) => largest(v.subarray(k * part, (k + 1) * part))),
    conjugate: (v) => (largest(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      let total = 0
      for (let k = 0; k < u.length; k++) {
        const distance = u[k] !== 0 ? v[k]! - Math.sign(u[k]!) : Math.max(0, Math.abs(v[k]!) - 1)
        total += distance * distance
      }
      return Math.sqrt(total)
    },
  }
  return { ...penalty, over: () => penalty }
}

function largest(v: ArrayLike<number>): number {
  let most = 0
  for (let k = 0; k < v.length; k++) most = Math.max(most, Math.abs(v[k]!))
  return most
}
