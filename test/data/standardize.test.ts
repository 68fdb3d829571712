import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyStandardization, type Standardization, standardize, undoStandardization } from '../../src/data/index.ts'
import { fromRows, matrix, toRows } from '../../src/numerics/matrix.ts'
import type { Matrix } from '../../src/types.ts'

/** Between -1 and 1, in steps that float64 has digits for. */
const unit = (): fc.Arbitrary<number> => fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((k) => k / 2 ** 30)

/** Columns with means and deviations of very different sizes, some constant. */
const columns = (): fc.Arbitrary<Matrix> =>
  fc.record({ rows: fc.integer({ min: 1, max: 20 }), width: fc.integer({ min: 1, max: 4 }) }).chain(({ rows, width }) =>
    fc
      .array(
        fc.record({
          offset: fc.constantFrom(0, 1, -1e6, 1e9),
          size: fc.constantFrom(0, 1e-9, 1, 1e6),
          units: fc.array(unit(), { minLength: rows, maxLength: rows }),
        }),
        { minLength: width, maxLength: width },
      )
      .map((given) =>
        fromRows(Array.from({ length: rows }, (_, i) => given.map((c) => c.offset + c.size * c.units[i]!))),
      ),
  )

const columnOf = (M: Matrix, j: number): number[] => toRows(M).map((row) => row[j]!)

describe('standardize', () => {
  it('gives every column mean 0 and deviation 1, or zeros when it is constant', () =>
    fc.assert(
      fc.property(columns(), (given) => {
        const { X, constant } = standardize(given)
        for (let j = 0; j < given.columns; j++) {
          const column = columnOf(X, j)
          expect(constant.includes(j)).toBe(new Set(columnOf(given, j)).size === 1)
          if (constant.includes(j)) {
            expect(column.every((value) => value === 0)).toBe(true)
            continue
          }
          // What rounding the mean of the column to float64 costs, in units of its deviation.
          const original = columnOf(given, j)
          const largest = Math.max(...original.map(Math.abs))
          const slack = (8 * Number.EPSILON * largest) / (Math.max(...original) - Math.min(...original)) + 1e-12
          const n = column.length
          const mean = column.reduce((total, value) => total + value, 0) / n
          expect(Math.abs(mean)).toBeLessThan(n * slack)
          const variance = column.reduce((total, value) => total + (value - mean) ** 2, 0) / n
          expect(Math.abs(variance - 1)).toBeLessThan(n * slack)
        }
      }),
    ))

  it('is undone, and repeated on the same rows, through JSON', () =>
    fc.assert(
      fc.property(columns(), (given) => {
        const { X, mean, scale } = standardize(given)
        const kept: Standardization = JSON.parse(JSON.stringify({ mean, scale }))
        expect(applyStandardization(given, kept)).toEqual(X)
        const back = undoStandardization(X, kept)
        for (let k = 0; k < given.data.length; k++) {
          const size = Math.abs(given.data[k]!) + Math.abs(mean[k % given.columns]!)
          expect(Math.abs(back.data[k]! - given.data[k]!)).toBeLessThanOrEqual(8 * Number.EPSILON * size)
        }
      }),
    ))

  it('divides by n and not by n - 1', () => {
    const { X, mean, scale } = standardize([1, 3])
    expect({ mean, scale, X: [...X.data] }).toEqual({ mean: [2], scale: [1], X: [-1, 1] })
  })

  it('keeps a small deviation from a large mean', () => {
    const { scale } = standardize([1e9 + 1, 1e9 + 2, 1e9 + 3])
    expect(scale[0]).toBeCloseTo(Math.sqrt(2 / 3), 12)
  })

  it('neither overflows nor vanishes at the ends of the range', () => {
    expect([...standardize([1e300, -1e300]).X.data]).toEqual([1, -1])
    expect([...standardize([1e-300, -1e-300]).X.data]).toEqual([1, -1])
  })

  it('refuses what it cannot standardise, in a sentence', () => {
    expect(() =>
      standardize([
        [1, 2],
        [3, Number.NaN],
      ]),
    ).toThrow(new RangeError('standardize: X has NaN in row 1, column 1 (counted from 0); drop or impute the row.'))
    expect(() => standardize(matrix(0, 2))).toThrow(
      new RangeError('standardize: X has no rows, so no means; pass at least one row.'),
    )
    expect(() => standardize([1.7e308, 1.7e308, -1.7e308])).toThrow(
      new RangeError(
        'standardize: column 0 (counted from 0) runs from -1.7e+308 to 1.7e+308, too far for float64; rescale it.',
      ),
    )
    expect(() => applyStandardization([[1, 2]], { mean: [0], scale: [1] })).toThrow(
      new RangeError(
        'applyStandardization: X has 2 columns and the standardization 1 means and 1 scales; pass the columns it was made from.',
      ),
    )
    expect(() => undoStandardization([Number.POSITIVE_INFINITY], { mean: [0], scale: [1] })).toThrow(
      new RangeError(
        'undoStandardization: X has Infinity in row 0, column 0 (counted from 0); drop or impute the row.',
      ),
    )
  })
})
