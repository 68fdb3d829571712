import { describe, expect, it } from 'vitest'
import { fromRows, gatedReluNetwork, loadModel, reluNetwork } from '../../src/index.ts'

const shared = {
  W1: fromRows([
    [1, 2],
    [3, -1],
  ]),
  b1: Float64Array.of(0, 1),
  W2: fromRows([[1], [-2]]),
  intercept: Float64Array.of(0.5),
}
const networks = [reluNetwork(shared), gatedReluNetwork({ ...shared, gates: shared.W1, gateBias: new Float64Array(2) })]

describe('a file whose sizes contradict its weights', () => {
  for (const network of networks)
    for (const field of ['features', 'outputs'])
      it(`is refused: ${network.kind} with another number of ${field}`, () => {
        const json = JSON.parse(JSON.stringify(network))
        expect(() => loadModel(json)).not.toThrow()
        expect(() => loadModel({ ...json, [field]: json[field] + 1 })).toThrow(/^loadModel: [^\n]+\.$/)
      })
})
