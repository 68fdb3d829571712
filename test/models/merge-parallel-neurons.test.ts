import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { fromRows, matrix, mergeParallelNeurons, reluNetwork, toRows } from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { squaredNorm } from '../../src/numerics/vectors.ts'

describe('mergeParallelNeurons', () => {
  test.prop([fc.nat(), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 3 })])(
    'predicts the same everywhere with no more weight, one neuron a direction',
    (seed, width, outputs) => {
      const draws = random(seed)
      const normal = (count: number): Float64Array => Float64Array.from({ length: count }, () => draws.normal())
      const [W1, b1] = [normal(width * 2), normal(width)]
      // Every third neuron is the one before it, of another length.
      for (let j = 2; j < width; j += 3) {
        const factor = Math.exp(draws.normal())
        for (let f = 0; f < 2; f++) W1[2 * j + f] = factor * W1[2 * (j - 1) + f]!
        b1[j] = factor * b1[j - 1]!
      }
      const network = reluNetwork({
        W1: matrix(width, 2, W1),
        b1,
        W2: matrix(width, outputs, normal(width * outputs)),
        intercept: normal(outputs),
      })
      const merged = mergeParallelNeurons(network)
      expect(merged.width).toBe(width - Math.floor(width / 3))
      const X = matrix(20, 2, normal(40))
      const [before, after] = [network.predict(X).data, merged.predict(X).data]
      for (let k = 0; k < before.length; k++) expect(after[k]).toBeCloseTo(before[k]!, 9)
      const decay = ({ W1: first, b1: bias, W2 }: typeof network): number =>
        squaredNorm(first.data) + squaredNorm(bias) + squaredNorm(W2.data)
      expect(decay(merged)).toBeLessThanOrEqual(decay(network) * (1 + 1e-12))
    },
  )

  it('serves two outputs by one neuron, balanced, and leaves out what adds up to nothing', () => {
    const network = reluNetwork({
      W1: fromRows([
        [3, 0],
        [1, 0],
        [0, 1],
        [0, 1],
      ]),
      b1: new Float64Array(4),
      W2: fromRows([
        [1, 0],
        [0, -4],
        [2, 0],
        [-2, 0],
      ]),
      intercept: new Float64Array(2),
    })
    const { W1, W2 } = mergeParallelNeurons(network)
    const root = Math.sqrt(5)
    expect(toRows(W1)).toEqual([[expect.closeTo(root, 12), 0]])
    expect(toRows(W2)).toEqual([[expect.closeTo(3 / root, 12), expect.closeTo(-4 / root, 12)]])
  })
})
