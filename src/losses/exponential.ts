import type { Vector } from '../types.ts'

/** e^h - 1 - h, never negative: the series where the difference would cancel. */
export function expExcess(h: number): number {
  if (Math.abs(h) > 0.5) return Math.expm1(h) - h
  let tail = 1
  for (let k = 16; k > 2; k--) tail = 1 + (tail * h) / k
  return (tail * h * h) / 2
}

/** log(1 + e^m), without overflow. */
export function softplus(m: number): number {
  return Math.max(m, 0) + Math.log1p(Math.exp(-Math.abs(m)))
}

/** t log t, 0 at 0 and, for what rounding left below, beneath it. */
export function entropyTerm(t: number): number {
  return t > 0 ? t * Math.log(t) : 0
}

/** How far outside its domain a conjugate takes an argument for rounding; the argument is of order one. */
export const BOUNDARY = 1e-14

/** out <- e^{z_k - largest z}; returns their sum. */
export function exponentials(z: Vector, start: number, columns: number, out: Vector): number {
  const most = z[start + largest(z, start, columns)]!
  let total = 0
  for (let k = 0; k < columns; k++) total += out[k] = Math.exp(z[start + k]! - most)
  return total
}

/** The column of the largest entry of a row. */
export function largest(z: Vector, start: number, columns: number): number {
  let top = 0
  for (let k = 1; k < columns; k++) if (z[start + k]! > z[start + top]!) top = k
  return top
}
