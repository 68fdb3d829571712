import { type ActiveSpan, activeSpan, multiply } from '../numerics/active-span.ts'
import { type BitColumns, isSet } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import type { Matrix, Vector } from '../types.ts'

/**
 * The cones K_i = { u : (2 D_i - I) X u >= 0 }, one per activation pattern: the u for which D_i X u = (X u)_+.
 *
 * Rows of X are scaled to norm one, which leaves the cones as they are; zero rows constrain nothing and are left out.
 */
export interface ActivationCones {
  /** Number of features. */
  readonly dimension: number
  /** Rows that constrain. */
  readonly rows: number
  /** Number of cones. */
  readonly count: number
  /**
   * Writes the Euclidean projection of v[start ..] onto the cone of `gate` to out[outStart ..] and returns its norm.
   * `active`, the constraints that hold with equality, is read as a first guess and left as found.
   *
   * Where the norm is at most `enough` (default: never), the work may end early, with an upper bound of the norm that is
   * itself at most `enough`, and in out a point that long, v plus a normal, that need not lie in the cone.
   */
  project(
    gate: number,
    v: Vector,
    start: number,
    out: Vector,
    outStart: number,
    active: ActiveRows,
    enough?: number,
  ): number
  /** An orthonormal basis (rows) of what is orthogonal to the active rows: the span of the face they cut out. Lent. */
  face(gate: number, active: ActiveRows): Vector
  /** max_r (-s_r x_r'u)_+ over the unit rows x_r: how far u[start ..] is outside. */
  violation(gate: number, u: Vector, start: number): number
  /**
   * Norm of the projection of v[start ..] onto the cone's tangent cone at u[uStart ..], which is the distance from v to
   * the normal cone there.
   */
  distanceToNormals(gate: number, u: Vector, uStart: number, v: Vector, start: number): number
  /** s_r x_r'u for every row, s_r = +1 where the pattern is on and -1 where it is off. */
  slacks(gate: number, u: Vector, start: number, out: Vector, outStart: number): void
  /** out += sum_r rho_r s_r x_r */
  combine(gate: number, rho: Vector, rhoStart: number, out: Vector, outStart: number): void
}

/** Rows that hold with equality, between calls: a warm start. With `basis` their factors are kept as well. */
export interface ActiveRows {
  rows: Int32Array
  count: number
  readonly basis?: ActiveSpan
}

/** No rows yet. Keeping the basis saves p^2 d flops a projection and costs 16 d^2 bytes. */
export function activeRows(dimension: number, keepBasis = false): ActiveRows {
  return { rows: new Int32Array(dimension), count: 0, ...(keepBasis && { basis: activeSpan(dimension) }) }
}

/** A row counts as met when it is off by no more than this, relative to the point projected. */
const VIOLATION = 1e-13
/** Rounds after which rows enter one at a time, which ends for certain. */
const PATIENCE = 50
/** Of the directions left, the share that rows may take at once. */
const AT_ONCE = 1 / 2
/** Rows this close to the boundary, relative to the point, count as active there. */
const BOUNDARY = 1e-9

/**
 * The cones of X's patterns.
 *
 * Projection is min |v - g|^2 / 2 over B v >= 0, solved in its dual v = g + B'rho, rho >= 0, by an active-set method
 * (Lawson and Hanson 1974, NNLS) that keeps an orthonormal basis of the active rows: v is g less its part in their span.
 * At most d rows are active. Far from the solution several rows enter at once, the most violated ones; those that turn
 * out not to help leave before the multipliers move, and at least one always helps. Cost n d flops a round, and p d per
 * change of the p active rows.
 */
export function activationCones(X: Matrix, patterns: BitColumns): ActivationCones {
  const d = X.columns
  const { unit, source } = unitRows(X)
  const n = source.length
  const sign = (gate: number, k: number): number => (isSet(patterns, source[k]!, gate) ? 1 : -1)
  const { words, stride } = patterns
  const shared = activeSpan(d)
  const residual = new Float64Array(d)

  const slacks = new Float64Array(n)
  const violated = new Int32Array(n)

  const spanOf = (gate: number, active: ActiveRows): ActiveSpan => {
    if (active.basis) return active.basis
    shared.clear()
    for (let k = 0; k < active.count; k++) shared.add(unit, active.rows[k]!, sign(gate, active.rows[k]!))
    return shared
  }

  const rowProduct = (k: number, u: Vector, start: number): number => {
    let total = 0
    for (let j = 0, x = k * d; j < d; j++, x++) total += unit[x]! * u[start + j]!
    return total
  }

  const length = (u: Vector, start: number): number => blockNorm(u, start, d)

  /** Lists the candidates (all rows when null) that the residual violates, with their slacks; returns how many. */
  const listViolated = (gate: number, candidates: Int32Array | null, tolerance: number, span: ActiveSpan): number => {
    let count = 0
    const consider = (k: number, product: number): void => {
      const row = source[k]!
      const slack = (words[gate * stride + (row >> 5)]! >>> (row & 31)) & 1 ? product : -product
      if (slack >= -tolerance || span.has(k)) return
      slacks[k] = slack
      violated[count++] = k
    }
    if (candidates) for (const k of candidates) consider(k, rowProduct(k, residual, 0))
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

  /** The projection onto { u : s_k x_k'u >= 0 for the candidates k } (all rows when null). */
  const project = (
    gate: number,
    candidates: Int32Array | null,
    v: Vector,
    start: number,
    out: Vector,
    outStart: number,
    active: ActiveRows,
    enough = -1,
  ): number => {
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
  }

  const scratch = new Float64Array(d)
  const fresh = activeRows(d)
  return {
    dimension: d,
    rows: n,
    count: patterns.count,
    project: (gate, v, start, out, outStart, active, enough) =>
      project(gate, null, v, start, out, outStart, active, enough),
    face: (gate, active) => spanOf(gate, active).complement(),
    violation(gate, u, start) {
      let worst = 0
      for (let k = 0; k < n; k++) {
        const product = rowProduct(k, u, start)
        const slack = isSet(patterns, source[k]!, gate) ? product : -product
        if (slack < -worst) worst = -slack
      }
      return worst
    },
    distanceToNormals(gate, u, uStart, v, start) {
      let length = 0
      for (let j = 0; j < d; j++) length += u[uStart + j]! * u[uStart + j]!
      const boundary = BOUNDARY * Math.sqrt(length)
      const touching: number[] = []
      for (let k = 0; k < n; k++) if (sign(gate, k) * rowProduct(k, u, uStart) <= boundary) touching.push(k)
      fresh.count = 0
      return project(gate, Int32Array.from(touching), v, start, scratch, 0, fresh)
    },
    slacks(gate, u, start, out, outStart) {
      for (let k = 0; k < n; k++) out[outStart + k] = sign(gate, k) * rowProduct(k, u, start)
    },
    combine(gate, rho, rhoStart, out, outStart) {
      for (let k = 0; k < n; k++) {
        const weight = rho[rhoStart + k]!
        if (weight === 0) continue
        const signed = weight * sign(gate, k)
        for (let j = 0; j < d; j++) out[outStart + j]! += signed * unit[k * d + j]!
      }
    },
  }
}

/** The non-zero rows of X over their norms, and which rows of X they were. */
function unitRows(X: Matrix): { unit: Vector; source: Int32Array } {
  const { rows, columns: d, data } = X
  const kept: number[] = []
  const unit = new Float64Array(rows * d)
  for (let r = 0; r < rows; r++) {
    let largest = 0
    for (let j = 0; j < d; j++) largest = Math.max(largest, Math.abs(data[r * d + j]!))
    if (largest === 0) continue
    let total = 0
    for (let j = 0; j < d; j++) total += (data[r * d + j]! / largest) ** 2
    const length = largest * Math.sqrt(total)
    for (let j = 0; j < d; j++) unit[kept.length * d + j] = data[r * d + j]! / length
    kept.push(r)
  }
  return { unit: unit.slice(0, kept.length * d), source: Int32Array.from(kept) }
}
