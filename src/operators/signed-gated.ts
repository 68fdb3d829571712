import type { BitColumns } from '../numerics/bits.ts'
import { isCompact, type Rows } from '../numerics/compact-matrix.ts'
import type { BlockMaps, LinearOperator, Vector } from '../types.ts'
import { type CompactGatedOperator, compactGatedOperator } from './compact-gated.ts'
import { type GatedOperator, gatedOperator } from './gated.ts'

/**
 * A (v, w) = sum_i D_i X (v_i - w_i): the gated operator for pairs of blocks.
 *
 * Coefficients are gate-major: entry (gate i, sign s, output k, feature j) is `u[((i * 2 + s) * outputs + k) * d + j]`,
 * s = 0 for v and 1 for w. Costs what the gated operator costs: the pairs are subtracted first, and A' is computed once.
 * `select` chooses gates, both blocks of each. A compact X is multiplied in float32, as `compactGatedOperator` does.
 */
export function signedGatedOperator(X: Rows, patterns: BitColumns, outputs = 1): LinearOperator {
  if (!isCompact(X)) return signed(gatedOperator(X, patterns, outputs))
  return signed(compactGatedOperator(X, patterns, outputs))
}

function signed(gated: GatedOperator | CompactGatedOperator): LinearOperator {
  const { size, outputs } = gated.blocks
  return {
    ...pairs(gated, size * outputs),
    ...('exact' in gated && { exact: pairs(gated.exact, size * outputs) }),
    select: (blocks) => signed(gated.select(blocks)),
    blocks: signedBlocks(gated.blocks),
  }
}

/** Products for pairs of `half` coefficients each, of which the second is subtracted from the first. */
function pairs(gated: LinearOperator, half: number): LinearOperator {
  // Coefficients of the pairs' differences: needed while a product is taken, made when the first one is.
  let lent: Vector | undefined
  const differences = (): Vector => (lent ??= new Float64Array(gated.columns))
  return {
    rows: gated.rows,
    columns: 2 * gated.columns,
    apply(u, out) {
      const difference = differences()
      for (let i = 0, from = 0; i < difference.length; i += half, from += 2 * half)
        for (let j = 0; j < half; j++) difference[i + j] = u[from + j]! - u[from + half + j]!
      return gated.apply(difference, out)
    },
    adjoint(p, out = new Float64Array(2 * gated.columns)) {
      const difference = gated.adjoint(p, differences())
      for (let i = 0, to = 0; i < difference.length; i += half, to += 2 * half)
        for (let j = 0; j < half; j++) {
          out[to + j] = difference[i + j]!
          out[to + half + j] = -difference[i + j]!
        }
      return out
    },
  }
}

/** Two blocks a gate, gate * 2 + sign: A_b = D_i X for sign 0 and -D_i X for sign 1. */
function signedBlocks(gated: BlockMaps): BlockMaps {
  const { size, outputs, rows } = gated
  const gatesOf = (chosen: Int32Array): Int32Array => chosen.map((b) => b >> 1)
  return {
    count: 2 * gated.count,
    size,
    outputs,
    rows,
    start: (block, output) => (block * outputs + output) * size,
    images: (chosen, vectors, out) => negateOdd(chosen, gated.images(gatesOf(chosen), vectors, out), rows),
    correlations: (chosen, p, out) => negateOdd(chosen, gated.correlations(gatesOf(chosen), p, out), size),
    // The signs cancel.
    kernel: (chosen, weights, out) => gated.kernel(gatesOf(chosen), weights, out),
    gram(b, c, out) {
      const product = gated.gram(b >> 1, c >> 1, out)
      if ((b ^ c) & 1) for (let k = 0; k < product.length; k++) product[k] = -product[k]!
      return product
    },
  }
}

/** Row i of `length` entries <- minus itself where chosen_i is a block of sign 1. */
function negateOdd(chosen: Int32Array, rows: Vector, length: number): Vector {
  for (let i = 0; i < chosen.length; i++)
    if (chosen[i]! & 1) for (let k = i * length; k < (i + 1) * length; k++) rows[k] = -rows[k]!
  return rows
}
