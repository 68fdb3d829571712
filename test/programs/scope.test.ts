import { describe, expect, it } from 'vitest'
import {
  enumerateGates,
  fromRows,
  gatedReluProgram,
  gatesFrom,
  gatesOf,
  reluNetwork,
  reluProgram,
  verify,
} from '../../src/index.ts'

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

  it('of several outputs is the program, and a neuron that serves two of them has no bound there', () => {
    // One neuron for both outputs pays 0.131; the one-vs-all program pays at least 0.18.
    const one = fromRows([[1]])
    const gates = gatesFrom([[1], [-1]], one, { exhaustive: true })
    const program = reluProgram({ X: one, y: fromRows([[1, 1]]), gates, lambda: 0.1 })
    const size = 1 - 0.1 * Math.SQRT2
    const out = Math.sqrt(size / Math.SQRT2)
    const weights = { W1: fromRows([[size / out]]), b1: new Float64Array(1), intercept: new Float64Array(2) }
    expect(program.scope).toBe('program')
    const shared = verify(program, reluNetwork({ ...weights, W2: fromRows([[out, out]]) }))
    expect(shared.network).toBeUndefined()
    expect(shared.program.primal).toBeGreaterThanOrEqual(shared.lowerBound)
    const single = verify(program, reluNetwork({ ...weights, W2: fromRows([[out, 0]]) }))
    expect(single.network).toBeGreaterThanOrEqual(single.lowerBound)
  })

  it('does not cover an output intercept that the program has no place for: such a network is refused', () => {
    const one = fromRows([[1]])
    const given = { X: one, y: [3], gates: gatesFrom([[1], [-1]], one, { exhaustive: true }), lambda: 0.1 }
    const empty = { W1: fromRows([[0]]), b1: new Float64Array(1), W2: fromRows([[0]]), intercept: Float64Array.of(3) }
    expect(() => verify(reluProgram(given), reluNetwork(empty))).toThrow(
      "embed: the network has an output intercept and the program none; make the program with bias: 'unpenalised'.",
    )
    expect(() => verify(reluProgram({ ...given, bias: 'unpenalised' }), reluNetwork(empty))).not.toThrow()
  })
})
