import type { Activation } from './activation.ts'

/**
 * phi(u) = tanh u.
 *
 * Phi(v) = ((1 + v) ln(1 + v) + (1 - v) ln(1 - v)) / 2 on [-1, 1], Phi*(u) = ln cosh u.
 */
export function tanh(): Activation {
  return {
    name: 'tanh',
    lipschitz: 1,
    value: Math.tanh,
    inverse: (v) => Math.atanh(Math.max(-LARGEST, Math.min(LARGEST, v))),
    potential: (v) => (v >= -1 && v <= 1 ? (half(v) + half(-v)) / 2 : Number.POSITIVE_INFINITY),
    // |u| - ln 2 + ln(1 + e^-2|u|) would cancel near zero.
    conjugate: (u) => (Math.abs(u) < 1 ? Math.log1p(2 * Math.sinh(u / 2) ** 2) : tail(Math.abs(u))),
    slope: (u) => 1 / Math.cosh(u) ** 2,
  }
}

/** The largest number below 1. */
const LARGEST = 1 - 2 ** -53

/** (1 + v) ln(1 + v) */
function half(v: number): number {
  return v > -1 ? (1 + v) * Math.log1p(v) : 0
}

/** ln cosh u for u well above zero. */
function tail(u: number): number {
  return u - Math.LN2 + Math.log1p(Math.exp(-2 * u))
}
