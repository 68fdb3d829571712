import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LossChoice, type Matrix, matrix, type Vector } from '../../src/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../../src/losses/index.ts'
import { selectRows } from '../../src/numerics/matrix.ts'
import { vector } from '../arbitraries.ts'

/** Five rows; the first three hold both signs in every column, and every class. */
const labels = matrix(5, 2, Float64Array.of(1, -1, -1, 1, 1, -1, -1, 1, 1, -1))
const sign = matrix(5, 1, Float64Array.of(1, -1, 1, -1, -1))
const oneHot = matrix(5, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0))
const amounts = matrix(5, 2, Float64Array.of(1, 2, -3, 0.5, 0, 4, 1.5, -2, 30, 1))

type Weighted = (options?: { sampleWeights?: ArrayLike<number> }) => LossChoice

const cases: [name: string, make: Weighted, targets: Matrix][] = [
  ['squared', squared, amounts],
  ['huber', (options = {}) => huber({ delta: 0.8, ...options }), amounts],
  ['logistic', logistic, sign],
  ['logistic, one-vs-all', logistic, labels],
  ['squaredHinge', squaredHinge, sign],
  ['squaredHinge, one-vs-all', squaredHinge, labels],
  ['softmax', softmax, oneHot],
]

/** Row r of a fit as often as `times` says. */
const repeated = ({ rows, columns }: Matrix, fit: Vector, times: readonly number[]): Vector =>
  selectRows(
    matrix(rows, columns, fit),
    times.flatMap((count, r) => new Array<number>(count).fill(r)),
  ).data

describe('a weight counts a row so many times', () => {
  for (const [name, make, targets] of cases)
    for (const intercept of [false, true])
      it(`of ${name}${intercept ? ' with an unpenalised intercept' : ''}`, () => {
        // Zero leaves a row out: the first three are kept, so that every class is.
        const counts = fc.tuple(...[1, 1, 1, 0, 0].map((least) => fc.integer({ min: least, max: 3 }))) as fc.Arbitrary<
          number[]
        >
        const fit = vector(targets.data.length)
        fc.assert(
          fc.property(counts, fit, fit, (times, z, to) => {
            const weighted = make({ sampleWeights: times }).over(targets, { intercept })
            const y = matrix(
              times.reduce((a, b) => a + b),
              targets.columns,
              repeated(targets, targets.data, times),
            )
            const many = make().over(y, { intercept })
            // Both are means: one over 5 rows, the other over the rows repeated.
            const mean = y.rows / targets.rows
            const close = (actual: number, expected: number): void =>
              expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(expected)))
            close(weighted.value(z), mean * many.value(repeated(targets, z, times)))
            close(
              weighted.divergence(to, z),
              mean * many.divergence(repeated(targets, to, times), repeated(targets, z, times)),
            )
            const slope = weighted.gradient(z)
            const one = slope.map((value, k) => value / (times[Math.floor(k / targets.columns)] || 1))
            const expected = many.gradient(repeated(targets, z, times))
            repeated(targets, one, times).forEach((value, k) => {
              close(value, mean * expected[k]!)
            })
            close(weighted.conjugate(slope), mean * many.conjugate(expected))
            slope.forEach((value, k) => {
              if (times[Math.floor(k / targets.columns)] === 0) expect(value).toBe(0)
            })
            if (!intercept) close(weighted.smoothness, mean * many.smoothness * Math.max(...times))
          }),
        )
      })

  it('and no loss with weights says that it is quadratic', () => {
    expect(squared().over(amounts).quadratic).toBeDefined()
    expect(squared({ sampleWeights: [1, 1, 1, 1, 1] }).over(amounts).quadratic).toBeUndefined()
  })

  it('but a row without weight has no slope in the domain of the conjugate', () => {
    const loss = logistic({ sampleWeights: [1, 0, 1, 1, 1] }).over(sign)
    expect(loss.conjugate(Float64Array.of(0, 0.1, 0, 0, 0))).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the weight of a class is that of its rows', () => {
  const z = vector(15)
  const same = (weighted: LossChoice, rows: LossChoice, targets: Matrix): void =>
    fc.assert(
      fc.property(z, (fit) => {
        const short = fit.subarray(0, targets.data.length)
        expect(weighted.over(targets).value(short)).toBeCloseTo(rows.over(targets).value(short), 12)
      }),
    )

  it('negative and positive in one column', () => {
    for (const make of [logistic, squaredHinge])
      same(make({ classWeights: [2, 3] }), make({ sampleWeights: [3, 2, 3, 2, 2] }), sign)
  })

  it('by the positive column in several', () => {
    for (const make of [logistic, squaredHinge])
      same(make({ classWeights: [2, 3] }), make({ sampleWeights: [2, 3, 2, 3, 2] }), labels)
    same(softmax({ classWeights: [2, 3, 4] }), softmax({ sampleWeights: [2, 3, 4, 3, 2] }), oneHot)
  })

  it('times the weight of the row', () => {
    same(
      softmax({ classWeights: [2, 3, 4], sampleWeights: [1, 2, 0, 1, 1] }),
      softmax({ sampleWeights: [2, 6, 0, 3, 2] }),
      oneHot,
    )
  })
})

describe('weights that are no list', () => {
  it.each([null, 2, 'heavy'])('are refused in a sentence: %o', (weights) => {
    const given = typeof weights === 'string' ? `"${weights}"` : `${weights}`
    for (const name of ['sampleWeights', 'classWeights'])
      expect(() => logistic({ [name]: weights } as object).over(sign)).toThrow(
        new TypeError(`logistic: ${name} is ${given}, expected an array of numbers; pass one, or leave it out.`),
      )
  })
})
