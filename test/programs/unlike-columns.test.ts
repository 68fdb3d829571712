import { expect, it } from 'vitest'
import { augmentedLagrangian, solveSync } from '../../solvers/index.ts'
import { lambdaMax, reluProgram, sampleGates } from '../../src/index.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'

it('with columns from 1e-6 to 1e6, only points inside their cones up to rounding are returned as solved', () => {
  for (const seed of [1, 2, 3]) {
    const { normal } = random(seed)
    const X = matrix(30, 6)
    for (let r = 0; r < 30; r++) for (let j = 0; j < 6; j++) X.data[r * 6 + j] = normal() * 10 ** (-6 + (12 * j) / 5)
    const y = Float64Array.from({ length: 30 }, normal)
    const made = reluProgram({ X, y, gates: sampleGates(X, { count: 8, seed }), lambda: 1 })
    const program = { ...made, lambda: 0.1 * lambdaMax(made) }
    const found = solveSync(program, { solver: augmentedLagrangian(), maxIterations: 500 })
    if (found.status === 'solved') expect(found.certificate.primalFeasibility).toBeLessThanOrEqual(1e-12)
    const u = Float64Array.from({ length: program.operator.columns }, normal)
    const inside = program.penalty.domain!.project(u)
    expect(program.penalty.domain!.violation(inside)).toBeLessThanOrEqual(1e-12)
  }
})

it('a ReLU program takes X up to where its fourth powers leave float64, and refuses what is beyond by row and column', () => {
  const { normal } = random(1)
  const y = Float64Array.from({ length: 20 }, normal)
  const data = Float64Array.from({ length: 60 }, normal)
  const made = (scale: number): ReturnType<typeof reluProgram> => {
    const X = matrix(
      20,
      3,
      data.map((value) => scale * value),
    )
    return reluProgram({ X, y, gates: sampleGates(X, { count: 6 }), lambda: 0.1 * scale })
  }
  expect(solveSync(made(1e74), { timeLimit: 5 }).status).toBe('solved')
  expect(() => made(1e100)).toThrow(
    /^reluProgram: X has 5\.5e\+98 at row 0, column 0, expected at most 1e\+75 in absolute value, the powers of which float64 holds; divide the column by its largest entry\.$/,
  )
})
