import { describe, expect, it } from 'vitest'
import { type LossChoice, type Matrix, matrix } from '../../src/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../../src/losses/index.ts'

const sign = (...y: number[]): Matrix => matrix(y.length, 1, Float64Array.from(y))
const rows = (columns: number, ...y: number[]): Matrix => matrix(y.length / columns, columns, Float64Array.from(y))

describe('targets that a loss does not take are refused with a sentence', () => {
  it.each<[string, LossChoice, Matrix, string]>([
    [
      'a label 0',
      logistic(),
      sign(1, 0, -1),
      'logistic: the target in row 1, column 0 (counted from 0) is 0, expected -1 or 1; code the two classes as -1 and 1.',
    ],
    [
      'a label NaN',
      squaredHinge(),
      rows(2, 1, Number.NaN),
      'squaredHinge: the target in row 0, column 1 (counted from 0) is NaN, expected -1 or 1; code the two classes as -1 and 1.',
    ],
    [
      'one column',
      softmax(),
      sign(1, -1),
      'softmax: the targets have 1 column, expected one per class; use logistic() for targets -1 and 1.',
    ],
    [
      'a fraction',
      softmax(),
      rows(2, 1, 0, 0.5, 0.5),
      "softmax: the target in row 1, column 0 (counted from 0) is 0.5, expected 1 for the row's class and 0 or -1 elsewhere; code one column per class.",
    ],
    [
      'two classes at once',
      softmax(),
      rows(2, 1, 0, 1, 1),
      'softmax: row 1 (counted from 0) has 2 entries that are 1, expected exactly one; code one column per class.',
    ],
    [
      'no class',
      softmax(),
      rows(2, 1, 0, -1, 0),
      'softmax: row 1 (counted from 0) has 0 entries that are 1, expected exactly one; code one column per class.',
    ],
  ])('%s', (_name, choice, targets, sentence) => {
    expect(() => choice.over(targets)).toThrow(new RangeError(sentence))
  })

  it('with an intercept, a column of one class', () => {
    expect(() => logistic().over(rows(2, 1, 1, 1, -1), { intercept: true })).toThrow(
      new RangeError(
        'logistic: column 0 of the targets (counted from 0) has no -1 with a positive weight, and an unpenalised intercept needs both classes; pass both, or bias: true.',
      ),
    )
    expect(() => squaredHinge({ sampleWeights: [0, 1] }).over(sign(1, -1), { intercept: true })).toThrow(
      /has no 1 with/,
    )
    expect(() => softmax().over(rows(3, 1, 0, 0, 0, 1, 0), { intercept: true })).toThrow(
      new RangeError(
        'softmax: class 2 (counted from 0) has no row with a positive weight, and an unpenalised intercept needs every class; leave its column out, or pass bias: true.',
      ),
    )
  })

  it('softmax takes 0 and -1 as the other classes', () => {
    const z = Float64Array.of(0.3, -1, 2, 0.5)
    const values = [rows(2, 1, 0, 0, 1), rows(2, 1, -1, -1, 1)].map((y) => softmax().over(y).value(z))
    expect(values[0]).toBe(values[1])
  })
})

describe('weights that make no sense are refused with a sentence', () => {
  const y = sign(1, -1)
  it.each<[string, LossChoice, string]>([
    [
      'too few',
      squared({ sampleWeights: [1] }),
      'squared: there are 1 sampleWeights and the targets have 2 rows; pass one per row.',
    ],
    [
      'negative',
      huber({ sampleWeights: [1, -2] }),
      'huber: sampleWeights[1] is -2, expected a finite number of at least 0; pass 0 to leave it out.',
    ],
    [
      'not a number',
      logistic({ sampleWeights: [Number.NaN, 1] }),
      'logistic: sampleWeights[0] is NaN, expected a finite number of at least 0; pass 0 to leave it out.',
    ],
    [
      'infinite',
      squaredHinge({ classWeights: [1, Number.POSITIVE_INFINITY] }),
      'squaredHinge: classWeights[1] is Infinity, expected a finite number of at least 0; pass 0 to leave it out.',
    ],
    [
      'of three classes for two',
      logistic({ classWeights: [1, 1, 1] }),
      'logistic: there are 3 classWeights and 2 classes; pass one per class.',
    ],
  ])('%s', (_name, choice, sentence) => {
    expect(() => choice.over(y)).toThrow(new RangeError(sentence))
  })

  it('of classes, where a row is of two', () => {
    expect(() => logistic({ classWeights: [1, 2] }).over(rows(2, 1, 1, 1, -1))).toThrow(
      /^logistic: row 0 \(counted from 0\) has 2 entries that are 1/,
    )
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('delta %s', (delta) => {
    expect(() => huber({ delta })).toThrow(
      new RangeError(`huber: delta is ${delta}, expected a positive number; pass the size of an ordinary residual.`),
    )
  })
})
