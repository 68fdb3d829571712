import { type ActiveSpan, activeSpan, multiply } from '../../active-span.ts'
import type { BitColumns } from '../../bits.ts'
import { blockNorm } from '../../blocks.ts'
import type { ActiveRows, ConeProjection } from '../../cone-projection.ts'

/** A row counts as met when it is off by no more than this, relative to the point projected. */
const VIOLATION = 1e-13
/** Rounds after which rows enter one at a time, which ends for certain. */
const PATIENCE = 50
/** Of the directions left, the share that rows may take at once. */
const AT_ONCE = 1 / 2

/**
 * Projection is min |v - g|^2 / 2 over B v >= 0, B the signed rows, solved in its dual v = g + B'rho, rho >= 0, by an
 * active-set method (Lawson and Hanson 1974, NNLS) that keeps an orthonormal basis of the active rows: v is g less its part
 * in their span. At most d rows are active. Far from the solution several rows enter at once, the most violated ones; those
 * that turn out not to help leave before the multipliers move, and at least one always helps. Cost n d flops a round, and
 * p d per change of the p active rows.
 */
export function coneProjection(unit: Float64Array, d: number, signs: BitColumns): ConeProjection {
  const { rows: n, words, stride } = signs
  const sign = (gate: number, k: number): number => ((words[gate * stride + (k >> 5)]! >>> (k & 31)) & 1 ? 1 : -1)
  const shared = activeSpan(d)
  const residual = new Float64Array(d)
  const slacks = new Float64Array(n)
  const violated = new Int32Array(n)

  const spanOf = (gate: number, active: ActiveRows): ActiveSpan => {
    if (active.basis) return active.basis
    const span = active.keepBasis ? (active.basis = activeSpan(d)) : shared
    active.place = undefined
    span.clear()
    for (let k = 0; k < active.count; k++) span.add(unit, active.rows[k]!, sign(gate, active.rows[k]!))
    return span
  }

  const rowProduct = (k: number, u: Float64Array): number => {
    let total = 0
    for (let j = 0, x = k * d; j < d; j++, x++) total += unit[x]! * u[j]!
    return total
  }

  const length = (u: Float64Array, start: number): number => blockNorm(u, start, d)

  /** Lists the candidates (all rows when null) that the residual violates, with their slacks; returns how many. */
  const listViolated = (gate: number, candidates: Int32Array | null, tolerance: number, span: ActiveSpan): number => {
    let count = 0
    const consider = (k: number, product: number): void => {
      const slack = (words[gate * stride + (k >> 5)]! >>> (k & 31)) & 1 ? product : -product
      if (slack >= -tolerance || span.has(k)) return
      slacks[k] = slack
      violated[count++] = k
    }
    if (candidates) for (const k of candidates) consider(k, rowProduct(k, residual))
    else {
      multiply(unit, n, d, residual, 0, slacks)
      for (let k = 0; k < n; k++) consider(k, slacks[k]!)
    }
    return count
  }

  /** Moves the most violated row among violated[q .. count] to place q. */
  const bringWorstForward = (q: number, count: number): void => {
    let worst = q
    for (let c = q + 1; c < count; c++) if (slacks[violated[c]!]! < slacks[violated[worst]!]!) worst = c
    const k = violated[worst]!
    violated[worst] = violated[q]!
    violated[q] = k
  }

  return {
    face: (gate, active) => spanOf(gate, active).complement(),
    project(gate, candidates, v, start, out, outStart, active, enough = -1) {
      const scale = length(v, start)
      if (!(scale > 0)) {
        active.count = 0
        active.basis?.clear()
        out.fill(0, outStart, outStart + d)
        return 0
      }
      const tolerance = VIOLATION * scale
      // rho: multipliers of the active rows, all positive. A warm start keeps those rows whose multiplier comes out so.
      const span = spanOf(gate, active)
      for (;;) {
        const target = span.solve(v, start)
        if (!span.dropNegative(target)) {
          span.accept(target)
          break
        }
      }
      const limit = 10 * (d + 10) + n
      let share = AT_ONCE
      for (let round = 0; ; round++) {
        span.residual(v, start, residual)
        if (enough > 0 && length(residual, 0) <= enough) break
        const count = span.size < d && round < limit ? listViolated(gate, candidates, tolerance, span) : 0
        if (count === 0) {
          if (!span.refresh(unit)) break
          continue
        }
        const most = Math.max(1, Math.floor(share * (d - span.size)))
        let added = 0
        for (let q = 0; q < count && added < most; q++) {
          bringWorstForward(q, count)
          const k = violated[q]!
          if (span.add(unit, k, sign(gate, k))) added++
          else if (q === 0) break
        }
        if (added === 0) break
        // Walk from the feasible rho towards the solution on the active rows; a multiplier that reaches zero leaves.
        let target = span.solve(v, start)
        const helps = target.subarray(span.size - added, span.size).some((multiplier) => multiplier > 0)
        while (span.walk(target)) target = span.solve(v, start)
        // At least one of the rows helps; when rounding says otherwise, there is nothing left to gain.
        if (!helps) break
        if (round >= PATIENCE) share = 0
      }
      // What is left of a point in the polar cone is rounding, and not of the cone.
      if (span.size === d || length(residual, 0) <= tolerance) residual.fill(0)
      active.count = span.size
      for (let k = 0; k < span.size; k++) active.rows[k] = span.rows[k]!
      for (let j = 0; j < d; j++) out[outStart + j] = residual[j]!
      return length(residual, 0)
    },
  }
}
