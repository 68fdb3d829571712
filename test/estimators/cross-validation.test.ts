import { describe, expect, it } from 'vitest'
import {
  gatedReluProgram,
  kFolds,
  lambdaGrid,
  type Matrix,
  matrix,
  ReluClassifier,
  ReluRegressor,
  sampleGates,
} from '../../src/index.ts'
import { bent, rays } from '../support/planted.ts'

const quick = { gates: 15, gateOrder: 0, folds: 4, lambdaCount: 6, lambdaRatio: 0.01 }
const { X, y } = bent(60, 1, 0.4)

function rowsOf(M: Matrix, rows: Int32Array): Matrix {
  const chosen = matrix(rows.length, M.columns)
  rows.forEach((row, k) => {
    chosen.data.set(M.data.subarray(row * M.columns, (row + 1) * M.columns), k * M.columns)
  })
  return chosen
}

describe('cross-validation', () => {
  it('walks a geometric grid from lambda_max down and takes the smallest mean, the larger lambda of equals', () => {
    const regressor = new ReluRegressor(quick).train(X, y)
    const { points, selectedLambda } = regressor.crossValidation!
    const program = gatedReluProgram({ ...regressor.problem(X, y), lambda: 0 })
    expect(points.map(({ lambda }) => lambda)).toEqual(
      lambdaGrid(program, { count: 6, ratio: 0.01 }).slice(0, points.length),
    )
    const best = Math.min(...points.map(({ mean }) => mean))
    expect(points.find(({ mean }) => mean === best)!.lambda).toBe(selectedLambda)
    expect(regressor.selectedLambda).toBe(selectedLambda)
    expect(regressor.status).toBe('solved')
    // The zero network of lambda_max explains nothing: its loss is the variance.
    expect(points[0]!.mean).toBeGreaterThan(0.9)
    expect(best).toBeLessThan(0.6)
  })

  it('reports mean and standard error of the folds', () => {
    for (const { folds, mean, standardError } of new ReluRegressor(quick).train(X, y).crossValidation!.points) {
      expect(folds).toHaveLength(4)
      const average = folds.reduce((a, b) => a + b) / 4
      const variance = folds.reduce((a, b) => a + (b - average) ** 2, 0) / 3
      expect(mean).toBeCloseTo(average, 12)
      expect(standardError).toBeCloseTo(Math.sqrt(variance / 4), 12)
    }
  })

  it("chooses by the rule '1se' the largest lambda within a standard error of the smallest mean", () => {
    const finer = { ...quick, lambdaCount: 16 }
    const least = new ReluRegressor(finer).train(X, y)
    const simpler = new ReluRegressor({ ...finer, lambdaRule: '1se' }).train(X, y)
    const { points } = simpler.crossValidation!
    expect(points).toEqual(least.crossValidation!.points)
    const best = points.find(({ lambda }) => lambda === least.selectedLambda)!
    const within = points.filter(({ mean }) => mean <= best.mean + best.standardError)
    expect(simpler.selectedLambda).toBe(within[0]!.lambda)
    expect(simpler.selectedLambda).toBeGreaterThan(least.selectedLambda)
    expect(simpler.network.width).toBeLessThanOrEqual(least.network.width)
    expect(ReluRegressor.load(JSON.stringify(simpler)).toJSON()).toEqual(simpler.toJSON())
    // Files without a rule, as they were before there was a choice, are of the smallest mean.
    expect(least.toJSON().settings).not.toHaveProperty('lambdaRule')
    expect(ReluRegressor.load(JSON.stringify(least)).toJSON()).toEqual(least.toJSON())
  })

  it('is of gates drawn as differences of rows where that is asked for, and so is the network and its file', () => {
    const given = { ...quick, gateDraw: 'differences' } as const
    const drawn = new ReluRegressor(given).train(X, y)
    const normal = new ReluRegressor(quick).train(X, y)
    expect(drawn.crossValidation!.points).not.toEqual(normal.crossValidation!.points)
    const { gates, X: rows } = drawn.problem(X, y)
    expect(gates.vectors.data).toEqual(sampleGates(rows, { count: 15, bias: true, draw: 'differences' }).vectors.data)
    const file = drawn.toJSON()
    expect(file.settings).toMatchObject({ gateDraw: 'differences' })
    expect(ReluRegressor.load(JSON.stringify(file)).toJSON()).toEqual(file)
    // Files without it, as they were before there was a choice, are of normal gates.
    expect(normal.toJSON().settings).not.toHaveProperty('gateDraw')
    expect(ReluRegressor.load(JSON.stringify(normal)).toJSON()).toEqual(normal.toJSON())
  })

  it('judges every fold by rows that it was not trained on', () => {
    const { points } = new ReluRegressor(quick).train(X, y).crossValidation!
    const { lambda, folds } = points[3]!
    const targets = matrix(60, 1, Float64Array.from(y))
    const mean = y.reduce((a, b) => a + b) / 60
    const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / 60
    kFolds(60, { count: 4, seed: 1 }).forEach(({ train, validation }, f) => {
      const alone = new ReluRegressor({ gates: 15, lambda }).train(rowsOf(X, train), rowsOf(targets, train))
      const predicted = alone.predict(rowsOf(X, validation))
      const wrong = predicted.reduce((total, value, k) => total + (value - y[validation[k]!]!) ** 2, 0)
      // Folds are solved to a gap of a thousandth.
      expect(Math.abs(folds[f]! - wrong / validation.length / variance)).toBeLessThan(0.01 * folds[f]!)
    })
  })

  it('counts wrong labels for classes, in folds that have the classes in proportion', () => {
    const labels = rays(60, ['a', 'b', 'c']).labels.map((label, r) => (r % 7 === 0 ? 'b' : label))
    const classifier = new ReluClassifier(quick).train(rays(60, ['a', 'b', 'c']).X, labels)
    const { points } = classifier.crossValidation!
    for (const { folds } of points)
      for (const share of folds) expect(Math.abs(share * 15 - Math.round(share * 15))).toBeLessThan(1e-9)
    // The zero network says the commonest class: it errs on about the same share everywhere.
    expect(Math.max(...points[0]!.folds) - Math.min(...points[0]!.folds)).toBeLessThan(2.5 / 15)
    expect(Math.min(...points.map(({ mean }) => mean))).toBeLessThan(points[0]!.mean / 2)
  })

  it('is the same for the same seed, and has other folds for another', () => {
    const of = (seed: number): ReluRegressor => new ReluRegressor({ ...quick, seed }).train(X, y)
    const [once, again, other] = [of(3), of(3), of(4)]
    expect(again.toJSON()).toEqual(once.toJSON())
    expect(other.crossValidation!.points[0]!.folds).not.toEqual(once.crossValidation!.points[0]!.folds)
  })

  it('gives the same network as training with the lambda it chose', () => {
    const chosen = new ReluRegressor(quick).train(X, y)
    const given = new ReluRegressor({ ...quick, lambda: chosen.selectedLambda }).train(X, y)
    expect(given.predict(X)).toEqual(chosen.predict(X))
    expect(given.crossValidation).toBeUndefined()
    expect(given.selectedLambda).toBe(chosen.selectedLambda)
  })

  it('leaves out the rest of the grid when smaller lambdas have clearly become worse', () => {
    const noise = bent(60, 5, 20)
    const options = { gates: 30, folds: 4, lambdaCount: 30, lambdaRatio: 1e-4 }
    const { points, selectedLambda } = new ReluRegressor(options).train(noise.X, noise.y).crossValidation!
    expect(points.length).toBeLessThan(30)
    const best = points.find(({ lambda }) => lambda === selectedLambda)!
    expect(points.slice(-3).every(({ mean }) => mean > best.mean + best.standardError)).toBe(true)
  })

  it('chooses how many features enter a gate: one where targets bend along axes', () => {
    const rows = bent(80, 3).X
    const steps = Array.from(
      { length: 80 },
      (_, r) => Math.max(0, rows.data[r * rows.columns]!) - Math.abs(rows.data[r * rows.columns + 1]!),
    )
    const chosen = new ReluRegressor({ ...quick, gates: 30, gateOrder: 'cv' }).train(rows, steps)
    const orders = [0, 1, 2].map((gateOrder) =>
      new ReluRegressor({ ...quick, gates: 30, gateOrder }).train(rows, steps),
    )
    const least = orders.map(({ crossValidation }) => Math.min(...crossValidation!.points.map(({ mean }) => mean)))
    expect(chosen.selectedGateOrder).toBe(least.indexOf(Math.min(...least)))
    expect(chosen.selectedGateOrder).toBeGreaterThan(0)
    const { vectors, bias } = chosen.problem(rows, steps).gates
    expect(bias).toBe(true)
    for (let i = 0; i < vectors.rows; i++) {
      const gate = vectors.data.subarray(i * vectors.columns, (i + 1) * vectors.columns - 1)
      expect(gate.filter((value) => value !== 0).length).toBe(chosen.selectedGateOrder)
    }
    expect(chosen.predict(rows)).toEqual(orders[chosen.selectedGateOrder]!.predict(rows))
    expect(ReluRegressor.load(JSON.stringify(chosen)).selectedGateOrder).toBe(chosen.selectedGateOrder)
  })

  it('with a lambda that was given lets all features enter every gate, unless told otherwise', () => {
    const options = { gates: 15, lambda: 0.01 }
    expect(new ReluRegressor(options).train(X, y).selectedGateOrder).toBe(0)
    expect(new ReluRegressor({ ...options, gateOrder: 1 }).train(X, y).selectedGateOrder).toBe(1)
  })

  it('takes as many folds as rows at most', () => {
    const few = bent(4)
    const { points } = new ReluRegressor({ gates: 5, folds: 10, lambdaCount: 2 }).train(few.X, few.y).crossValidation!
    expect(points[0]!.folds).toHaveLength(4)
  })

  it('asks for two rows', () => {
    expect(() => new ReluRegressor().train([[1]], [1])).toThrow(
      'train: lambda is "cv" and X has one row, expected two at least to cross-validate on; pass lambda as a number.',
    )
  })
})
