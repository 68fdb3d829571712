import type { Vector } from '../types.ts'
import { blockNorm } from './blocks.ts'

/**
 * The span of active rows b_k = s_k x_k (unit rows with a sign each), as an orthonormal basis Q and a triangular factor,
 * B' = Q'R, with the multipliers last accepted.
 *
 * A row is added by orthogonalisation and removed by plane rotations, each about 4 p d flops for p rows of d entries;
 * after many removals the basis is made anew, so that it does not drift.
 */
export interface ActiveSpan {
  readonly rows: Int32Array
  readonly size: number
  /** Takes out all rows. */
  clear(): void
  /** Whether a row is active. */
  has(row: number): boolean
  /** False when the row lies in the span already. */
  add(unit: Vector, row: number, sign: number): boolean
  /** Takes out the row at a place among `rows`; those behind it move up. */
  remove(place: number): void
  /** The multipliers for which the active rows hold with equality: R rho = -Q g. */
  solve(g: Vector, start: number): Vector
  /** Removes the rows with non-positive targets; false when there were none. */
  dropNegative(target: Vector): boolean
  /** Moves the multipliers to the target as far as they stay non-negative; true when a row had to leave. */
  walk(target: Vector): boolean
  /** Takes the target's multipliers as they are. */
  accept(target: Vector): void
  /** g - Q'Q g */
  residual(g: Vector, start: number, out: Vector): void
  /** An orthonormal basis of what is orthogonal to the span: d - size rows, where there is room for d. Lent until the span changes. */
  complement(): Vector
  /** Makes the basis anew when removals have cost it accuracy that its rows would notice; true when it did. */
  refresh(unit: Vector): boolean
}

/** A row adds a direction to the active ones when what is left of it (of norm one) is longer than this, unless told otherwise. */
const INDEPENDENCE = 1e-11
/** What is left of a row that is longer than this, after its part in the span is taken off, has lost a digit to rounding at most. */
const MUCH = 0.1
/** Rows nearer to dependent than this notice the rounding of a removal. */
const SENSITIVE = 1e-3
/** Removals after which the basis is made anew in any case. */
const REMOVALS = 64

/** Room for `most` rows of d entries, at most d. */
export function activeSpan(d: number, most: number = d, independence: number = INDEPENDENCE): ActiveSpan {
  const Q = new Float64Array(most * d)
  const R = new Float64Array(most * most)
  const rows = new Int32Array(most)
  const signs = new Int8Array(most)
  const rho = new Float64Array(most)
  const target = new Float64Array(most)
  const products = new Float64Array(most)
  const leaving = new Uint8Array(most)
  let size = 0
  let removals = 0

  const add = (unit: Vector, row: number, sign: number, multiplier: number): boolean => {
    if (size === most) return false
    const q = size * d
    for (let j = 0; j < d; j++) Q[q + j] = sign * unit[row * d + j]!
    for (let i = 0; i < size; i++) R[i * most + size] = 0
    // Gram-Schmidt twice is enough (Kahan), and once where much is left.
    let length = 0
    for (let pass = 0; pass < 2 && length < MUCH; pass++) {
      multiply(Q, size, d, Q, q, products)
      for (let i = 0; i < size; i++) R[i * most + size]! += products[i]!
      subtract(Q, size, d, products, Q, q)
      length = blockNorm(Q, q, d)
    }
    if (!(length > independence)) return false
    for (let j = 0; j < d; j++) Q[q + j]! /= length
    R[size * most + size] = length
    rows[size] = row
    signs[size] = sign
    rho[size] = multiplier
    size++
    return true
  }

  /** Takes column k out of R, and rotates what that leaves below the diagonal away. */
  const remove = (k: number): void => {
    for (let j = k; j + 1 < size; j++) {
      for (let i = 0; i <= j + 1; i++) R[i * most + j] = R[i * most + j + 1]!
      rows[j] = rows[j + 1]!
      signs[j] = signs[j + 1]!
      rho[j] = rho[j + 1]!
    }
    size--
    for (let i = k; i < size; i++) {
      const upper = i * most
      const lower = upper + most
      const a = R[upper + i]!
      const b = R[lower + i]!
      const length = Math.sqrt(a * a + b * b)
      const c = a / length
      const s = b / length
      R[upper + i] = length
      R[lower + i] = 0
      for (let j = i + 1; j < size; j++) {
        const x = R[upper + j]!
        const y = R[lower + j]!
        R[upper + j] = c * x + s * y
        R[lower + j] = c * y - s * x
      }
      for (let p = i * d, q = p + d; p < (i + 1) * d; p++, q++) {
        const x = Q[p]!
        const y = Q[q]!
        Q[p] = c * x + s * y
        Q[q] = c * y - s * x
      }
    }
    removals++
  }

  const removeLeaving = (): void => {
    for (let k = size - 1; k >= 0; k--) if (leaving[k]) remove(k)
  }

  return {
    rows,
    get size() {
      return size
    },
    clear() {
      size = 0
      removals = 0
    },
    has(row) {
      for (let k = 0; k < size; k++) if (rows[k] === row) return true
      return false
    },
    add: (unit, row, sign) => add(unit, row, sign, 0),
    remove,
    solve(g, start) {
      multiply(Q, size, d, g, start, products)
      for (let i = size - 1; i >= 0; i--) {
        let total = -products[i]!
        for (let k = i + 1; k < size; k++) total -= R[i * most + k]! * target[k]!
        target[i] = total / R[i * most + i]!
      }
      return target
    },
    dropNegative(wanted) {
      let any = false
      for (let k = 0; k < size; k++) {
        leaving[k] = wanted[k]! > 0 ? 0 : 1
        if (leaving[k]) any = true
      }
      if (any) removeLeaving()
      return any
    },
    walk(wanted) {
      let step = 1
      for (let k = 0; k < size; k++) if (!(wanted[k]! > 0)) step = Math.min(step, rho[k]! / (rho[k]! - wanted[k]!) || 0)
      let any = false
      for (let k = 0; k < size; k++) {
        const moved = rho[k]! + step * (wanted[k]! - rho[k]!)
        leaving[k] = !(wanted[k]! > 0) && !(moved > 1e-15 * Math.abs(wanted[k]!)) ? 1 : 0
        if (leaving[k]) any = true
        rho[k] = Math.max(0, moved)
      }
      if (any) removeLeaving()
      return any
    },
    accept(wanted) {
      for (let k = 0; k < size; k++) rho[k] = wanted[k]!
    },
    residual(g, start, out) {
      for (let j = 0; j < d; j++) out[j] = g[start + j]!
      // Twice where little is left, so that it is orthogonal to the span to rounding even then.
      const much = MUCH * blockNorm(out, 0, d)
      let length = 0
      for (let pass = 0; pass < 2 && length < much; pass++) {
        multiply(Q, size, d, out, 0, products)
        subtract(Q, size, d, products, out, 0)
        length = blockNorm(out, 0, d)
      }
    },
    complement() {
      // What is left of the unit vectors, the longest rest first; the rows of Q beyond the span hold it.
      const left = new Float64Array(d).fill(1)
      for (let k = 0; k < size * d; k++) left[k % d]! -= Q[k]! ** 2
      for (let row = size; row < d; row++) {
        let longest = 0
        for (let j = 1; j < d; j++) if (left[j]! > left[longest]!) longest = j
        const q = row * d
        Q.fill(0, q, q + d)
        Q[q + longest] = 1
        for (let pass = 0; pass < 2; pass++) {
          multiply(Q, row, d, Q, q, products)
          subtract(Q, row, d, products, Q, q)
        }
        const length = blockNorm(Q, q, d)
        for (let j = 0; j < d; j++) {
          Q[q + j]! /= length
          left[j]! -= Q[q + j]! ** 2
        }
      }
      return Q.subarray(size * d)
    },
    refresh(unit) {
      if (removals === 0) return false
      let shortest = 1
      for (let k = 0; k < size; k++) shortest = Math.min(shortest, R[k * most + k]!)
      if (removals < REMOVALS && shortest > SENSITIVE) return false
      const old = size
      size = 0
      removals = 0
      for (let k = 0; k < old; k++) add(unit, rows[k]!, signs[k]!, rho[k]!)
      return true
    },
  }
}

/** out_i = Q_i'g for the first `count` rows of Q, four at a time so that each entry of g is loaded once for four. */
export function multiply(Q: Vector, count: number, d: number, g: Vector, start: number, out: Vector): void {
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const a = i * d
    const b = a + d
    const c = b + d
    const e = c + d
    let sa = 0
    let sb = 0
    let sc = 0
    let se = 0
    for (let j = 0; j < d; j++) {
      const gj = g[start + j]!
      sa += Q[a + j]! * gj
      sb += Q[b + j]! * gj
      sc += Q[c + j]! * gj
      se += Q[e + j]! * gj
    }
    out[i] = sa
    out[i + 1] = sb
    out[i + 2] = sc
    out[i + 3] = se
  }
  for (; i < count; i++) {
    const a = i * d
    let sa = 0
    for (let j = 0; j < d; j++) sa += Q[a + j]! * g[start + j]!
    out[i] = sa
  }
}

/** out[start ..] -= sum_i weights_i Q_i over the first `count` rows, four at a time. */
function subtract(Q: Vector, count: number, d: number, weights: Vector, out: Vector, start: number): void {
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const a = i * d
    const b = a + d
    const c = b + d
    const e = c + d
    const wa = weights[i]!
    const wb = weights[i + 1]!
    const wc = weights[i + 2]!
    const we = weights[i + 3]!
    for (let j = 0; j < d; j++) out[start + j]! -= wa * Q[a + j]! + wb * Q[b + j]! + wc * Q[c + j]! + we * Q[e + j]!
  }
  for (; i < count; i++) {
    const a = i * d
    const wa = weights[i]!
    for (let j = 0; j < d; j++) out[start + j]! -= wa * Q[a + j]!
  }
}
