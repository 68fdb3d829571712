import type { Certificate } from '../types.ts'

/** What rounding may put a bound above the objective it bounds: a share of the two, and one of F(0). */
const ROUNDING = 1e-9
const ROUNDING_AT_ZERO = 1e-12

/**
 * A lower bound as a certificate states it: the objective itself where rounding has put the bound above that. What is further
 * above stays, and shows as a negative gap: then one of the two is wrong.
 */
export function lowerBound(bound: number, primal: number, lossAtZero: number): number {
  const excess = bound - primal
  const rounding = Math.max(
    ROUNDING * Math.max(Math.abs(primal), Math.abs(bound)),
    ROUNDING_AT_ZERO * Math.abs(lossAtZero),
  )
  return excess > 0 && excess <= rounding ? primal : bound
}

/** A certificate with another lower bound of the same optimum. */
export function withLowerBound(certificate: Certificate, bound: number, lossAtZero: number): Certificate {
  if (bound === certificate.dual) return certificate
  const { primal } = certificate
  const dual = lowerBound(bound, primal, lossAtZero)
  const gap = primal - dual
  return { ...certificate, dual, gap, relativeGap: gap === 0 ? 0 : gap / Math.max(Math.abs(primal), Math.abs(dual)) }
}
