import type { Divergence } from './divergence.ts'

/**
 * D(y, z) = sum_k y_k ln y_k - z'y + ln sum_k e^z_k for targets y on the simplex: cross-entropy as a divergence, that of
 * softmax, whose response it is. 1/2-smooth.
 */
export function crossEntropy(): Divergence {
  return {
    name: 'cross-entropy',
    smoothness: 1 / 2,
    value(V, U) {
      const { columns } = U
      let total = 0
      for (let at = 0; at < U.data.length; at += columns) {
        const [top, sum] = exponentials(U.data, at, columns)
        // Targets sum to 1, so the largest entry may be taken off every one.
        let product = 0
        for (let k = at; k < at + columns; k++) {
          const v = V.data[k]!
          if (v > 0) product += v * (Math.log(v) - (U.data[k]! - top))
        }
        total += Math.log(sum) + product
      }
      return total
    },
    dual(Q) {
      let total = 0
      for (let at = 0; at < Q.data.length; at += Q.columns) {
        let sum = 0
        for (let k = at; k < at + Q.columns; k++) {
          const q = Q.data[k]!
          // A gradient's rows sum to one, and stay above zero, up to rounding.
          if (q < -ROUNDING) return Number.POSITIVE_INFINITY
          sum += q
          if (q > 0) total += q * Math.log(q)
        }
        if (Math.abs(sum - 1) > ROUNDING) return Number.POSITIVE_INFINITY
      }
      return total
    },
    response(U, out) {
      const { columns } = U
      for (let at = 0; at < U.data.length; at += columns) {
        const [top, sum] = exponentials(U.data, at, columns)
        for (let k = at; k < at + columns; k++) out.data[k] = Math.exp(U.data[k]! - top) / sum
      }
      return out
    },
  }
}

const ROUNDING = 1e-12

/** The largest of a row and sum_k e^(z_k - largest). */
function exponentials(Z: Float64Array, at: number, columns: number): [number, number] {
  let top = Z[at]!
  for (let k = at + 1; k < at + columns; k++) if (Z[k]! > top) top = Z[k]!
  let sum = 0
  for (let k = at; k < at + columns; k++) sum += Math.exp(Z[k]! - top)
  return [top, sum]
}
