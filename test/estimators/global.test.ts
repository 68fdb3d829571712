import { describe, expect, it } from 'vitest'
import { type GlobalCertificate, ReluClassifier, ReluRegressor, toRows, verify } from '../../src/index.ts'
import { bent } from '../support/planted.ts'

const { X, y } = bent(60)
const rows = toRows(X)
const options = { program: 'relu', lambda: 0.02, gates: 10, gateOrder: 0 } as const

describe('an estimator with global: true', () => {
  const sampled = new ReluRegressor(options).train(rows, y)
  const global = new ReluRegressor({ ...options, global: true }).train(rows, y)

  it('is better than what its sampled gates allow, and proves that no network is better still', () => {
    const { primal, scope, verdict, relativeGap } = global.certificate as GlobalCertificate
    expect(primal).toBeLessThan(0.999 * sampled.certificate.primal)
    expect({ scope, verdict, status: global.status }).toEqual({ scope: 'network', verdict: 'proved', status: 'solved' })
    expect(relativeGap).toBeLessThanOrEqual(1e-6)
    expect(sampled.certificate.scope).toBe('program')
  })

  it('is a point of the program it rebuilds from the same rows', () => {
    const { program, network } = verify(global.program(rows, y), global.preparedNetwork)
    expect(program.primal).toBeCloseTo(global.certificate.primal, 10)
    expect(network).toBeCloseTo(global.certificate.primal, 10)
  })

  it('comes back from its file, verdict and all', () => {
    const json = JSON.parse(JSON.stringify(global))
    const back = ReluRegressor.load(json)
    expect(back.predict(rows)).toEqual(global.predict(rows))
    expect((back.certificate as GlobalCertificate).verdict).toBe('proved')
    expect(json.certificate).not.toHaveProperty('violations')
  })

  it('chooses lambda by cross-validation first, and takes two classes', async () => {
    const labels = y.map((value) => (value > 1 ? 'high' : 'low'))
    const stages = new Set<string>()
    const classifier = await new ReluClassifier({
      ...{ program: 'relu', gates: 10, gateOrder: 0, folds: 2, lambdaCount: 3, lambdaRatio: 0.05, global: true },
      loss: 'logistic',
    }).trainAsync(rows, labels, { onProgress: ({ phase }) => stages.add(phase) })
    expect(stages).toEqual(new Set(['cross-validation', 'training']))
    expect(classifier.certificate.scope).toBe('network')
    expect(classifier.crossValidation!.points.length).toBeGreaterThan(0)
  })

  it('is refused where there is no such training, in a sentence', () => {
    expect(() => new ReluRegressor({ global: true })).toThrow(
      /global is true, expected false with the gated-relu program/,
    )
    expect(() => new ReluRegressor({ ...options, lambda: 0, global: true })).toThrow(/lambda is 0, expected above 0/)
    const twice = y.map((value) => [value, -value])
    expect(() => new ReluRegressor({ ...options, global: true }).train(rows, twice)).toThrow(/2 outputs, expected one/)
  })
})
