import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  enumerateGates,
  fromRows,
  matrix,
  mergeNeurons,
  type ReluNetwork,
  reluNetwork,
  reluProgram,
  solveSync,
  toRows,
  verify,
} from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { squaredNorm } from '../../src/numerics/vectors.ts'
import { furthest } from '../support/planted.ts'

function made(seed: number, width: number, outputs: number): { network: ReluNetwork; X: ReturnType<typeof matrix> } {
  const draws = random(seed)
  const normal = (rows: number, columns: number): ReturnType<typeof matrix> =>
    matrix(
      rows,
      columns,
      Float64Array.from({ length: rows * columns }, () => draws.normal()),
    )
  const W2 = normal(width, outputs)
  // Some neurons serve one output, some all.
  for (let j = 0; j < width; j++)
    if (j % 3 > 0) for (let k = 0; k < outputs; k++) if (k !== j % outputs) W2.data[j * outputs + k] = 0
  const weights = { W1: normal(width, 2), b1: normal(width, 1).data, W2, intercept: normal(outputs, 1).data }
  return { network: reluNetwork(weights), X: normal(6, 2) }
}

const decay = ({ W1, b1, W2 }: ReluNetwork): number => squaredNorm(W1.data) + squaredNorm(b1) + squaredNorm(W2.data)

describe('mergeNeurons', () => {
  test.prop([fc.nat(), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 3 })])(
    'predicts the same on X with no more neurons and no more weight, and once is enough',
    (seed, width, outputs) => {
      const { network, X } = made(seed, width, outputs)
      const merged = mergeNeurons(network, X)
      expect(furthest(merged.predict(X).data, network.predict(X).data)).toBeLessThan(1e-7)
      expect(merged.width).toBeLessThanOrEqual(network.width)
      expect(decay(merged)).toBeLessThanOrEqual(decay(network) * (1 + 1e-12))
      expect(mergeNeurons(merged, X).width).toBe(merged.width)
    },
  )

  it('leaves as many neurons as there are patterns and signs, of a network with many', () => {
    const { network, X } = made(1, 400, 1)
    const patterns = enumerateGates(X, { bias: true }).count
    const off = Array.from({ length: network.width }, (_, j) => j).filter((j) =>
      toRows(X).every(
        ([a, b]) => network.W1.data[2 * j]! * a! + network.W1.data[2 * j + 1]! * b! + network.b1[j]! <= 0,
      ),
    )
    expect(off.length).toBeLessThan(200)
    expect(mergeNeurons(network, X).width).toBeLessThanOrEqual(2 * patterns + off.length)
  })

  it('makes of an optimum one with fewer neurons that is as good', () => {
    const draws = random(7)
    const rows = Array.from({ length: 30 }, () => [2 * draws.uniform() - 1])
    const X = fromRows(rows)
    const y = rows.map(([x]) => Math.sin(4 * x!) + 0.1 * draws.normal())
    const program = reluProgram({ X, y, gates: enumerateGates(X, { bias: true }), bias: true, lambda: 0.001 })
    const { model, certificate } = solveSync(program, { tolerance: 1e-9 })
    const merged = mergeNeurons(model, X)
    expect(merged.width).toBeLessThan(model.width)
    const { network, lowerBound } = verify(program, merged)
    expect(network! / certificate.primal).toBeCloseTo(1, 8)
    expect(network! - lowerBound).toBeLessThan(1e-6 * network!)
  })

  it('refuses other data, and a tolerance that is none', () => {
    const { network } = made(1, 3, 1)
    expect(() => mergeNeurons(network, matrix(2, 3))).toThrow(
      'mergeNeurons: X has 3 columns and the network reads 2; pass the data it was trained on.',
    )
    expect(() => mergeNeurons(network, matrix(2, 2), { tolerance: -1 })).toThrow('mergeNeurons: tolerance is -1')
    expect(() => mergeNeurons(network, fromRows([[1, Number.NaN]]))).toThrow(
      'mergeNeurons: X has NaN in row 0, column 1',
    )
  })
})
