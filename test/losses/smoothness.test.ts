import { describe, expect, it } from 'vitest'
import { type LossChoice, type Matrix, matrix, type Vector } from '../../src/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../../src/losses/index.ts'

const sampleWeights = [1, 3, 0.5]
const sign = matrix(3, 1, Float64Array.of(1, -1, 1))
const oneHot = matrix(3, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1))
const amounts = matrix(3, 1, Float64Array.of(1, -2, 0.5))

/** A fit where row 1, the heaviest, curves most, and the direction in which it does. */
const cases: [LossChoice, Matrix, at: Vector, direction: Vector][] = [
  [squared({ sampleWeights }), amounts, amounts.data, Float64Array.of(0, 1, 0)],
  [huber({ sampleWeights }), amounts, amounts.data, Float64Array.of(0, 1, 0)],
  [logistic({ sampleWeights }), sign, new Float64Array(3), Float64Array.of(0, 1, 0)],
  [squaredHinge({ sampleWeights }), sign, new Float64Array(3), Float64Array.of(0, 1, 0)],
  // Two classes equally likely, the third not at all.
  [
    softmax({ sampleWeights }),
    oneHot,
    Float64Array.of(0, 0, 0, 0, 0, -100, 0, 0, 0),
    Float64Array.of(0, 0, 0, Math.SQRT1_2, -Math.SQRT1_2, 0, 0, 0, 0),
  ],
]

describe('no smaller constant than the smoothness bounds the curvature', () => {
  for (const [choice, targets, at, direction] of cases)
    it(`of ${choice.name}`, () => {
      const loss = choice.over(targets)
      const h = 1e-3
      const curvature =
        (2 *
          loss.divergence(
            at.map((value, k) => value + h * direction[k]!),
            at,
          )) /
        h ** 2
      expect(curvature / loss.smoothness).toBeCloseTo(1, 6)
    })
})
