import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chooseSolver,
  groupL1,
  type LossChoice,
  logistic,
  matrix,
  nystromNewtonCg,
  softmax,
  solve,
  solveSync,
  squaredHinge,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { expectOverlap, expectSolved, inTwoPrecisions } from '../support/two-precisions.ts'

/** A program of n rows whose classes are those of a teacher's largest output, in float32 and in float64. */
function pair(choice: LossChoice, n: number, d: number, P: number, outputs: number, ratio: number, seed = 1) {
  const draws = random(seed)
  const X = matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => draws.normal()),
  )
  const y = matrix(n, outputs)
  for (let r = 0; r < n; r++) {
    const scores = Array.from(
      { length: outputs },
      (_, k) => Math.max(0, X.data[r * d + (k % d)]!) + 0.3 * draws.normal(),
    )
    const best = scores.indexOf(Math.max(...scores))
    for (let k = 0; k < outputs; k++) y.data[r * outputs + k] = k === best ? 1 : choice.name === 'softmax' ? 0 : -1
  }
  return inTwoPrecisions(X, y, { gates: P, ratio, seed, loss: choice })
}

const losses = [softmax(), logistic(), squaredHinge()]

for (const choice of losses)
  describe(`nystromNewtonCg on ${choice.name}`, () => {
    it.each([0.3, 0.03, 0.003])('certifies the optimum that float64 solvers find, at %d lambda_max', (ratio) => {
      const { full, single } = pair(choice, 200, 6, 40, 3, ratio)
      const best = solveSync(full, { tolerance: 1e-8, maxIterations: 20_000 }).certificate
      for (const landmarks of [30, 200]) {
        const found = solveSync(single, {
          solver: nystromNewtonCg({ landmarks }),
          tolerance: 1e-3,
          maxIterations: 5000,
        })
        expectSolved(found, full, best)
      }
    })

    it('has a bound that no point is below, whatever the seed', () =>
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 1e6 }),
          fc.double({ min: -3, max: -0.1, noNaN: true }),
          (seed, exponent) => {
            const { full, single } = pair(choice, 50, 4, 10, 2, 10 ** exponent, seed)
            const found = solveSync(single, {
              tolerance: 1e-2,
              maxIterations: 150,
              solver: nystromNewtonCg({ landmarks: 20 }),
            })
            const best = solveSync(full, { tolerance: 1e-9, maxIterations: 20_000 }).certificate
            expectOverlap(found.certificate, best)
          },
        ),
        { numRuns: 8 },
      ))
  })

describe('nystromNewtonCg', () => {
  it('is what such programs are solved by unless another solver is asked for, and reaches the default gap', () => {
    const { single } = pair(softmax(), 120, 5, 20, 3, 0.05)
    expect(chooseSolver(single).name).toBe('nystrom-newton-cg')
    expect(solveSync(single, { maxIterations: 5000 }).status).toBe('solved')
  })

  it('finds the optimum of the float64 program to 1e-6 of the objective', () => {
    for (const choice of losses) {
      const { full, single } = pair(choice, 100, 5, 15, 3, 0.03)
      const { certificate } = solveSync(single, { tolerance: 1e-7, maxIterations: 10_000, solver: nystromNewtonCg() })
      const best = solveSync(full, { tolerance: 1e-8 }).certificate
      expect(Math.abs(certificate.primal - best.primal)).toBeLessThan(1e-6 * best.primal)
    }
  })

  it('goes on from a start, which it never writes to', () => {
    const { single } = pair(softmax(), 200, 6, 40, 3, 0.02)
    const cold = solveSync(single, { tolerance: 1e-2 })
    const start = { coefficients: cold.coefficients.slice() }
    const closer = solveSync(single, { tolerance: 1e-3, start, maxIterations: 3000 })
    expect(start.coefficients).toEqual(cold.coefficients)
    expect(closer.status).toBe('solved')
    expect(closer.certificate.primal).toBeLessThanOrEqual(cold.certificate.primal)
    // The way from a start is not the way from nothing: no larger lambdas come first.
    expect(closer.iterations).toBeLessThan(solveSync(single, { tolerance: 1e-3, maxIterations: 3000 }).iterations)
  })

  it('comes down from the optimum of a much larger lambda in fewer steps than from nothing', () => {
    const { full, single } = pair(softmax(), 200, 6, 40, 3, 0.003)
    const far = { ...single, lambda: 30 * single.lambda }
    const start = solveSync(far, { tolerance: 1e-2 })
    const found = solveSync(single, { tolerance: 1e-3, start, maxIterations: 5000 })
    expectSolved(found, full, solveSync(full, { tolerance: 1e-8, maxIterations: 20_000 }).certificate)
    expect(found.iterations).toBeLessThan(solveSync(single, { tolerance: 1e-3, maxIterations: 5000 }).iterations)
  })

  it('goes on from a checkpoint', async () => {
    const { single } = pair(softmax(), 100, 5, 20, 3, 0.02)
    const folder = mkdtempSync(join(tmpdir(), 'cvxnn-'))
    try {
      const checkpoint = { file: join(folder, 'run.checkpoint') }
      const first = await solve(single, { checkpoint, maxIterations: 120, tolerance: 1e-4 })
      expect(first.status).toBe('iteration-limit')
      const second = await solve(single, { checkpoint, tolerance: 1e-4 })
      expect(second.status).toBe('solved')
      expect(second.certificate.primal).toBeLessThanOrEqual(first.certificate.primal)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('leaves rows of no weight out', () => {
    const { full, single } = pair(
      softmax({ sampleWeights: Array.from({ length: 90 }, (_, r) => (r % 3 === 0 ? 0 : 1)) }),
      90,
      4,
      12,
      3,
      0.05,
    )
    const { certificate, status } = solveSync(single, { tolerance: 1e-4, maxIterations: 2000 })
    const best = solveSync(full, { tolerance: 1e-8 }).certificate
    expect(status).toBe('solved')
    expect(Math.abs(certificate.primal - best.primal)).toBeLessThan(2e-4 * best.primal)
  })

  it('leaves a bound that holds wherever it is stopped', () => {
    const { full, single } = pair(softmax(), 100, 5, 20, 3, 0.01)
    const best = solveSync(full, { tolerance: 1e-8, maxIterations: 20_000 }).certificate
    for (const maxIterations of [1, 7, 40, 200]) {
      const { certificate } = solveSync(single, { tolerance: 1e-6, maxIterations })
      expectOverlap(certificate, best)
    }
  })

  it('refuses what it does not take, and landmarks that are none', () => {
    const { full, single } = pair(softmax(), 30, 3, 6, 3, 0.1)
    expect(nystromNewtonCg().supports(full)).toMatch(/cannot; make the program with precision: 'float32'/)
    expect(nystromNewtonCg().supports({ ...single, lambda: 0 })).toMatch(/lambda above 0/)
    expect(nystromNewtonCg().supports({ ...single, penalty: groupL1({ size: 9 }) })).toMatch(
      /one group a block and output/,
    )
    const { hessian: _, ...rough } = single.loss
    expect(nystromNewtonCg().supports({ ...single, loss: rough })).toMatch(/second derivatives/)
    expect(() => nystromNewtonCg({ landmarks: 0 })).toThrow(/landmarks is 0, expected a positive whole number/)
  })
})
