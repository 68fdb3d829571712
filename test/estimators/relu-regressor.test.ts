import fc from 'fast-check'
import { MatrixTransposeView, Matrix as MlMatrix, solve } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import {
  fromRows,
  gatedReluProgram,
  type MatrixLike,
  matrix,
  type PenaltyName,
  ReluClassifier,
  ReluRegressor,
  toRows,
  verify,
} from '../../src/index.ts'
import { bent, furthest } from '../support/planted.ts'

const quick = { gates: 20, lambda: 0.02 }
const { X, y } = bent(70)
const trained = new ReluRegressor(quick).train(X, y)

describe('ReluRegressor', () => {
  it('gives the same answer for every accepted form of the same numbers', () => {
    const rows = toRows(X)
    const expected = new ReluRegressor(quick).train(X, y).predict(X)
    const forms: Record<string, MatrixLike> = {
      'rows of numbers': rows,
      'Float64Array rows': rows.map((row) => Float64Array.from(row)),
      'a Matrix of ml-matrix': new MlMatrix(rows),
      'a view of ml-matrix': new MatrixTransposeView(new MlMatrix(rows).transpose()),
    }
    const targets: MatrixLike[] = [y, Float64Array.from(y), y.map((value) => [value]), MlMatrix.columnVector(y)]
    Object.entries(forms).forEach(([name, form], k) => {
      const regressor = new ReluRegressor(quick).train(form, targets[k]!)
      expect(regressor.predict(form), name).toEqual(expected)
      expect(regressor.score(form, targets[k]!)).toBe(new ReluRegressor(quick).train(X, y).score(X, y))
    })
  })

  it('writes to none of its inputs', () => {
    const given = toRows(X)
    const regressor = new ReluRegressor(quick).train(given, y)
    regressor.predict(given)
    regressor.score(given, y)
    expect(given).toEqual(toRows(bent(70).X))
    expect(y).toEqual(bent(70).y)
  })

  it('predicts what its network says', () => {
    const regressor = new ReluRegressor(quick).train(X, y)
    const fresh = bent(30, 2).X
    expect(regressor.predict(fresh)).toEqual([...regressor.network.predict(fresh).data])
    expect(regressor.network.kind).toBe('gated-relu-network')
    expect(regressor.network.width).toBeGreaterThan(0)
  })

  it('scores by R²: 1 - the residual over the variation', () => {
    const regressor = new ReluRegressor(quick).train(X, y)
    const fresh = bent(30, 2)
    const predicted = regressor.predict(fresh.X)
    const mean = fresh.y.reduce((a, b) => a + b) / 30
    const residual = fresh.y.reduce((total, value, r) => total + (value - predicted[r]!) ** 2, 0)
    const variation = fresh.y.reduce((total, value) => total + (value - mean) ** 2, 0)
    expect(regressor.score(fresh.X, fresh.y)).toBeCloseTo(1 - residual / variation, 12)
  })

  it('explains a bent surface that a line does not', () => {
    const train = bent(150, 3)
    const test = bent(200, 4)
    const regressor = new ReluRegressor({ gates: 80, lambda: 0.005 }).train(train.X, train.y)
    const withOne = (M: typeof X): MlMatrix => new MlMatrix(toRows(M).map((row) => [...row, 1]))
    const line = solve(withOne(train.X), MlMatrix.columnVector(train.y))
    const predicted = withOne(test.X).mmul(line).to1DArray()
    const mean = test.y.reduce((a, b) => a + b) / test.y.length
    const sum = (f: (value: number, r: number) => number): number => test.y.reduce((a, v, r) => a + f(v, r), 0)
    const lineScore = 1 - sum((v, r) => (v - predicted[r]!) ** 2) / sum((v) => (v - mean) ** 2)
    expect(lineScore).toBeLessThan(0.6)
    expect(regressor.score(test.X, test.y)).toBeGreaterThan(0.9)
  })

  it.each<PenaltyName>(['group-l1', 'joint-group-l1', 'l1', 'ridge', 'feature-group-l1'])(
    'hands out the problem it solved: the %s program has its certificate at its network',
    (penalty) => {
      const regressor = new ReluRegressor({ ...quick, penalty }).train(X, y)
      const program = gatedReluProgram(regressor.problem(X, y))
      const { program: certificate, network, difference } = verify(program, regressor.preparedNetwork)
      const { primal } = regressor.certificate
      expect(regressor.status).toBe('solved')
      expect(program.lambda).toBe(regressor.selectedLambda)
      expect(Math.abs(certificate.primal - primal)).toBeLessThan(1e-10 * primal)
      expect(certificate.relativeGap).toBeLessThan(1e-6)
      // Only with one group a neuron is the penalty the network's own weight decay.
      if (penalty === 'group-l1') {
        expect(network).toBeDefined()
        expect(Math.abs(difference!)).toBeLessThan(1e-10 * primal)
      }
    },
  )

  it('follows scaled and shifted columns and targets', () => {
    const scale = [3.7, 1e-3, 250]
    const shift = [12, -5, 1e4]
    const moved = (M: typeof X): number[][] => toRows(M).map((row) => row.map((x, j) => x * scale[j]! + shift[j]!))
    const settings = { gates: 20, lambda: 0.02, tolerance: 1e-10 }
    const plain = new ReluRegressor(settings).train(X, y)
    const other = new ReluRegressor(settings).train(
      moved(X),
      y.map((value) => 2.5 * value - 40),
    )
    const fresh = bent(40, 2).X
    const back = other.predict(moved(fresh)).map((value) => (value + 40) / 2.5)
    expect(furthest(back, plain.predict(fresh))).toBeLessThan(1e-6)
    expect(Math.abs(other.certificate.primal - plain.certificate.primal)).toBeLessThan(1e-9)
    expect(plain.network.width).toBeGreaterThan(3)
  })

  it('does not follow them without standardisation, and then trains on the numbers as they are', () => {
    const options = { ...quick, standardize: false }
    const regressor = new ReluRegressor(options).train(X, y)
    const doubled = toRows(X).map((row) => row.map((x) => 2 * x))
    const other = new ReluRegressor(options).train(doubled, y)
    expect(furthest(other.predict(doubled), regressor.predict(X))).toBeGreaterThan(1e-3)
    expect(regressor.problem(X, y).X.data).toEqual(X.data)
    expect([...regressor.problem(X, y).y.data]).toEqual(y)
    expect(regressor.network.toJSON()).toEqual(regressor.preparedNetwork.toJSON())
  })

  it('trains without a bias: the answer at the origin is then zero', () => {
    const regressor = new ReluRegressor({ ...quick, bias: false, standardize: false }).train(X, y)
    expect(regressor.predict([[0, 0, 0]])).toEqual([0])
    expect(new ReluRegressor(quick).train(X, y).predict([[0, 0, 0]])[0]).not.toBe(0)
  })

  it('trains several targets as it would train each alone at as many times the lambda', () => {
    const second = toRows(X).map(([a, b, c]) => Math.max(0, a! + b!) - c!)
    const targets = fromRows(y.map((value, r) => [value, second[r]!]))
    const settings = { gates: 15, tolerance: 1e-11 }
    const both = new ReluRegressor({ ...settings, lambda: 0.01 }).train(X, targets)
    const first = new ReluRegressor({ ...settings, lambda: 0.02 }).train(X, y)
    const other = new ReluRegressor({ ...settings, lambda: 0.02 }).train(X, second)
    const predicted = both.network.predict(X)
    expect([predicted.rows, predicted.columns]).toEqual([70, 2])
    const column = (k: number): number[] => toRows(predicted).map((row) => row[k]!)
    expect(furthest(column(0), first.predict(X))).toBeLessThan(1e-5)
    expect(furthest(column(1), other.predict(X))).toBeLessThan(1e-5)
    expect(both.score(X, targets)).toBeGreaterThan(0.9)
    expect(both.predict<number[]>(X)).toEqual(toRows(predicted))
    const alone = fromRows(y.map((value) => [value]))
    expect(new ReluRegressor(quick).train(X, alone).predict(X)).toEqual(new ReluRegressor(quick).train(X, y).predict(X))
    expect(() => both.score(X, y)).toThrow(/^score: y has 1 columns and the network 2 outputs/)
  })

  it('solves lambda 0 as least squares', () => {
    const regressor = new ReluRegressor({ gates: 3, lambda: 0 }).train(X, y)
    expect(regressor).toMatchObject({ status: 'solved', solver: 'least-squares', selectedLambda: 0 })
    const { stationarity, complementarity } = regressor.certificate
    expect(Math.max(stationarity, complementarity)).toBeLessThanOrEqual(1e-6)
  })

  it('has the zero network and predicts the mean at lambda_max and above', () => {
    const regressor = new ReluRegressor({ gates: 10, lambda: 1e3 }).train(X, y)
    expect(regressor.network.width).toBe(0)
    expect(regressor.status).toBe('solved')
    const mean = y.reduce((a, b) => a + b) / y.length
    expect(
      furthest(
        regressor.predict(X),
        y.map(() => mean),
      ),
    ).toBeLessThan(1e-12)
  })

  it('gives constant columns no weight, so that another value there changes no prediction', () => {
    const padded = toRows(X).map(([a, b, c]) => [a!, 7, b!, c!, 0])
    const regressor = new ReluRegressor(quick).train(padded, y)
    const { W1 } = regressor.network
    for (let j = 0; j < W1.rows; j++) expect([W1.data[5 * j + 1], W1.data[5 * j + 4]]).toEqual([0, 0])
    expect(regressor.score(padded, y)).toBeGreaterThan(0.9)
    const others = padded.map(([a, , b, c]) => [a!, -50, b!, c!, 1e3])
    expect(regressor.predict(others)).toEqual(regressor.predict(padded))
  })

  it('predicts a constant target, and the mean where every row is the same', () => {
    const same = new ReluRegressor({ gates: 10 }).train(
      X,
      y.map(() => 3.25),
    )
    expect(new Set(same.predict(X))).toEqual(new Set([3.25]))
    expect(same.status).toBe('solved')
    const rows = y.map(() => [1, 2])
    const blind = new ReluRegressor({ gates: 10, lambda: 1e-3 }).train(rows, y)
    const mean = y.reduce((a, b) => a + b) / y.length
    expect(blind.predict([[1, 2]])[0]).toBeCloseTo(mean, 12)
  })

  it('scores targets that do not vary as 1 when it predicts them and as 0 otherwise, however their mean rounds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), fc.constantFrom(0, 5, 7, 0.1, 1e-300)),
        fc.integer({ min: 1, max: 70 }),
        (value, count) => {
          const rows = toRows(X).slice(0, count)
          const same = rows.map(() => value)
          const exact = new ReluRegressor({ gates: 3, lambda: 0.1 }).train(rows, same)
          expect(exact.score(rows, same)).toBe(1)
          expect(trained.score(rows, same)).toBe(0)
          // What differs by rounding alone is the same, and a column that does not vary leaves R^2 to the others.
          const rounded = same.map((v, i) => v * (1 + (i % 2) * Number.EPSILON))
          expect([exact.score(rows, rounded), trained.score(rows, rounded)]).toEqual([1, 0])
        },
      ),
      {
        examples: [
          [5, 70],
          [7, 70],
          [5, 1],
          [0, 1],
        ],
        numRuns: 30,
      },
    )
    const two = fromRows(y.map((v) => [v, 7]))
    const both = new ReluRegressor({ gates: 15, lambda: 0.01 }).train(X, two)
    expect(both.score(X, two)).toBeGreaterThan(0.9)
    expect(both.score(X, two)).toBeLessThan(1)
  })

  it('has no lambda to choose where no feature varies, whatever the targets are far from, and says so at once', async () => {
    for (const far of [0, 1e3, 1e9]) {
      const rows = y.map(() => [1, 2])
      const targets = y.map((value) => value + far)
      const sentence = new RangeError(
        `train: no column of X varies over its ${y.length} rows, so there is nothing to predict from and no lambda to choose; pass a feature that differs from row to row.`,
      )
      expect(() => new ReluRegressor().train(rows, targets)).toThrow(sentence)
      await expect(new ReluRegressor().trainAsync(rows, targets)).rejects.toThrow(sentence)
      const labels = y.map((value) => (value > y[0]! ? 'up' : 'down'))
      expect(() => new ReluClassifier().train(rows, labels)).toThrow(sentence)
    }
  })

  it('gives the same network for the same seed, and another one for another', () => {
    const of = (seed: number): string => JSON.stringify(new ReluRegressor({ ...quick, seed }).train(X, y))
    expect(of(5)).toBe(of(5))
    expect(JSON.parse(of(6)).network).not.toEqual(JSON.parse(of(5)).network)
  })

  it('can be trained again on other data and forgets the first', () => {
    const regressor = new ReluRegressor(quick).train(X, y)
    const first = regressor.predict(X)
    const other = bent(50, 9)
    expect(regressor.train(other.X, other.y).predict(X)).not.toEqual(first)
    expect(regressor.train(X, y).predict(X)).toEqual(first)
  })

  it.each<[string, unknown, unknown, string]>([
    ['no rows', [], [], 'ReluRegressor: X is 0 x 0, expected at least one row and one column; pass the data.'],
    [
      'no columns',
      matrix(3, 0),
      [1, 2, 3],
      'ReluRegressor: X is 3 x 0, expected at least one row and one column; pass the data.',
    ],
    ['a target too few', [[1], [2]], [1], 'ReluRegressor: y has 1 rows and X has 2; pass one target per row.'],
    [
      'rows of unequal length',
      [[1, 2], [3]],
      [1, 2],
      'ReluRegressor: X has 1 entries in row 1 and 2 in row 0; pass rows of equal length.',
    ],
    [
      'NaN in X',
      [
        [1, 2],
        [3, Number.NaN],
      ],
      [1, 2],
      'ReluRegressor: X has NaN in row 1, column 1 (counted from 0); drop or impute the row.',
    ],
    [
      'Infinity in y',
      [[1], [2]],
      [1, Number.POSITIVE_INFINITY],
      'ReluRegressor: y has Infinity in row 1, column 0 (counted from 0); drop or impute the row.',
    ],
    [
      'a text in X',
      [[1], ['2']],
      [1, 2],
      'ReluRegressor: X has the text "2" in row 1, column 0, expected a number; pass numbers only.',
    ],
    [
      'a text in y',
      [[1], [2]],
      [1, '2'],
      'ReluRegressor: y has the text "2" at row 1, expected a number; pass numbers only.',
    ],
    [
      'a number for X',
      7,
      [1],
      'ReluRegressor: X is a number, expected a matrix; pass rows of numbers, an ml-matrix Matrix, or matrix(rows, columns, data).',
    ],
    [
      'nothing for y',
      [[1], [2]],
      undefined,
      'ReluRegressor: y is undefined, expected a matrix; pass rows of numbers, an ml-matrix Matrix, or matrix(rows, columns, data).',
    ],
  ])('refuses %s in one sentence', (_, rows, targets, sentence) => {
    const regressor = new ReluRegressor(quick)
    expect(() => regressor.train(rows as MatrixLike, targets as MatrixLike)).toThrow(sentence)
    expect(() => regressor.predict([[1]])).toThrow('it has not been trained')
  })

  it('says the same of a wrong call where it trains asynchronously, as a rejection', async () => {
    await expect(new ReluRegressor(quick).trainAsync([[1], [2]], [1])).rejects.toThrow(
      'ReluRegressor: y has 1 rows and X has 2; pass one target per row.',
    )
  })

  it('refuses rows to predict that have other columns than it was trained on', () => {
    const regressor = new ReluRegressor(quick).train(X, y)
    expect(() => regressor.predict([[1, 2]])).toThrow(
      'predict: X has 2 columns and the network reads 3; pass the features it was trained on.',
    )
    expect(() => regressor.predict([[1, 2, Number.NaN]])).toThrow('predict: X has NaN in row 0, column 2')
    expect(() => regressor.score([[1, 2, 3]], [1, 2])).toThrow('y has 2 rows and X has 1')
  })

  it('says that it has not been trained, whatever is asked of it', () => {
    const regressor = new ReluRegressor()
    const sentence = 'ReluRegressor: it has not been trained; call train(X, y) first.'
    for (const ask of [
      () => regressor.predict(X),
      () => regressor.score(X, y),
      () => regressor.problem(X, y),
      () => regressor.toJSON(),
      () => JSON.stringify(regressor),
      () => regressor.network,
      () => regressor.preparedNetwork,
      () => regressor.certificate,
      () => regressor.status,
      () => regressor.solver,
      () => regressor.iterations,
      () => regressor.selectedLambda,
      () => regressor.crossValidation,
    ])
      expect(ask).toThrow(sentence)
  })
})
