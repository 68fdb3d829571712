import { describe, expect, it } from 'vitest'
import {
  type Certificate,
  gatedReluProgram,
  huber,
  lambdaMax,
  loadModel,
  logistic,
  type Matrix,
  matrix,
  ReluClassifier,
  ReluRegressor,
  reluProgram,
  sampleGates,
  solveSync,
  squared,
  squaredHinge,
} from '../../src/index.ts'
import { normals } from '../lifted/networks.ts'

const n = 16
const X = normals(n, 3, 1)
const y = Array.from({ length: n }, (_, i) => Math.abs(X.data[3 * i]!) - X.data[3 * i + 1]!)
const mapped = (change: (value: number, column: number) => number): Matrix =>
  matrix(
    n,
    3,
    X.data.map((value, k) => change(value, k % 3)),
  )

const scales = [1e-12, 1e-6, 1e6, 1e12]
const data: [string, Matrix, number[]][] = [
  ...scales.flatMap((s): [string, Matrix, number[]][] => [
    [`X times ${s}`, mapped((value) => s * value), y],
    [`y times ${s}`, X, y.map((value) => s * value)],
    [`X and y times ${s}`, mapped((value) => s * value), y.map((value) => s * value)],
  ]),
  ['columns of sizes 1e-12, 1 and 1e12', mapped((value, j) => value * [1e-12, 1, 1e12][j]!), y],
  ['two columns alike to 1e-10', mapped((value, j) => (j === 2 ? value * 1e-10 : value)), y],
  ['columns 1e8 from zero', mapped((value) => 1e8 + value), y],
  ['one row', matrix(1, 3, X.data.slice(0, 3)), [2]],
  ['one feature', matrix(n, 1, X.data.slice(0, n)), y],
  ['one row of one feature', matrix(1, 1, Float64Array.of(3)), [2]],
  ['targets that are all equal', X, y.map(() => 5)],
  ['targets of zero', X, y.map(() => 0)],
  ['a constant column', mapped((value, j) => (j === 1 ? 7 : value)), y],
  ['nothing but zeros', matrix(n, 3), y],
  [
    'every row four times',
    matrix(
      n,
      3,
      X.data.map((_, k) => X.data[k % 12]!),
    ),
    y,
  ],
]

/** A bound below an objective, both finite, and a status that the gap agrees with. */
function expectCertified({ status, certificate }: { status: string; certificate: Certificate }): void {
  const { primal, dual, relativeGap, stationarity } = certificate
  for (const figure of [primal, dual, relativeGap, stationarity]) expect(figure).not.toBeNaN()
  expect(Number.isFinite(primal)).toBe(true)
  expect(dual).toBeLessThanOrEqual(primal + 1e-9 * Math.abs(primal))
  if (status === 'solved') expect(relativeGap <= 1e-6 || stationarity <= 1e-6).toBe(true)
  else expect(['iteration-limit', 'time-limit', 'diverged']).toContain(status)
}

describe.each(data)('%s', (_, rows, targets) => {
  const limits = { gates: 8, gateOrder: 0, maxIterations: 300 }

  it('is solved on standardised columns, by either program, and comes back from its file', () => {
    for (const program of ['gated-relu', 'relu'] as const) {
      const estimator = new ReluRegressor({ ...limits, program, lambda: 0.01 }).train(rows, targets)
      expect(estimator.status).toBe('solved')
      expectCertified(estimator)
      const predicted = estimator.network.predict(rows).data
      expect(predicted.every(Number.isFinite)).toBe(true)
      const again = loadModel(JSON.stringify(estimator)) as ReluRegressor
      expect(again.network.predict(rows).data).toEqual(predicted)
    }
  })

  it.each([0, 1e-12, 1e300])('has a certificate at lambda %d, and raw', (lambda) => {
    expectCertified(new ReluRegressor({ ...limits, lambda }).train(rows, targets))
    expectCertified(new ReluRegressor({ ...limits, lambda, standardize: false }).train(rows, targets))
  })

  it('is solved raw, at a tenth of lambda_max, by either program', () => {
    for (const make of [gatedReluProgram, reluProgram]) {
      const gates = sampleGates(rows, { count: 6, seed: 1 })
      const program = make({ X: rows, y: targets, gates, lambda: 1 })
      const solution = solveSync<unknown>({ ...program, lambda: 0.1 * lambdaMax(program) }, { maxIterations: 2000 })
      expectCertified(solution)
    }
  })
})

describe('classes', () => {
  const signs = Array.from({ length: n }, (_, i) => (X.data[3 * i]! > 0 ? 'yes' : 'no'))
  it.each(scales)('of rows times %d are certified with every loss', (s) => {
    for (const loss of ['squared', 'logistic', 'squared-hinge'] as const) {
      const classifier = new ReluClassifier({ gates: 8, lambda: 0.01, loss: loss as never }).train(
        mapped((value) => s * value),
        signs,
      )
      expect(classifier.status).toBe('solved')
      expectCertified(classifier)
    }
  })

  it.each(scales)('raw, of rows times %d, are solved with every loss at a tenth of lambda_max', (s) => {
    const rows = mapped((value) => s * value)
    const targets = signs.map((sign) => (sign === 'yes' ? 1 : -1))
    for (const loss of [squared(), logistic(), squaredHinge(), huber()])
      for (const make of [gatedReluProgram, reluProgram]) {
        const gates = sampleGates(rows, { count: 6, seed: 1 })
        const program = make({ X: rows, y: targets, gates, lambda: 1, loss })
        const solution = solveSync<unknown>({ ...program, lambda: 0.1 * lambdaMax(program) }, { maxIterations: 3000 })
        expect(solution.status).toBe('solved')
        expectCertified(solution)
      }
  })
})

describe('beyond what float64 squares', () => {
  it('training says that it diverged, and its file is read again', () => {
    const huge = y.map((value) => 1e200 * value)
    const estimator = new ReluRegressor({ gates: 6, lambda: 0.01, standardize: false, maxIterations: 50 }).train(
      X,
      huge,
    )
    expect(estimator.status).toBe('diverged')
    const again = loadModel(JSON.stringify(estimator)) as ReluRegressor
    expect(again.status).toBe('diverged')
    expect(again.certificate.primal).toBeNaN()
    expect(again.network.toJSON()).toEqual(estimator.network.toJSON())
  })

  it.each([1e-200, 1e155, 1e300])(
    'targets times %d cross-validate as they do in any unit, and their file is read again',
    (s) => {
      const options = { gates: 6, lambda: 'cv', folds: 3, lambdaCount: 5 } as const
      // Powers of two round nothing, so that not even the solver's steps differ.
      const unit = 2 ** Math.round(Math.log2(s))
      const plain = new ReluRegressor(options).train(X, y)
      const targets = y.map((value) => unit * value)
      const estimator = new ReluRegressor(options).train(X, targets)
      expect(estimator.crossValidation).toEqual(plain.crossValidation)
      expect(estimator.score(X, targets)).toBe(plain.score(X, y))
      const again = loadModel(JSON.stringify(estimator)) as ReluRegressor
      expect(again.predict(X)).toEqual(estimator.predict(X))
    },
  )

  it('a cross-validation of targets as they are is refused in a sentence', () => {
    const huge = y.map((value) => 1e200 * value)
    expect(() => new ReluRegressor({ gates: 6, lambda: 'cv', standardize: false }).train(X, huge)).toThrow(
      /^train: the targets go up to .*e\+200 in absolute value, whose squares are beyond float64, .*; leave standardisation on, or pass the targets in a larger unit\.$/,
    )
  })

  it('lambda Infinity is refused in a sentence, everywhere', () => {
    const gates = sampleGates(X, { count: 4, seed: 1 })
    const program = gatedReluProgram({ X, y, gates, lambda: 1 })
    for (const lambda of [Number.POSITIVE_INFINITY, Number.NaN, -1]) {
      expect(() => new ReluRegressor({ lambda })).toThrow(/lambda is .*expected a number of at least 0/)
      expect(() => gatedReluProgram({ X, y, gates, lambda })).toThrow(/lambda is .*expected a number of at least 0/)
      expect(() => solveSync({ ...program, lambda })).toThrow(/lambda is .*expected a number of at least 0/)
    }
  })
})
