import { type BitColumns, isSet } from '../numerics/bits.ts'
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
   */
  project(gate: number, v: Vector, start: number, out: Vector, outStart: number, active: ActiveRows): number
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
/** A row adds a direction to the active ones when what is left of it (of norm one) is longer than this. */
const INDEPENDENCE = 1e-11
/** Rows this close to the boundary, relative to the point, count as active there. */
const BOUNDARY = 1e-9

/**
 * The cones of X's patterns.
 *
 * Projection is min |v - g|^2 / 2 over B v >= 0, solved in its dual v = g + B'rho, rho >= 0, by an active-set method
 * (Lawson and Hanson 1974, NNLS) that keeps an orthonormal basis of the active rows: v is g less its part in their span.
 * At most d rows are active. Cost n d flops per change of the active set, and p^2 d to set up p active rows.
 */
export function activationCones(X: Matrix, patterns: BitColumns): ActivationCones {
  const d = X.columns
  const { unit, source } = unitRows(X)
  const n = source.length
  const sign = (gate: number, k: number): number => (isSet(patterns, source[k]!, gate) ? 1 : -1)
  const shared = activeSpan(d)
  const residual = new Float64Array(d)

  const rowProduct = (k: number, u: Vector, start: number): number => {
    let total = 0
    for (let j = 0, x = k * d; j < d; j++, x++) total += unit[x]! * u[start + j]!
    return total
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
  ): number => {
    let scale = 0
    for (let j = 0; j < d; j++) scale += v[start + j]! * v[start + j]!
    scale = Math.sqrt(scale)
    if (!(scale > 0)) {
      active.count = 0
      active.basis?.clear()
      out.fill(0, outStart, outStart + d)
      return 0
    }
    const tolerance = VIOLATION * scale
    // rho: multipliers of the active rows, all positive. A warm start keeps those rows whose multiplier comes out so.
    const span = active.basis ?? shared
    if (!active.basis) {
      span.clear()
      for (let k = 0; k < active.count; k++) span.add(unit, active.rows[k]!, sign(gate, active.rows[k]!))
    }
    for (;;) {
      const target = span.solve(v, start)
      if (!span.dropNegative(target, unit)) {
        span.accept(target)
        break
      }
    }
    const count = candidates ? candidates.length : n
    const limit = 10 * (d + 10) + count
    for (let round = 0; ; round++) {
      span.residual(v, start, residual)
      let worst = -tolerance
      let entering = -1
      if (span.size < d)
        for (let c = 0; c < count; c++) {
          const k = candidates ? candidates[c]! : c
          const product = rowProduct(k, residual, 0)
          const slack = isSet(patterns, source[k]!, gate) ? product : -product
          if (slack < worst && !span.has(k)) {
            worst = slack
            entering = k
          }
        }
      if (entering < 0 || round >= limit) break
      if (!span.add(unit, entering, sign(gate, entering))) break
      // Walk from the feasible rho towards the solution on the active rows; a multiplier that reaches zero leaves.
      for (;;) {
        const target = span.solve(v, start)
        if (!span.walk(target, unit)) break
      }
    }
    // What is left of a point in the polar cone is rounding, and not of the cone.
    let left = 0
    for (let j = 0; j < d; j++) left += residual[j]! * residual[j]!
    if (span.size === d || Math.sqrt(left) <= tolerance) residual.fill(0)
    active.count = span.size
    for (let k = 0; k < span.size; k++) active.rows[k] = span.rows[k]!
    let length = 0
    for (let j = 0; j < d; j++) {
      out[outStart + j] = residual[j]!
      length += residual[j]! * residual[j]!
    }
    return Math.sqrt(length)
  }

  const scratch = new Float64Array(d)
  const fresh = activeRows(d)
  return {
    dimension: d,
    rows: n,
    count: patterns.count,
    project: (gate, v, start, out, outStart, active) => project(gate, null, v, start, out, outStart, active),
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

/** The span of the active rows (an orthonormal basis Q with B_active' = Q'R) and the multipliers last accepted. */
export interface ActiveSpan {
  readonly rows: Int32Array
  readonly size: number
  clear(): void
  has(row: number): boolean
  /** False when the row lies in the span already. */
  add(unit: Vector, row: number, sign: number): boolean
  /** The multipliers for which the active rows hold with equality: R rho = -Q g. */
  solve(g: Vector, start: number): Vector
  /** Removes the rows with non-positive targets; false when there were none. */
  dropNegative(target: Vector, unit: Vector): boolean
  /** Moves the multipliers to the target as far as they stay non-negative; true when a row had to leave. */
  walk(target: Vector, unit: Vector): boolean
  accept(target: Vector): void
  /** g - Q'Q g */
  residual(g: Vector, start: number, out: Vector): void
}

function activeSpan(d: number): ActiveSpan {
  const Q = new Float64Array(d * d)
  const R = new Float64Array(d * d)
  const rows = new Int32Array(d)
  const signs = new Int8Array(d)
  const rho = new Float64Array(d)
  const target = new Float64Array(d)
  const column = new Float64Array(d)
  let size = 0

  const add = (unit: Vector, row: number, sign: number, multiplier: number): boolean => {
    if (size === d) return false
    const q = size * d
    for (let j = 0; j < d; j++) Q[q + j] = sign * unit[row * d + j]!
    for (let i = 0; i < size; i++) R[i * d + size] = 0
    // Gram-Schmidt twice is enough (Kahan).
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < size; i++) {
        let product = 0
        for (let j = 0; j < d; j++) product += Q[i * d + j]! * Q[q + j]!
        R[i * d + size]! += product
        for (let j = 0; j < d; j++) Q[q + j]! -= product * Q[i * d + j]!
      }
    let length = 0
    for (let j = 0; j < d; j++) length += Q[q + j]! * Q[q + j]!
    length = Math.sqrt(length)
    if (!(length > INDEPENDENCE)) return false
    for (let j = 0; j < d; j++) Q[q + j]! /= length
    R[size * d + size] = length
    rows[size] = row
    signs[size] = sign
    rho[size] = multiplier
    size++
    return true
  }

  /** Keeps the rows that `keep` says, with the basis made anew from the first one that leaves. */
  const retain = (unit: Vector, keep: (k: number) => boolean): void => {
    const old = size
    let first = 0
    while (first < old && keep(first)) first++
    size = first
    for (let k = first; k < old; k++) {
      if (!keep(k)) continue
      add(unit, rows[k]!, signs[k]!, rho[k]!)
    }
  }

  return {
    rows,
    get size() {
      return size
    },
    clear() {
      size = 0
    },
    has(row) {
      for (let k = 0; k < size; k++) if (rows[k] === row) return true
      return false
    },
    add: (unit, row, sign) => add(unit, row, sign, 0),
    solve(g, start) {
      for (let i = 0; i < size; i++) {
        let product = 0
        for (let j = 0; j < d; j++) product += Q[i * d + j]! * g[start + j]!
        column[i] = -product
      }
      for (let i = size - 1; i >= 0; i--) {
        let total = column[i]!
        for (let k = i + 1; k < size; k++) total -= R[i * d + k]! * target[k]!
        target[i] = total / R[i * d + i]!
      }
      return target
    },
    dropNegative(wanted, unit) {
      const leaving = new Uint8Array(size)
      let any = false
      for (let k = 0; k < size; k++)
        if (!(wanted[k]! > 0)) {
          leaving[k] = 1
          any = true
        }
      if (any) retain(unit, (k) => leaving[k] === 0)
      return any
    },
    walk(wanted, unit) {
      let step = 1
      for (let k = 0; k < size; k++) if (!(wanted[k]! > 0)) step = Math.min(step, rho[k]! / (rho[k]! - wanted[k]!) || 0)
      const leaving = new Uint8Array(size)
      let any = false
      for (let k = 0; k < size; k++) {
        const moved = rho[k]! + step * (wanted[k]! - rho[k]!)
        if (!(wanted[k]! > 0) && !(moved > 1e-15 * Math.abs(wanted[k]!))) {
          leaving[k] = 1
          any = true
        }
        rho[k] = Math.max(0, moved)
      }
      if (any) retain(unit, (k) => leaving[k] === 0)
      return any
    },
    accept(wanted) {
      for (let k = 0; k < size; k++) rho[k] = wanted[k]!
    },
    residual(g, start, out) {
      for (let j = 0; j < d; j++) out[j] = g[start + j]!
      // Twice, so that what is left is orthogonal to the span to rounding even when little is left.
      for (let pass = 0; pass < 2; pass++)
        for (let i = 0; i < size; i++) {
          let product = 0
          for (let j = 0; j < d; j++) product += Q[i * d + j]! * out[j]!
          for (let j = 0; j < d; j++) out[j]! -= product * Q[i * d + j]!
        }
    },
  }
}
