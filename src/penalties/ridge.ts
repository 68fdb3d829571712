import { squaredNorm } from '../numerics/vectors.ts'
import type { Penalty, PenaltyChoice } from '../types.ts'

/** R(u) = |u|_2^2 / 2: nothing becomes zero; the program is a damped least squares. R* = R. */
export function ridge(): Penalty & PenaltyChoice {
  const penalty: Penalty = {
    name: 'ridge',
    blocks: { size: 1 },
    quadratic: { curvature: 1 },
    value: (u) => squaredNorm(u) / 2,
    prox(v, step, out = new Float64Array(v.length)) {
      for (let k = 0; k < v.length; k++) out[k] = v[k]! / (1 + step)
      return out
    },
    polar: (v) => (v.some((entry) => entry !== 0) ? Number.POSITIVE_INFINITY : 0),
    conjugate: (v) => squaredNorm(v) / 2,
    subdifferentialDistance(u, v) {
      let total = 0
      for (let k = 0; k < u.length; k++) total += (v[k]! - u[k]!) ** 2
      return Math.sqrt(total)
    },
  }
  return { ...penalty, over: () => penalty }
}
