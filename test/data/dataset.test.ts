import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeLabels, encodeLabels } from '../../src/data/index.ts'
import { fromRows, toRows } from '../../src/numerics/matrix.ts'

describe('encodeLabels and decodeLabels', () => {
  it('undo each other for any labels of two classes or more', () =>
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 3 }), { minLength: 2 }).filter((labels) => new Set(labels).size > 1),
        (labels) => {
          const { y, classes } = encodeLabels(labels)
          expect(y.columns).toBe(classes.length === 2 ? 1 : classes.length)
          expect(decodeLabels(y, classes)).toEqual(labels)
        },
      ),
    ))

  it('gives two classes one column, +1 for the second, and more a column each', () => {
    expect(toRows(encodeLabels(['no', 'yes', 'no']).y)).toEqual([[-1], [1], [-1]])
    expect(toRows(encodeLabels(['c', 'a', 'b']).y)).toEqual([
      [-1, -1, 1],
      [1, -1, -1],
      [-1, 1, -1],
    ])
  })

  it('sorts numbers as numbers and anything else by code unit', () => {
    expect(encodeLabels([10, 9, 1]).classes).toEqual(['1', '9', '10'])
    expect(encodeLabels(['10', '9', 'x']).classes).toEqual(['10', '9', 'x'])
  })

  it('takes the classes given, present or not', () => {
    expect(toRows(encodeLabels(['b', 'b'], ['a', 'b', 'c']).y)).toEqual([
      [-1, 1, -1],
      [-1, 1, -1],
    ])
  })

  it('decides ties for the first class', () => {
    expect(decodeLabels(fromRows([[0], [1e-9]]), ['a', 'b'])).toEqual(['a', 'b'])
    expect(decodeLabels(fromRows([[2, 2, 1]]), ['a', 'b', 'c'])).toEqual(['a'])
  })

  it('refuse what does not fit, in a sentence', () => {
    expect(() => encodeLabels(['a', 'a'])).toThrow(
      new RangeError(
        'encodeLabels: there is the one class "a", expected two classes or more; pass labels of each class.',
      ),
    )
    expect(() => encodeLabels([])).toThrow(
      new RangeError('encodeLabels: there are no labels, expected two classes or more; pass labels of each class.'),
    )
    expect(() => encodeLabels(['a', 'c'], ['a', 'b'])).toThrow(
      new RangeError(
        'encodeLabels: row 1 (counted from 0) has the label "c", expected one of "a", "b"; pass the classes of every row.',
      ),
    )
    expect(() => decodeLabels(fromRows([[1, 2]]), ['a', 'b'])).toThrow(
      new RangeError(
        'decodeLabels: scores have 2 columns and there are 2 classes; pass one column for two classes, one per class for more.',
      ),
    )
    expect(() => decodeLabels(fromRows([[1], [Number.NaN]]), ['a', 'b'])).toThrow(
      new RangeError(
        'decodeLabels: scores have NaN in row 1, column 0 (counted from 0), expected numbers; check the model and its rows.',
      ),
    )
  })
})
