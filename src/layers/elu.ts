import type { Activation } from './activation.ts'

/**
 * phi(u) = u for u >= 0 and e^u - 1 below.
 *
 * Phi(v) = v^2/2, below zero (1 + v) ln(1 + v) - v down to v = -1; Phi*(u) = u^2/2, below zero e^u - 1 - u.
 */
export function elu(): Activation {
  return {
    name: 'elu',
    lipschitz: 1,
    value: (u) => (u >= 0 ? u : Math.expm1(u)),
    // e^-745 is the smallest number above 0.
    inverse: (v) => (v >= 0 ? v : Math.max(-745, Math.log1p(Math.max(v, -1)))),
    potential: (v) =>
      v >= 0 ? (v * v) / 2 : v > -1 ? (1 + v) * Math.log1p(v) - v : v === -1 ? 1 : Number.POSITIVE_INFINITY,
    conjugate: (u) => (u >= 0 ? (u * u) / 2 : Math.expm1(u) - u),
    slope: (u) => (u >= 0 ? 1 : Math.exp(u)),
  }
}
