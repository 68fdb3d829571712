import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kFolds, readCsv, trainTestSplit } from '../../src/data/index.ts'
import { matrix, toRows } from '../../src/numerics/matrix.ts'
import type { Matrix } from '../../src/types.ts'

const count = <T>(values: Iterable<T>): Map<T, number> => {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** n rows that say where they were. */
const numbered = (n: number): Matrix =>
  matrix(
    n,
    1,
    Float64Array.from({ length: n }, (_, i) => i),
  )
const seeds = (): fc.Arbitrary<number> => fc.nat()
const classes = (): fc.Arbitrary<string[]> =>
  fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 5, maxLength: 60 })

describe('trainTestSplit', () => {
  it('gives every row to one part, in order, with its target and label', () =>
    fc.assert(
      fc.property(classes(), fc.double({ min: 0.1, max: 0.9, noNaN: true }), seeds(), (labels, testFraction, seed) => {
        const n = labels.length
        const data = { X: numbered(n), y: numbered(n), labels, name: 'kept' }
        const { train, test } = trainTestSplit(data, { testFraction, seed, stratify: false })
        expect([...train.rows, ...test.rows].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        expect(test.rows.length).toBe(Math.min(n - 1, Math.max(1, Math.round(testFraction * n))))
        for (const part of [train, test]) {
          expect([...part.rows]).toEqual([...part.rows].sort((a, b) => a - b))
          expect([...part.X.data]).toEqual([...part.rows])
          expect([...part.y.data]).toEqual([...part.rows])
          expect(part.labels).toEqual(Array.from(part.rows, (i) => labels[i]))
          expect(part.name).toBe('kept')
        }
      }),
    ))

  it('gives each class its share within one row, and a row to train on', () =>
    fc.assert(
      fc.property(classes(), fc.double({ min: 0.2, max: 0.8, noNaN: true }), seeds(), (labels, testFraction, seed) => {
        const sizes = count(labels)
        fc.pre([...sizes.values()].some((size) => size > 1))
        const n = labels.length
        const { train, test } = trainTestSplit({ X: numbered(n), y: numbered(n), labels }, { testFraction, seed })
        const tested = count(test.labels!)
        const trained = count(train.labels!)
        for (const [label, size] of sizes) {
          expect(Math.abs((tested.get(label) ?? 0) - testFraction * size)).toBeLessThanOrEqual(1)
          expect(trained.get(label)).toBeGreaterThan(0)
        }
      }),
    ))

  it('is the same for the same seed and another for another', () => {
    const data = { X: numbered(50), y: numbered(50) }
    const rows = (seed?: number): number[] => [...trainTestSplit(data, seed === undefined ? {} : { seed }).test.rows]
    expect(rows(3)).toEqual(rows(3))
    expect(rows()).toEqual(rows(1))
    expect(rows(3)).not.toEqual(rows(4))
    // Pinned: the draws are part of what a seed promises.
    expect(rows(1)).toEqual(pinnedTestRows)
  })

  it('splits a dataset into datasets', async () => {
    const text = 'a,y\n' + Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'}`).join('\n')
    const dataset = await readCsv({ text }, { target: 'y' })
    const { train, test } = trainTestSplit(dataset)
    expect(test.classes).toEqual(['even', 'odd'])
    expect(count(test.labels!)).toEqual(count(['even', 'even', 'odd', 'odd']))
    expect(train.schema).toBe(dataset.schema)
    expect(train.X.rows).toBe(16)
  })

  it('takes plain rows, and classes to stratify by from y or given', () => {
    const X = [[1], [2], [3], [4]]
    const y = [1, 1, -1, -1]
    const { test } = trainTestSplit({ X, y }, { testFraction: 0.5, stratify: true })
    expect(count(toRows(test.y).flat())).toEqual(count([1, -1]))
    const given = trainTestSplit({ X, y }, { testFraction: 0.5, stratify: ['u', 'v', 'u', 'v'] }).test
    expect(count(Array.from(given.rows, (i) => i % 2))).toEqual(count([0, 1]))
  })

  it('refuses what it cannot split, in a sentence', () => {
    const X = [[1], [2], [3], [4]]
    const y = [1, 2, 3, 4]
    expect(() => trainTestSplit({ X, y: [1, 2, 3] })).toThrow(
      new RangeError('trainTestSplit: X has 4 rows and y has 3; pass one target per row.'),
    )
    expect(() => trainTestSplit({ X, y, labels: ['a'] })).toThrow(
      new RangeError('trainTestSplit: X has 4 rows and there are 1 labels; pass one target per row.'),
    )
    for (const testFraction of [0, 1, Number.NaN])
      expect(() => trainTestSplit({ X, y }, { testFraction })).toThrow(
        new RangeError(
          `trainTestSplit: testFraction is ${testFraction}, expected a number between 0 and 1; pass for example 0.2.`,
        ),
      )
    expect(() => trainTestSplit({ X: [[1]], y: [1] })).toThrow(
      new RangeError(
        'trainTestSplit: 1 rows with testFraction 0.2 leave 1 to train on and 0 to test on; pass more rows or another testFraction.',
      ),
    )
    expect(() => trainTestSplit({ X, y }, { stratify: true })).toThrow(
      new RangeError(
        'trainTestSplit: y has 4 distinct values in 4 rows, for example "1", and stratify needs classes; leave stratify out, or pass a class per row.',
      ),
    )
    expect(() => trainTestSplit({ X, y }, { stratify: ['a'] })).toThrow(
      new RangeError('trainTestSplit: stratify has 1 entries and there are 4 rows; pass one class per row.'),
    )
    expect(() => trainTestSplit({ X: [[1], [Number.NaN]], y: [1, 2] })).toThrow(
      new RangeError('trainTestSplit: X has NaN in row 1, column 0 (counted from 0); drop or impute the row.'),
    )
    expect(() => trainTestSplit({ X, y }, { seed: -1 })).toThrow(/^seed is -1/)
  })
})

/** Test rows of 50 for seed 1, as first drawn. */
const pinnedTestRows = [1, 3, 10, 11, 15, 25, 32, 39, 44, 45]

describe('kFolds', () => {
  it('has every row in the validation part of one fold, in sizes that differ by one at most', () =>
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 80 }), fc.integer({ min: 2, max: 10 }), seeds(), (n, folds, seed) => {
        fc.pre(folds <= n)
        const drawn = kFolds(n, { count: folds, seed })
        expect(drawn.flatMap(({ validation }) => [...validation]).sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        )
        for (const { train, validation } of drawn)
          expect([...train, ...validation].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        const sizes = drawn.map(({ validation }) => validation.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    ))

  it('spreads each class over the folds within one row', () =>
    fc.assert(
      fc.property(classes(), fc.integer({ min: 2, max: 5 }), seeds(), (labels, folds, seed) => {
        const n = labels.length
        const drawn = kFolds({ X: numbered(n), y: numbered(n), labels }, { count: folds, seed })
        const sizes = drawn.map(({ validation }) => validation.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        for (const label of new Set(labels)) {
          const counts = drawn.map(({ validation }) => validation.filter((i) => labels[i] === label).length)
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        }
      }),
    ))

  it('is the same for the same seed and another for another', () => {
    expect(kFolds(30, { seed: 5 })).toEqual(kFolds(30, { seed: 5 }))
    expect(kFolds(30, { seed: 5 })).not.toEqual(kFolds(30, { seed: 6 }))
  })

  it('refuses what makes no folds, in a sentence', () => {
    for (const folds of [1, 2.5, 7])
      expect(() => kFolds(6, { count: folds })).toThrow(
        new RangeError(
          `kFolds: count is ${folds} and there are 6 rows, expected a whole number from 2 to the number of rows; pass for example 5.`,
        ),
      )
    expect(() => kFolds(3)).toThrow(
      new RangeError(
        'kFolds: count is 5 and there are 3 rows, expected a whole number from 2 to the number of rows; pass for example 3.',
      ),
    )
    expect(() => kFolds(1)).toThrow(
      new RangeError(
        'kFolds: count is 5 and there are 1 rows, expected a whole number from 2 to the number of rows; pass two rows at least.',
      ),
    )
    expect(() => kFolds(6.5)).toThrow(
      new RangeError('kFolds: the number of rows is 6.5, expected a whole number; pass X.rows or a dataset.'),
    )
    expect(() => kFolds(6, { stratify: true })).toThrow(
      new RangeError('kFolds: stratify is true and a number of rows has no classes; pass a class per row.'),
    )
  })
})
