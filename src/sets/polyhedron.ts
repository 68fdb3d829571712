import type { Matrix, Vector } from '../types.ts'

/** A bound counts as met when it is missed by no more than this, relative to the largest length at hand. */
const VIOLATION = 1e-14
/** A row adds a direction to the active ones when what is left of it (of norm one) is longer than this. */
const INDEPENDENCE = 1e-11

/**
 * The point of { w : B w >= b } nearest to c, or undefined when no w meets the bounds. Rows of B have norm one.
 *
 * The dual active-set method of Goldfarb and Idnani 1983, Math. Program. 27: from w = c, the bound that is missed most
 * enters, w and the multipliers move together to meet it, and a row whose multiplier reaches zero on the way leaves. A row
 * that depends on the active ones moves the multipliers alone; when none of them can leave, the bounds contradict each
 * other. At most d rows are active; cost n d to find an entering row and p^2 d to set up p active ones.
 */
export function nearestPoint(B: Matrix, b: Vector, c: Vector): Vector | undefined {
  const { rows: n, columns: d, data } = B
  const w = c.slice()
  // active, rho: rows held with equality and their multipliers · Q, R: B_active' = Q R, columns of Q orthonormal
  const active: number[] = []
  const rho: number[] = []
  const Q: Vector[] = []
  const R: number[][] = []
  const size = Math.max(
    norm(c),
    b.reduce((most, bound) => Math.max(most, Math.abs(bound)), 0),
  )
  const slack = (k: number): number => {
    let total = -b[k]!
    for (let j = 0; j < d; j++) total += data[k * d + j]! * w[j]!
    return total
  }
  /** Row k as Q coordinates and what is left of it; Gram-Schmidt twice is enough (Kahan). */
  const split = (k: number): { along: number[]; rest: Vector } => {
    const rest = data.slice(k * d, (k + 1) * d)
    const along = new Array<number>(Q.length).fill(0)
    for (let pass = 0; pass < 2; pass++)
      Q.forEach((q, i) => {
        let total = 0
        for (let j = 0; j < d; j++) total += q[j]! * rest[j]!
        along[i]! += total
        for (let j = 0; j < d; j++) rest[j]! -= total * q[j]!
      })
    return { along, rest }
  }
  const append = (k: number): void => {
    const { along, rest } = split(k)
    const length = norm(rest)
    R.push([...along, length])
    Q.push(rest.map((entry) => entry / length))
  }
  /** R x = along */
  const backward = (along: ArrayLike<number>): number[] => {
    const x = Array.from(along)
    for (let i = x.length - 1; i >= 0; i--) {
      for (let k = i + 1; k < x.length; k++) x[i]! -= R[k]![i]! * x[k]!
      x[i]! /= R[i]![i]!
    }
    return x
  }
  const leave = (position: number): void => {
    const rest = active.splice(position).slice(1)
    rho.splice(position, 1)
    Q.length = position
    R.length = position
    for (const k of rest) {
      append(k)
      active.push(k)
    }
  }

  const limit = 50 * (n + d + 10)
  for (let round = 0; round < limit; round++) {
    let entering = -1
    let worst = -VIOLATION * Math.max(size, norm(w))
    for (let k = 0; k < n; k++) {
      const s = slack(k)
      if (s < worst && !active.includes(k)) {
        worst = s
        entering = k
      }
    }
    if (entering < 0) return w
    let multiplier = 0
    for (;;) {
      const { along, rest } = split(entering)
      const length = norm(rest)
      const direction = backward(along)
      let blocking = -1
      let step = Number.POSITIVE_INFINITY
      direction.forEach((r, i) => {
        if (r > 0 && rho[i]! / r < step) {
          step = rho[i]! / r
          blocking = i
        }
      })
      const independent = length > INDEPENDENCE && active.length < d
      const full = independent ? -slack(entering) / (length * length) : Number.POSITIVE_INFINITY
      const moved = Math.min(step, full)
      if (moved === Number.POSITIVE_INFINITY) return undefined
      for (let i = 0; i < rho.length; i++) rho[i]! -= moved * direction[i]!
      multiplier += moved
      if (independent) for (let j = 0; j < d; j++) w[j]! += moved * rest[j]!
      if (full <= step) {
        append(entering)
        active.push(entering)
        rho.push(multiplier)
        // Afresh from the active rows, so that rounding does not add up: w = c + Q (R'^-1 b - Q'c).
        w.set(c)
        const wanted: number[] = []
        active.forEach((k, i) => {
          let total = b[k]!
          for (let m = 0; m < i; m++) total -= R[i]![m]! * wanted[m]!
          wanted.push(total / R[i]![i]!)
        })
        Q.forEach((q, i) => {
          let total = wanted[i]!
          for (let j = 0; j < d; j++) total -= q[j]! * c[j]!
          for (let j = 0; j < d; j++) w[j]! += total * q[j]!
        })
        break
      }
      leave(blocking)
    }
  }
  return w
}

function norm(a: Vector): number {
  let total = 0
  for (let j = 0; j < a.length; j++) total += a[j]! * a[j]!
  return Math.sqrt(total)
}
