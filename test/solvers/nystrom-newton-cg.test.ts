import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chooseSolver,
  gatedReluProgram,
  groupL1,
  type LossChoice,
  lambdaMax,
  logistic,
  matrix,
  nystromNewtonCg,
  sampleGates,
  softmax,
  solve,
  solveSync,
  squaredHinge,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

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
    const scores = Array.from({ length: outputs }, (_, k) => Math.max(0, X.data[r * d + (k % d)]!) + 0.3 * draws.normal())
    const best = scores.indexOf(Math.max(...scores))
    for (let k = 0; k < outputs; k++) y.data[r * outputs + k] = k === best ? 1 : choice.name === 'softmax' ? 0 : -1
  }
  const gates = sampleGates(X, { count: P, seed })
  const full = gatedReluProgram({ X, y, gates, lambda: 1, loss: choice })
  const lambda = ratio * lambdaMax(full)
  return {
    full: { ...full, lambda },
    single: gatedReluProgram({ X, y, gates, lambda, loss: choice, precision: 'float32' }),
  }
}

const losses = [softmax(), logistic(), squaredHinge()]

for (const choice of losses)
  describe(`nystromNewtonCg on ${choice.name}`, () => {
    it.each([0.3, 0.03, 0.003])('certifies the optimum that float64 solvers find, at %d lambda_max', (ratio) => {
      const { full, single } = pair(choice, 200, 6, 40, 3, ratio)
      const best = solveSync(full, { tolerance: 1e-8, maxIterations: 20_000 }).certificate
      for (const landmarks of [30, 200]) {
        const { certificate, status, coefficients } = solveSync(single, {
          solver: nystromNewtonCg({ landmarks }),
          tolerance: 1e-3,
          maxIterations: 5000,
        })
        expect(status).toBe('solved')
        expect(certificate.primal).toBeGreaterThanOrEqual(best.dual * (1 - 1e-9))
        expect(certificate.dual).toBeLessThanOrEqual(best.primal * (1 + 1e-9))
        // The certificate is the float64 program's own.
        const own = full.loss.value(full.operator.apply(coefficients)) + full.lambda * full.penalty.value(coefficients)
        expect(Math.abs(certificate.primal - own)).toBeLessThan(1e-12 * own)
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
            expect(found.certificate.dual).toBeLessThanOrEqual(best.primal * (1 + 1e-9))
            expect(found.certificate.primal).toBeGreaterThanOrEqual(best.dual * (1 - 1e-9))
          },
        ),
        { numRuns: 8 },
      ))
  })
