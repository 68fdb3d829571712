import { describe, expect, it } from 'vitest'
import { fromRows, loadModel, ReluClassifier, ReluRegressor, type TrainOptions, verify } from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'

const draws = random(4)
const rows = Array.from({ length: 60 }, () => [draws.normal(), draws.normal(), 3 + 2 * draws.normal()])
const X = fromRows(rows)
const y = rows.map(([a, b, c]) => Math.abs(a!) - b! + 0.2 * c!)
const two = rows.map(([a, b]) => (a! * b! > 0 ? 'same' : 'different'))
const three = rows.map(([a, b]) => (a! > 0.3 ? 'right' : b! > 0 ? 'up' : 'down'))
const common: TrainOptions = { gates: 30, lambda: 0.003, tolerance: 1e-8 }

describe('an estimator of either program and any loss', () => {
  for (const program of ['relu', 'gated-relu'] as const) {
    for (const loss of ['squared', 'huber'] as const)
      it(`regresses with ${program} and ${loss}: solved, verified, and the same from its file`, () => {
        const regressor = new ReluRegressor({ ...common, program, loss }).train(X, y)
        expect(regressor.status).toBe('solved')
        expect(regressor.score(X, y)).toBeGreaterThan(0.9)
        const seen = verify(regressor.program(X, y), regressor.preparedNetwork)
        expect(Math.abs(seen.program.primal - regressor.certificate.primal)).toBeLessThan(
          1e-10 * regressor.certificate.primal,
        )
        expect(Math.abs(seen.difference!)).toBeLessThan(1e-10 * seen.program.primal)
        const again = loadModel(JSON.stringify(regressor)) as ReluRegressor
        expect(again.predict(X)).toEqual(regressor.predict(X))
      })
    for (const loss of ['squared', 'logistic', 'squared-hinge', 'softmax'] as const)
      for (const [labels, count] of [
        [two, 2],
        [three, 3],
      ] as const)
        it(`classifies ${count} classes with ${program} and ${loss}: solved, verified, and the same from its file`, () => {
          const classifier = new ReluClassifier({ ...common, program, loss }).train(X, labels)
          expect(classifier.status).toBe('solved')
          expect(classifier.score(X, labels)).toBeGreaterThan(0.9)
          const seen = verify(classifier.program(X, labels), classifier.preparedNetwork)
          expect(Math.abs(seen.difference!)).toBeLessThan(1e-10 * seen.program.primal)
          const again = loadModel(JSON.stringify(classifier)) as ReluClassifier
          expect(again.predict(X)).toEqual(classifier.predict(X))
        })
  }

  it('refuses a loss of the other task, and penalties that the relu program cannot have', () => {
    expect(() => new ReluRegressor({ loss: 'logistic' })).toThrow(
      'ReluRegressor: loss is "logistic", expected one of squared, huber for regression.',
    )
    expect(() => new ReluClassifier({ loss: 'huber' })).toThrow(
      'ReluClassifier: loss is "huber", expected one of squared, ',
    )
    expect(() => new ReluRegressor({ program: 'relu', penalty: 'l1' })).toThrow(
      'ReluRegressor: penalty is "l1", expected ',
    )
  })
})
