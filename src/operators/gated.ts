import { type BitColumns, selectColumns } from '../numerics/bits.ts'
import { isZeroBlock } from '../numerics/blocks.ts'
import type { LinearOperator, Matrix, Vector } from '../types.ts'

/**
 * A = [D_1 X ... D_P X] for one or more outputs, never formed:  fit[:, k] = sum_i D_i X U_i[:, k].
 *
 * X is n x d, D_i = diag of the i-th 0/1 pattern. Coefficients are gate-major: entry (gate i, output k, feature j) is
 * `u[(i * outputs + k) * d + j]`, so one (gate, output) pair is d consecutive entries and one gate is outputs * d of
 * them. The fit is n x outputs, row-major.
 *
 * `apply` skips blocks that are exactly zero and rows a pattern switches off: 2 d outputs flops per active row and
 * active block. `adjoint` costs 2 d outputs per active row and gate, about n d P outputs in all when half the rows are on.
 * Held: X once, the patterns at one bit per row and gate, and one tile of 32 rows in cache.
 *
 * @throws RangeError when the patterns and X differ in rows.
 */
export function gatedOperator(X: Matrix, patterns: BitColumns, outputs = 1): LinearOperator {
  if (patterns.rows !== X.rows)
    throw new RangeError(
      `gatedOperator: the patterns have ${patterns.rows} rows and X has ${X.rows}; make the gates from the same X.`,
    )
  const n = X.rows
  const d = X.columns
  const P = patterns.count
  const block = d * outputs
  const on = new Int32Array(32)
  return {
    rows: n * outputs,
    columns: P * block,
    apply(u, out = new Float64Array(n * outputs)) {
      out.fill(0)
      const active: number[] = []
      for (let i = 0; i < P; i++) if (!isZeroBlock(u, i * block, block)) active.push(i)
      // Tiles of 32 rows stay in cache while every active gate passes over them.
      for (let w = 0; w < patterns.stride; w++)
        for (const i of active) {
          const count = listBits(patterns.words[i * patterns.stride + w]!, w << 5, on)
          for (let k = 0; k < outputs; k++) addProducts(X.data, d, on, count, u, (i * outputs + k) * d, out, k, outputs)
        }
      return out
    },
    adjoint(p, out = new Float64Array(P * block)) {
      out.fill(0)
      for (let w = 0; w < patterns.stride; w++)
        for (let i = 0; i < P; i++) {
          const count = listBits(patterns.words[i * patterns.stride + w]!, w << 5, on)
          for (let k = 0; k < outputs; k++)
            addCombination(X.data, d, on, count, p, k, outputs, out, (i * outputs + k) * d)
        }
      return out
    },
    select(blocks) {
      return gatedOperator(X, selectColumns(patterns, blocks), outputs)
    },
  }
}

/** Writes the rows of the set bits of one word to `on` and returns how many there are. */
function listBits(word: number, firstRow: number, on: Int32Array): number {
  let count = 0
  let rest = word
  while (rest !== 0) {
    on[count++] = firstRow + 31 - Math.clz32(rest & -rest)
    rest &= rest - 1
  }
  return count
}

/** out[r, k] += x_r'u for the listed rows r, four rows at a time so that each entry of u is loaded once for four. */
function addProducts(
  X: Vector,
  d: number,
  on: Int32Array,
  count: number,
  u: Vector,
  start: number,
  out: Vector,
  k: number,
  outputs: number,
): void {
  let q = 0
  for (; q + 4 <= count; q += 4) {
    const a = on[q]! * d
    const b = on[q + 1]! * d
    const c = on[q + 2]! * d
    const e = on[q + 3]! * d
    let sa = 0
    let sb = 0
    let sc = 0
    let se = 0
    for (let j = 0; j < d; j++) {
      const uj = u[start + j]!
      sa += X[a + j]! * uj
      sb += X[b + j]! * uj
      sc += X[c + j]! * uj
      se += X[e + j]! * uj
    }
    out[on[q]! * outputs + k]! += sa
    out[on[q + 1]! * outputs + k]! += sb
    out[on[q + 2]! * outputs + k]! += sc
    out[on[q + 3]! * outputs + k]! += se
  }
  for (; q < count; q++) {
    const a = on[q]! * d
    let sa = 0
    for (let j = 0; j < d; j++) sa += X[a + j]! * u[start + j]!
    out[on[q]! * outputs + k]! += sa
  }
}

/** out[start ..] += sum over the listed rows r of p[r, k] x_r, four rows at a time. */
function addCombination(
  X: Vector,
  d: number,
  on: Int32Array,
  count: number,
  p: Vector,
  k: number,
  outputs: number,
  out: Vector,
  start: number,
): void {
  let q = 0
  for (; q + 4 <= count; q += 4) {
    const a = on[q]! * d
    const b = on[q + 1]! * d
    const c = on[q + 2]! * d
    const e = on[q + 3]! * d
    const pa = p[on[q]! * outputs + k]!
    const pb = p[on[q + 1]! * outputs + k]!
    const pc = p[on[q + 2]! * outputs + k]!
    const pe = p[on[q + 3]! * outputs + k]!
    for (let j = 0; j < d; j++) out[start + j]! += pa * X[a + j]! + pb * X[b + j]! + pc * X[c + j]! + pe * X[e + j]!
  }
  for (; q < count; q++) {
    const a = on[q]! * d
    const pa = p[on[q]! * outputs + k]!
    for (let j = 0; j < d; j++) out[start + j]! += pa * X[a + j]!
  }
}
