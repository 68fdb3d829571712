import type { Vector } from '../types.ts'

/** a'b */
export function dot(a: Vector, b: Vector): number {
  let total = 0
  for (let k = 0; k < a.length; k++) total += a[k]! * b[k]!
  return total
}

/** |a|_2^2 */
export function squaredNorm(a: Vector): number {
  return dot(a, a)
}

/** |a|_2 */
export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a))
}

/** |a - b|_2^2 */
export function squaredDistance(a: Vector, b: Vector): number {
  let total = 0
  for (let k = 0; k < a.length; k++) {
    const difference = a[k]! - b[k]!
    total += difference * difference
  }
  return total
}

/** out <- s a */
export function scaled(a: Vector, s: number, out: Vector = new Float64Array(a.length)): Vector {
  for (let k = 0; k < a.length; k++) out[k] = s * a[k]!
  return out
}

/** out <- a + s b */
export function plus(a: Vector, s: number, b: Vector, out: Vector = new Float64Array(a.length)): Vector {
  for (let k = 0; k < a.length; k++) out[k] = a[k]! + s * b[k]!
  return out
}

/** The largest entry, or 0 where none is above. */
export function largest(a: Vector): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, a[i]!)
  return most
}

/** True when every entry is finite. */
export function allFinite(a: Vector): boolean {
  for (let k = 0; k < a.length; k++) if (!Number.isFinite(a[k]!)) return false
  return true
}
