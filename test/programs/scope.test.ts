import { describe, expect, it } from 'vitest'
import { enumerateGates, fromRows, gatedReluProgram, gatesOf, reluNetwork, reluProgram } from '../../src/index.ts'

const X = fromRows([
  [1, 0.2],
  [-0.4, 1],
  [0.3, -0.7],
  [-1, -0.5],
])
const y = [1, -1, 0.5, 0]
const lambda = 0.1

describe('the scope of a lower bound', () => {
  for (const make of [gatedReluProgram, reluProgram]) {
    const { name } = make({ X, y, gates: enumerateGates(X), lambda })
    it(`of ${name} is the network when every pattern of its neurons is there`, () => {
      expect(make({ X, y, gates: enumerateGates(X), lambda }).scope).toBe('network')
      expect(make({ X, y, gates: enumerateGates(X, { bias: true }), lambda, bias: true }).scope).toBe('network')
      expect(make({ X, y, gates: enumerateGates(X), lambda, bias: 'unpenalised' }).scope).toBe('network')
    })
    it(`of ${name} is the program when neurons have a bias and the gates none, or some gates are left out`, () => {
      expect(make({ X, y, gates: enumerateGates(X), lambda, bias: true }).scope).toBe('program')
      const all = make({ X, y, gates: enumerateGates(X), lambda })
      expect(all.restrict!(Int32Array.of(0, 1)).scope).toBe('program')
    })
  }

  it('is not kept by gates that a network with biases was added to', () => {
    const ones = fromRows([[1, -1]])
    const network = reluNetwork({
      W1: ones,
      b1: Float64Array.of(0.3),
      W2: fromRows([[1]]),
      intercept: new Float64Array(1),
    })
    expect(gatesOf(network, X, enumerateGates(X)).exhaustive).toBe(false)
    expect(gatesOf({ ...network, b1: new Float64Array(1) }, X, enumerateGates(X)).exhaustive).toBe(true)
  })
})
