import { describe, expect, it } from 'vitest'
import {
  type ConvexProgram,
  gatedReluProgram,
  type LossChoice,
  lambdaMax,
  type Matrix,
  matrix,
  proximalGradient,
  reluProgram,
  sampleGates,
  solveSync,
} from '../../src/index.ts'
import { huber, logistic, softmax, squaredHinge } from '../../src/losses/index.ts'
import { random } from '../../src/numerics/random.ts'
import { type ConicLoss, conicHuber, conicLogistic, conicOptimum, conicSoftmax, conicSquaredHinge } from './conic.ts'

const n = 15
const draws = random(3)
const X = matrix(n, 2)
for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
const gates = sampleGates(X, { count: 5, seed: 2 })

/** One of `count` classes per row, mostly by where the row lies. */
const classes = (count: number): number[] =>
  Array.from({ length: n }, (_, r) =>
    draws.uniform() < 0.2 ? draws.below(count) : Math.floor(Math.abs(X.data[2 * r]! * 2)) % count,
  )

const signs = (columns: number): Matrix => {
  const y = matrix(n, columns)
  for (let k = 0; k < columns; k++)
    for (const [r, own] of classes(2).entries()) y.data[r * columns + k] = own === 1 ? 1 : -1
  return y
}

const oneHot = matrix(n, 3)
for (const [r, own] of classes(3).entries()) oneHot.data[r * 3 + own] = 1

/** A curve with outliers. */
const curve = matrix(n, 1)
for (let r = 0; r < n; r++) curve.data[r] = X.data[2 * r]! ** 2 + (r % 5 === 0 ? 8 : 0) + 0.1 * draws.normal()

const problems: [LossChoice, Matrix, ConicLoss][] = [
  [logistic(), signs(1), conicLogistic],
  [logistic(), signs(2), conicLogistic],
  [squaredHinge(), signs(1), conicSquaredHinge],
  [huber({ delta: 0.5 }), curve, conicHuber(0.5)],
  [softmax(), oneHot, conicSoftmax],
]

/** Compares the certified optimum with the conic one; measured, they differ by some 1e-9 at most. */
async function expectSame(program: ConvexProgram, y: Matrix, loss: ConicLoss): Promise<void> {
  const { status, certificate } = solveSync(program, { tolerance: 1e-9, solver: proximalGradient() })
  const conic = await conicOptimum(program, y, loss)
  expect(status).toBe('solved')
  expect(Math.abs(certificate.primal - conic)).toBeLessThanOrEqual(1e-8 * conic)
  expect(certificate.dual).toBeLessThanOrEqual(conic * (1 + 1e-8))
}

describe('an interior-point method finds the same optimum', () => {
  for (const [loss, y, conic] of problems)
    for (const bias of [false, 'unpenalised'] as const)
      it.each([0.3, 0.03])(
        `of gated programs with ${loss.name}, outputs: ${y.columns}, bias: ${bias}, at %s lambdaMax`,
        async (fraction) => {
          const program = gatedReluProgram({ X, y, gates, lambda: 1, loss, bias })
          await expectSame({ ...program, lambda: fraction * lambdaMax(program) }, y, conic)
        },
      )

  it('of a ReLU program with logistic, its cones written as inequalities', async () => {
    const y = problems[0]![1]
    const program = reluProgram({ X, y, gates, lambda: 1, loss: logistic() })
    await expectSame({ ...program, lambda: 0.1 * lambdaMax(program) }, y, conicLogistic)
  })
})
