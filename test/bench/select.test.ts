import { describe, expect, it } from 'vitest'
import { type Candidate, part, type Rows, rowScores, score, select } from '../../bench/select.ts'
import { ahead, measured, standing } from '../../bench/standing.ts'
import { encodeLabels, kFolds, matrix, ReluClassifier, ReluRegressor } from '../../src/index.ts'
import { bent, rays } from '../support/planted.ts'

const folds = 4
const path = { lambdaCount: 6, lambdaRatio: 0.01 }
const { X, y } = bent(60, 1, 0.4)
const rows: Rows = { task: 'regression', X, y: matrix(60, 1, Float64Array.from(y)) }

function candidate(order: number, loss: Candidate['loss'] = 'squared'): Candidate {
  return { program: 'gated-relu', loss, gates: 15, order, draw: 'normal', seed: 1 }
}

/** Chosen to the tolerances of the estimators. */
function chosen(from: Rows, candidates: readonly Candidate[], stratify?: readonly string[]): ReturnType<typeof select> {
  return select(from, {
    ...{ candidates, ...path, summary: 'mean', foldTolerance: 1e-3, tolerance: 1e-6, seconds: 60 },
    folds: kFolds(from.X.rows, { count: folds, seed: 1, ...(stratify && { stratify }) }),
  })
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
}

describe('what the benchmarks select', () => {
  it('for regression is what the estimator selects, with the same held-out losses', () => {
    const { best, judged, train } = chosen(rows, [candidate(0)])
    const regressor = new ReluRegressor({ gates: 15, gateOrder: 0, folds, ...path }).train(X, y)
    const { points } = regressor.crossValidation!
    expect(judged.map(({ lambda }) => lambda)).toEqual(points.map(({ lambda }) => lambda))
    judged.forEach(({ summary }, k) => {
      expect(-summary / variance(y) / points[k]!.mean).toBeCloseTo(1, 2)
    })
    expect(best.lambda).toBe(regressor.selectedLambda)
    const predicted = train().predict(X)
    regressor.predict(X).forEach((value, r) => {
      expect(predicted.data[r]).toBeCloseTo(value as number, 3)
    })
  })

  it('for classes is what the estimator selects, loss by loss', () => {
    const { X: points, labels } = rays(60, ['a', 'b', 'c'])
    const blurred = labels.map((label, r) => (r % 7 === 0 ? 'b' : label))
    const classes: Rows = { task: 'classification', X: points, y: encodeLabels(blurred).y }
    for (const loss of ['squared', 'logistic'] as const) {
      const { judged } = chosen(classes, [candidate(0, loss)], blurred)
      const classifier = new ReluClassifier({ gates: 15, gateOrder: 0, folds, loss, ...path }).train(points, blurred)
      const held = classifier.crossValidation!.points
      // One label of sixty may change sides between two solves to a gap of a thousandth.
      judged.forEach(({ lambda, summary }, k) => {
        expect(lambda).toBeCloseTo(held[k]!.lambda, 12)
        expect(Math.abs(1 - summary - held[k]!.mean)).toBeLessThan(1.5 / 60)
      })
    }
  })

  it('is the best of everything that was tried, the first of equals', () => {
    const candidates = [candidate(0), candidate(1), candidate(2)]
    const { best, judged } = chosen(rows, candidates)
    expect(best).toBe(judged.find(({ summary }) => summary === Math.max(...judged.map((one) => one.summary))))
    expect(new Set(judged.map(({ candidate }) => candidate))).toEqual(new Set(candidates))
    for (const { scores, summary } of judged) expect(summary).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / folds, 12)
  })

  it('never sees the rows it is judged by', () => {
    const [fold] = kFolds(60, { count: folds, seed: 1 })
    const { train, validation } = fold!
    const spoiled = rows.y.data.slice()
    for (const r of validation) spoiled[r] = 3 - 2 * spoiled[r]!
    const data: Rows = { ...rows, y: matrix(60, 1, spoiled) }
    const { best } = select(data, {
      ...{ candidates: [candidate(0)], folds: [fold!], lambdaCount: 1, lambdaRatio: 0.1, summary: 'mean', seconds: 60 },
      ...{ foldTolerance: 1e-8, tolerance: 1e-8 },
    })
    const known = part(rows, train)
    const alone = new ReluRegressor({ gates: 15, lambda: best.lambda, tolerance: 1e-8 }).train(known.X, known.y)
    const held = part(data, validation)
    const predicted = matrix(held.y.rows, 1, Float64Array.from(alone.predict(held.X) as number[]))
    expect(best.scores[0]).toBeCloseTo(score(predicted, held), 6)
  })
})

describe('scores', () => {
  it('count right classes by largest output or by sign, and squared errors', () => {
    const three = matrix(2, 3, Float64Array.of(0.2, 0.9, -1, 3, 1, 2))
    const truth = matrix(2, 3, Float64Array.of(-1, 1, -1, -1, -1, 1))
    expect(rowScores(three, { task: 'classification', y: truth })).toEqual([1, 0])
    const two = matrix(3, 1, Float64Array.of(0.1, -2, 4))
    expect(score(two, { task: 'classification', y: matrix(3, 1, Float64Array.of(1, 1, 1)) })).toBeCloseTo(2 / 3, 15)
    expect(rowScores(two, { task: 'regression', y: matrix(3, 1, Float64Array.of(0.1, 0, 1)) })).toEqual([-0, -4, -9])
  })

  it('become a metric with the interval of its mean, and a standing against a baseline', () => {
    const accuracy = measured([1, 1, 1, 0], 'classification')
    expect(accuracy.metric).toBe(0.75)
    // t(0.975, 3) = 3.1824, standard error 0.25.
    expect(accuracy.halfWidth).toBeCloseTo(3.182446 * 0.25, 5)
    const root = measured([-1, -4, -4], 'regression')
    expect(root.metric).toBeCloseTo(Math.sqrt(3), 14)
    expect(ahead(accuracy, 0.7, 'classification')).toBeCloseTo(0.05, 14)
    expect(ahead(root, 1, 'regression')).toBeCloseTo(1 - Math.sqrt(3), 14)
    expect(
      ['classification', 'regression'].map((task) =>
        standing({ metric: 0.5, halfWidth: 0.2 }, 0.6, task as 'classification'),
      ),
    ).toEqual(['within noise', 'better'])
    expect(standing({ metric: 0.5, halfWidth: 0.05 }, 0.6, 'classification')).toBe('worse')
    expect(standing({ metric: 0.666667, halfWidth: 0.05 }, 2 / 3, 'classification')).toBe('level')
  })
})
