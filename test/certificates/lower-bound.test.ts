import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSolved } from '../../src/certificates/certify.ts'
import { lowerBound, withLowerBound } from '../../src/certificates/lower-bound.ts'
import {
  type Certificate,
  type ConvexProgram,
  certify,
  gatedReluProgram,
  globalCertificate,
  lambdaMax,
  matrix,
  reluProgram,
  sampleGates,
  solveSync,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

/** What a reader may rely on: an interval that is not empty, and a gap that is its length. */
function expectInterval({ primal, dual, gap, relativeGap }: Certificate): void {
  expect(dual).toBeLessThanOrEqual(primal)
  expect(gap).toBe(primal - dual)
  expect(relativeGap).toBe(gap === 0 ? 0 : gap / Math.max(Math.abs(primal), Math.abs(dual)))
}

/** Rows that are few, alike, or zero among them. */
const programs = fc
  .record({
    rows: fc.integer({ min: 1, max: 12 }),
    kind: fc.constantFrom('random', 'alike', 'zero'),
    family: fc.constantFrom(gatedReluProgram, reluProgram),
    bias: fc.constantFrom(false, true, 'unpenalised' as const),
    seed: fc.nat(1000),
  })
  .map(({ rows, kind, family, bias, seed }): ConvexProgram => {
    const draws = random(seed)
    const first = Float64Array.from({ length: 3 }, () => draws.normal())
    const X = matrix(rows, 3)
    for (let k = 0; k < X.data.length; k++)
      X.data[k] = kind === 'zero' ? 0 : kind === 'alike' ? first[k % 3]! : draws.normal()
    const y = Float64Array.from({ length: rows }, () => draws.normal())
    return family({ X, y, gates: sampleGates(X, { count: 8, seed }), lambda: 1, bias })
  })

describe('the interval of a certificate', () => {
  it('is never empty above lambda_max, where bound and objective are the same number but for rounding', () => {
    fc.assert(
      fc.property(programs, fc.constantFrom(1, 1 + 1e-12, 1.5, 100), (program, share) => {
        const at = { ...program, lambda: share * (lambdaMax(program) || 1) }
        expectInterval(certify(at, { coefficients: new Float64Array(at.operator.columns) }))
        expectInterval(solveSync(at).certificate)
      }),
    )
  })

  it('is never empty at the end of a solve, nor on the way', () => {
    fc.assert(
      fc.property(programs, fc.constantFrom(0.5, 0.1), (program, share) => {
        const at = { ...program, lambda: share * (lambdaMax(program) || 1) }
        const { certificate } = solveSync(at, {
          tolerance: 0,
          maxIterations: 30,
          checkEvery: 3,
          onProgress: (progress) => expectInterval(progress.certificate),
        })
        expectInterval(certificate)
      }),
      { numRuns: 30 },
    )
  })

  it('is never empty over all networks', () => {
    fc.assert(
      fc.property(
        programs.filter(({ name, neurons }) => name === 'relu' && neurons !== undefined),
        (program) => {
          const at = { ...program, lambda: 2 * (lambdaMax(program) || 1) }
          const coefficients = new Float64Array(at.operator.columns)
          expectInterval(globalCertificate(at, { coefficients }, { starts: 4, maxNodes: 50 }))
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('a bound above the objective', () => {
  it('solves nothing where it is above by more than the tolerance', () => {
    const certificate = { primal: 1, dual: 1 + 2e-6, gap: -2e-6, relativeGap: -2e-6, scope: 'program' as const }
    const residuals = { stationarity: 1, primalFeasibility: 0, dualFeasibility: 1, complementarity: 1 }
    expect(isSolved({ ...certificate, ...residuals }, 0.1, 1e-6)).toBe(false)
    expect(isSolved({ ...certificate, ...residuals }, 0.1, 1e-5)).toBe(true)
    // Squares of such targets are below the smallest numbers that keep their digits, and so are objectives and bounds.
    const X = matrix(
      12,
      2,
      Float64Array.from({ length: 24 }, (_, k) => Math.sin(k * k)),
    )
    const y = Float64Array.from({ length: 12 }, (_, r) => 1e-160 * Math.cos(3 * r))
    const program = gatedReluProgram({ X, y, gates: sampleGates(X, { count: 5, seed: 1 }), lambda: 1 })
    for (const share of [0.1, 0.01, 0.001]) {
      const at = { ...program, lambda: share * lambdaMax(program) }
      const { status, certificate } = solveSync(at, { maxIterations: 50 })
      if (status === 'solved') expect(Math.abs(certificate.relativeGap)).toBeLessThanOrEqual(1e-6)
    }
  })

  it.each([
    ['by rounding of the two', 1 + 1e-15, 1, 1, 1],
    ['by rounding at zero', 1e-20 + 1e-16, 1e-20, 1, 1e-20],
    ['of a negative one, by rounding', -1 + 1e-15, -1, 1, -1],
    ['by no more than 1e-9 of it', 1 + 0.9e-9, 1, 1, 1],
    ['by more', 1 + 2e-9, 1, 1, 1 + 2e-9],
    ['by much', 2, 1, 1, 2],
    ['that is zero, at a loss of zero', 1e-30, 0, 0, 1e-30],
    ['not at all', 0.5, 1, 1, 0.5],
    ['not a number', Number.NaN, 1, 1, Number.NaN],
  ])('%s', (_, bound, primal, lossAtZero, stated) => {
    expect(lowerBound(bound, primal, lossAtZero)).toBe(stated)
  })

  it('shows as a negative gap where it is no rounding', () => {
    const certificate = { primal: 1, dual: 0, gap: 1, relativeGap: 1 } as Certificate
    expect(withLowerBound(certificate, 1.25, 1)).toMatchObject({ dual: 1.25, gap: -0.25, relativeGap: -0.2 })
    expect(withLowerBound(certificate, 1 + 1e-15, 1)).toMatchObject({ dual: 1, gap: 0, relativeGap: 0 })
    expect(withLowerBound(certificate, 0, 1)).toBe(certificate)
  })
})
