import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  certify,
  coneDecomposition,
  fullyCorrective,
  gatedReluProgram,
  l1,
  lambdaMax,
  logistic,
  matrix,
  proximalGradient,
  reluProgram,
  sampleGates,
  solveSync,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

function made(n: number, d: number, outputs: number, seed: number) {
  const draws = random(seed)
  const X = matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => draws.normal()),
  )
  const y = matrix(
    n,
    outputs,
    Float64Array.from({ length: n * outputs }, () => draws.normal()),
  )
  return { X, y, gates: sampleGates(X, { count: 15, seed: seed + 1 }) }
}

describe('fullyCorrective', () => {
  it('reaches the optimum of gated and ReLU programs, every step feasible and none uphill', () => {
    for (const outputs of [1, 2]) {
      const given = made(40, 3, outputs, 2)
      const lambda = 0.1 * lambdaMax(gatedReluProgram({ ...given, lambda: 1 }))
      const programs: ConvexProgram[] = [gatedReluProgram({ ...given, lambda }), reluProgram({ ...given, lambda })]
      for (const program of programs) {
        const optimum = solveSync(program, { tolerance: 1e-8 }).certificate.primal
        const seen: number[] = []
        const { status, certificate } = solveSync(program, {
          solver: fullyCorrective(),
          tolerance: 1e-4,
          maxIterations: 500,
          onProgress: ({ certificate: { primal, primalFeasibility } }) => {
            seen.push(primal)
            expect(primalFeasibility).toBeLessThan(1e-12)
          },
        })
        expect(status).toBe('solved')
        expect(certificate.primal).toBeGreaterThan(optimum * (1 - 1e-7))
        expect(certificate.dual).toBeLessThan(optimum * (1 + 1e-7))
        for (let k = 1; k < seen.length; k++) expect(seen[k]).toBeLessThanOrEqual(seen[k - 1]! * (1 + 1e-9))
      }
    }
  })

  it('gives the blocks of a decomposition their best factors in one step', () => {
    const given = made(60, 5, 2, 4)
    const lambda = 0.05 * lambdaMax(gatedReluProgram({ ...given, lambda: 1 }))
    const { coefficients } = solveSync(gatedReluProgram({ ...given, lambda }))
    const program = reluProgram({ ...given, lambda })
    const split = coneDecomposition({ ...given, coefficients, outputs: 2 })
    const before = certify(program, split)
    const start = split.coefficients.slice()
    const after = solveSync(program, { solver: fullyCorrective(), start: split, maxIterations: 1 })
    expect(split.coefficients).toEqual(start)
    expect(after.certificate.primal).toBeLessThan(before.primal)
    expect(after.certificate.primalFeasibility).toBeLessThan(1e-12)
    const objective = (u: Float64Array): number =>
      program.loss.value(program.operator.apply(u)) + lambda * program.penalty.value(u)
    // No factor of any block near 1 is better.
    const size = 5
    for (let b = 0; b < start.length; b += size)
      for (const factor of [0.99, 1.01]) {
        const other = after.coefficients.map((entry, i) => (i >= b && i < b + size ? factor * entry : entry))
        expect(objective(other)).toBeGreaterThanOrEqual(after.certificate.primal * (1 - 1e-9))
      }
  })

  it('says what it does not take', () => {
    const given = made(20, 2, 1, 1)
    const labels = matrix(20, 1, given.y.data.map(Math.sign))
    expect(() => fullyCorrective({ keep: 0 })).toThrow(/keep is 0, expected a positive whole number/)
    expect(fullyCorrective().supports(gatedReluProgram({ ...given, lambda: 0.1, penalty: l1() }))).toMatch(
      /needs group norms/,
    )
    expect(
      fullyCorrective().supports(gatedReluProgram({ ...given, y: labels, lambda: 0.1, loss: logistic() })),
    ).toMatch(/needs the squared loss and gated-relu has logistic/)
    expect(proximalGradient().supports(gatedReluProgram({ ...given, lambda: 0.1, penalty: l1() }))).toBe(true)
  })
})
