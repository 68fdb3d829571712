import type { ConvexSet } from '../types.ts'

/** The non-negative orthant { s : s >= 0 }. Its support function is 0 on the non-positive orthant, Infinity elsewhere. */
export function nonnegative(): ConvexSet {
  return {
    name: 'nonnegative',
    project(s, out = new Float64Array(s.length)) {
      for (let k = 0; k < s.length; k++) out[k] = Math.max(0, s[k]!)
      return out
    },
    support: (y) => (y.some((entry) => entry > 0) ? Number.POSITIVE_INFINITY : 0),
    violation(s) {
      let worst = 0
      for (let k = 0; k < s.length; k++) worst = Math.max(worst, -s[k]!)
      return worst
    },
  }
}
