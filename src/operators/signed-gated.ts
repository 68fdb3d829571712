import type { BitColumns } from '../numerics/bits.ts'
import type { LinearOperator, Matrix } from '../types.ts'
import { gatedOperator } from './gated.ts'

/**
 * A (v, w) = sum_i D_i X (v_i - w_i): the gated operator for pairs of blocks.
 *
 * Coefficients are gate-major: entry (gate i, sign s, output k, feature j) is `u[((i * 2 + s) * outputs + k) * d + j]`,
 * s = 0 for v and 1 for w. Costs what the gated operator costs: the pairs are subtracted first, and A' is computed once.
 */
export function signedGatedOperator(X: Matrix, patterns: BitColumns, outputs = 1): LinearOperator {
  const gated = gatedOperator(X, patterns, outputs)
  const half = X.columns * outputs
  const difference = new Float64Array(gated.columns)
  return {
    rows: gated.rows,
    columns: 2 * gated.columns,
    apply(u, out) {
      for (let i = 0, from = 0; i < difference.length; i += half, from += 2 * half)
        for (let j = 0; j < half; j++) difference[i + j] = u[from + j]! - u[from + half + j]!
      return gated.apply(difference, out)
    },
    adjoint(p, out = new Float64Array(2 * gated.columns)) {
      gated.adjoint(p, difference)
      for (let i = 0, to = 0; i < difference.length; i += half, to += 2 * half)
        for (let j = 0; j < half; j++) {
          out[to + j] = difference[i + j]!
          out[to + half + j] = -difference[i + j]!
        }
      return out
    },
  }
}
