import { expect } from 'vitest'
import {
  type Certificate,
  type ConvexProgram,
  type GatedReluNetwork,
  gatedReluProgram,
  type LossChoice,
  lambdaMax,
  type Matrix,
  type Solution,
  sampleGates,
} from '../../src/index.ts'

/** One program, in float64 and with products of float32. */
export interface TwoPrecisions {
  readonly full: ConvexProgram<GatedReluNetwork>
  readonly single: ConvexProgram<GatedReluNetwork>
}

/** A gated program on P sampled gates at a ratio of lambda_max, in float64 and with products of float32. */
export function inTwoPrecisions(
  X: Matrix,
  y: Matrix,
  { gates: count, ratio, seed, loss }: { gates: number; ratio: number; seed: number; loss?: LossChoice },
): TwoPrecisions {
  const common = { X, y, gates: sampleGates(X, { count, seed }), ...(loss && { loss }) }
  const full = gatedReluProgram({ ...common, lambda: 1 })
  const lambda = ratio * lambdaMax(full)
  return { full: { ...full, lambda }, single: gatedReluProgram({ ...common, lambda, precision: 'float32' }) }
}

/** Neither certificate's bound is above what the other attains: both are of the same optimum. */
export function expectOverlap(found: Certificate, best: Certificate): void {
  expect(found.primal).toBeGreaterThanOrEqual(best.dual * (1 - 1e-9))
  expect(found.dual).toBeLessThanOrEqual(best.primal * (1 + 1e-9))
}

/** Solved, around the optimum of the float64 program, with a certificate that is that program's own. */
export function expectSolved(
  { status, certificate, coefficients }: Solution<GatedReluNetwork>,
  { loss, operator, penalty, lambda }: ConvexProgram,
  best: Certificate,
): void {
  expect(status).toBe('solved')
  expectOverlap(certificate, best)
  const own = loss.value(operator.apply(coefficients)) + lambda * penalty.value(coefficients)
  expect(Math.abs(certificate.primal - own)).toBeLessThan(1e-12 * own)
}
