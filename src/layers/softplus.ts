import type { Activation } from './activation.ts'

/**
 * phi(u) = ln(1 + e^u), a smooth ReLU.
 *
 * Phi*(u) = -Li2(-e^u) with Li2(x) = sum_k x^k / k^2, and Phi(v) = v s - Phi*(s) at s = ln(e^v - 1), for v >= 0.
 */
export function softplus(): Activation {
  const value = (u: number): number => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)))
  const inverse = (v: number): number => (v > 0 ? v + Math.log(-Math.expm1(-v)) : Math.log(Number.MIN_VALUE))
  return {
    name: 'softplus',
    lipschitz: 1,
    value,
    inverse,
    potential: (v) => (v > 0 ? v * inverse(v) - conjugate(inverse(v)) : v === 0 ? 0 : Number.POSITIVE_INFINITY),
    conjugate,
    slope: (u) => (u >= 0 ? 1 / (1 + Math.exp(-u)) : Math.exp(u) / (1 + Math.exp(u))),
  }
}

/** -Li2(-e^u): below zero from a series in w = ln(1 + e^u), above by Li2(-x) + Li2(-1/x) = -pi^2/6 - ln(x)^2/2. */
function conjugate(u: number): number {
  if (u > 0) return Math.PI ** 2 / 6 + (u * u) / 2 - conjugate(-u)
  // Li2(1 - e^-s) = sum_k B_k s^(k+1) / (k+1)! with the Bernoulli numbers, here at s = -w.
  const s = -Math.log1p(Math.exp(u))
  let power = s * s * s
  let total = s - (s * s) / 4
  for (const coefficient of BERNOULLI) {
    total += coefficient * power
    power *= s * s
  }
  return -total
}

/** B_2k / (2k + 1)!: at |s| <= ln 2 the last one counts less than rounding. */
const BERNOULLI = [
  1 / 36,
  -1 / 3600,
  1 / 211680,
  -1 / 10886400,
  1 / 526901760,
  -691 / 16999766784000,
  1 / 1120863744000,
  -3617 / 181400588328960000,
]
