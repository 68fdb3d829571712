import { describe, expect, it } from 'vitest'
import { augmentedLagrangian, coneNewton, proximalGradient, solveSync, sweepSync } from '../../solvers/index.ts'
import { lambdaMax, reluProgram, sampleGates, squared } from '../../src/index.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'

describe('a ReLU program solved again', () => {
  const { normal } = random(3)
  const X = matrix(40, 5)
  X.data.set(X.data.map(normal))
  const y = Float64Array.from({ length: 40 }, normal)
  const made = reluProgram({ X, y, gates: sampleGates(X, { count: 20, seed: 1 }), lambda: 1, loss: squared() })
  const program = { ...made, lambda: 0.05 * lambdaMax(made) }

  for (const solver of [proximalGradient(), coneNewton(), augmentedLagrangian()])
    it(`ends at the same bits with ${solver.name}, stopped early or not`, () => {
      for (const maxIterations of [7, 60]) {
        const options = { solver, maxIterations, tolerance: 1e-9 }
        const first = solveSync(program, options)
        expect(solveSync(program, options).coefficients).toEqual(first.coefficients)
      }
    })

  it('has the same path to the last bit', () => {
    const path = () => [...sweepSync(program, { count: 5, ratio: 0.05 })].map(({ coefficients }) => coefficients)
    const first = path()
    expect(path()).toEqual(first)
  })
})
