import type { Activation } from './activation.ts'

/**
 * phi(u) = 1 / (1 + e^-u), 1/4-Lipschitz.
 *
 * Phi(v) = v ln v + (1 - v) ln(1 - v) on [0, 1], finite at both ends where its slope is not; Phi*(u) = ln(1 + e^u).
 */
export function sigmoid(): Activation {
  const value = (u: number): number => (u >= 0 ? 1 / (1 + Math.exp(-u)) : Math.exp(u) / (1 + Math.exp(u)))
  return {
    name: 'sigmoid',
    lipschitz: 1 / 4,
    value,
    // The largest number below 1 is 1 - 2^-53, and e^-745 the smallest above 0.
    inverse: (v) => Math.log(Math.max(v, Number.MIN_VALUE)) - Math.log(Math.max(1 - v, 2 ** -53)),
    potential: (v) => (v >= 0 && v <= 1 ? entropy(v) + entropy(1 - v) : Number.POSITIVE_INFINITY),
    conjugate: (u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u))),
    slope: (u) => value(u) * value(-u),
  }
}

/** p ln p */
function entropy(p: number): number {
  return p > 0 ? p * Math.log(p) : 0
}
