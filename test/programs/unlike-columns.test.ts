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
