import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chooseSolver,
  coneNewton,
  gatedReluProgram,
  groupL1,
  matrix,
  nystromNewton,
  reluProgram,
  sampleGates,
  solveSync,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { expectOverlap, expectSolved, inTwoPrecisions } from '../support/two-precisions.ts'

/** A program of n rows with noisy targets, in float32 and in float64. */
function pair(n: number, d: number, P: number, outputs: number, ratio: number, seed = 1) {
  const draws = random(seed)
  const X = matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => draws.normal()),
  )
  const y = matrix(
    n,
    outputs,
    Float64Array.from(
      { length: n * outputs },
      (_, k) => Math.max(0, X.data[Math.floor(k / outputs) * d + (k % outputs)]!) + 0.1 * draws.normal(),
    ),
  )
  return inTwoPrecisions(X, y, { gates: P, ratio, seed })
}

describe('nystromNewton', () => {
  it.each([0.3, 0.03, 0.003])('certifies the optimum that float64 solvers find, at %d lambda_max', (ratio) => {
    const { full, single } = pair(300, 8, 60, 2, ratio)
    const best = solveSync(full, { tolerance: 1e-8 }).certificate
    for (const landmarks of [30, 300]) {
      const found = solveSync(single, {
        solver: nystromNewton({ landmarks }),
        tolerance: 1e-3,
        maxIterations: 2000,
      })
      expectSolved(found, full, best)
    }
  })

  it('is what such programs are solved by unless another solver is asked for, and reaches the default gap', () => {
    const { single } = pair(120, 5, 20, 1, 0.05)
    expect(chooseSolver(single).name).toBe('nystrom-newton')
    expect(solveSync(single, { maxIterations: 5000 }).status).toBe('solved')
  })

  it('goes on from a start, which it never writes to', () => {
    const { single } = pair(200, 6, 40, 2, 0.02)
    const cold = solveSync(single, { tolerance: 1e-3 })
    const start = { coefficients: cold.coefficients.slice() }
    const closer = solveSync(single, { tolerance: 1e-4, start, maxIterations: 500 })
    expect(start.coefficients).toEqual(cold.coefficients)
    expect(closer.status).toBe('solved')
    expect(closer.certificate.primal).toBeLessThanOrEqual(cold.certificate.primal)
  })

  it('has a bound that no point is below, whatever the seed', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: -3, max: -0.1, noNaN: true }),
        (seed, exponent) => {
          const { full, single } = pair(60, 4, 12, 2, 10 ** exponent, seed)
          const found = solveSync(single, {
            tolerance: 1e-2,
            maxIterations: 60,
            solver: nystromNewton({ landmarks: 20 }),
          })
          const best = solveSync(full, { tolerance: 1e-9 }).certificate
          expectOverlap(found.certificate, best)
        },
      ),
      { numRuns: 10 },
    ))

  it('takes targets that are zero in one output, and columns of X that are', () => {
    const X = matrix(
      50,
      3,
      Float64Array.from({ length: 150 }, (_, k) => (k % 3 === 2 ? 0 : Math.sin(k * k))),
    )
    const y = matrix(
      50,
      2,
      Float64Array.from({ length: 100 }, (_, k) => (k % 2 === 0 ? 0 : Math.cos(k))),
    )
    const program = gatedReluProgram({
      X,
      y,
      gates: sampleGates(X, { count: 8, seed: 3 }),
      lambda: 1e-3,
      precision: 'float32',
    })
    const { status, coefficients } = solveSync(program, { tolerance: 1e-3, maxIterations: 500 })
    expect(status).toBe('solved')
    for (let k = 0; k < coefficients.length; k++)
      if (Math.floor(k / 3) % 2 === 0) expect(coefficients[k]).toBeCloseTo(0, 9)
  })

  it('refuses what it does not take, and landmarks that are none', () => {
    const { full, single } = pair(30, 3, 6, 2, 0.1)
    expect(nystromNewton().supports(full)).toMatch(/cannot; make the program with precision: 'float32'/)
    expect(nystromNewton().supports({ ...single, lambda: 0 })).toMatch(/lambda above 0/)
    const X = matrix(3, 1, Float64Array.of(1, 2, -1))
    const coned = reluProgram({ X, y: [1, 2, 3], gates: sampleGates(X), lambda: 0.1 })
    expect(nystromNewton().supports(coned)).toBe(
      'nystrom-newton needs one group a block and output and relu has cone-group-l1; use coneNewton().',
    )
    expect(coneNewton().supports(coned)).toBe(true)
    expect(nystromNewton().supports({ ...single, penalty: groupL1({ size: 6 }) })).toMatch(
      /one group a block and output/,
    )
    expect(() => nystromNewton({ landmarks: 0 })).toThrow(/landmarks is 0, expected a positive whole number/)
  })
})
