import fc from 'fast-check'
import { MatrixColumnSelectionView, MatrixTransposeView, Matrix as MlMatrix, WrapperMatrix2D } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { asMatrix, fromMlMatrix, fromRows, type Matrix, matrix, toMlMatrix, toRows } from '../../src/index.ts'
import { appendOnes, requireFinite, selectRows } from '../../src/numerics/matrix.ts'

const rows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .chain(([n, d]) =>
    fc.array(fc.array(fc.double({ noNaN: true }), { minLength: d, maxLength: d }), { minLength: n, maxLength: n }),
  )

describe('matrix', () => {
  it('shares the data it is given and makes zeros without', () => {
    const data = Float64Array.of(1, 2, 3, 4, 5, 6)
    expect(matrix(2, 3, data).data).toBe(data)
    expect(matrix(2, 3)).toEqual({ rows: 2, columns: 3, data: new Float64Array(6) })
  })

  it('refuses sizes that are none, and data of another length', () => {
    for (const [n, d] of [
      [-1, 2],
      [1.5, 2],
      [2, Number.NaN],
    ] as const)
      expect(() => matrix(n, d)).toThrow(
        new RangeError(`matrix: the size is ${n} x ${d}, expected two whole numbers; pass rows and columns.`),
      )
    expect(() => matrix(2, 2, new Float64Array(3))).toThrow(
      new RangeError('matrix: data has 3 entries and 2 x 2 needs 4; pass them row by row.'),
    )
  })

  it('rows go in and come out, copied', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const M = fromRows(given)
        expect([M.rows, M.columns]).toEqual([given.length, given[0]!.length])
        expect(toRows(M)).toEqual(given)
        const kept = structuredClone(given)
        M.data.fill(17)
        expect(given).toEqual(kept)
      }),
    )
    expect(() => fromRows([[1, 2], [3]])).toThrow(
      new RangeError('fromRows: row 1 has 1 entries and row 0 has 2; pass rows of equal length.'),
    )
  })

  it('selectRows copies rows in the order given, and appendOnes adds a column', () => {
    const M = fromRows([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    expect(toRows(selectRows(M, [2, 0, 2]))).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ])
    expect(toRows(appendOnes(M))).toEqual([
      [1, 2, 1],
      [3, 4, 1],
      [5, 6, 1],
    ])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'requireFinite names the row and column of %s',
    (bad) => {
      const M = fromRows([
        [1, 2, 3],
        [4, 5, bad],
      ])
      expect(() => requireFinite(M, 'fit', 'X')).toThrow(
        new RangeError(`fit: X has ${bad} in row 1, column 2 (counted from 0); drop or impute the row.`),
      )
      requireFinite(fromRows([[1, Number.MAX_VALUE, -0]]), 'fit', 'X')
    },
  )
})

describe('ml-matrix', () => {
  it('goes there and back without a change, and copies', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const M = fromRows(given)
        const there = toMlMatrix(M)
        expect(there.to2DArray()).toEqual(given)
        const back = fromMlMatrix(there)
        expect(back).toEqual(M)
        there.set(0, 0, 17)
        back.data.fill(19)
        expect(toRows(M)).toEqual(given)
      }),
    )
  })

  it('is read through its views and wrappers, which hold their entries elsewhere', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const M = new MlMatrix(given)
        const d = M.columns
        const transposed = Array.from({ length: d }, (_, j) => given.map((row) => row[j]!))
        expect(toRows(fromMlMatrix(new MatrixTransposeView(M)))).toEqual(transposed)
        const last = new MatrixColumnSelectionView(M, [d - 1, 0])
        expect(toRows(fromMlMatrix(last))).toEqual(given.map((row) => [row[d - 1], row[0]]))
        expect(toRows(fromMlMatrix(new WrapperMatrix2D(given)))).toEqual(given)
        expect(toRows(fromMlMatrix(M.subMatrix(0, 0, 0, d - 1)))).toEqual([given[0]])
      }),
    )
  })
})

describe('asMatrix', () => {
  const M = fromRows([
    [1, 2],
    [3, 4],
  ])
  const read = (value: unknown): Matrix => asMatrix(value as Matrix, 'fit', 'X')

  it('takes ours as it is, and every other form as the same matrix', () => {
    expect(read(M)).toBe(M)
    const forms = [
      [
        [1, 2],
        [3, 4],
      ],
      [Float64Array.of(1, 2), Float64Array.of(3, 4)],
      [Float32Array.of(1, 2), [3, 4]],
      new MlMatrix([
        [1, 2],
        [3, 4],
      ]),
      new MatrixTransposeView(
        new MlMatrix([
          [1, 3],
          [2, 4],
        ]),
      ),
    ]
    for (const form of forms) expect(read(form)).toEqual(M)
  })

  it('takes a vector as one column, and nothing as nothing', () => {
    for (const vector of [[1, 2, 3], Float64Array.of(1, 2, 3), Int8Array.of(1, 2, 3)])
      expect(read(vector)).toEqual(matrix(3, 1, Float64Array.of(1, 2, 3)))
    expect(read([])).toEqual(matrix(0, 0))
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'fit: X is undefined, expected a matrix; '],
    ['null', null, 'fit: X is null, expected a matrix; '],
    ['a number', 3, 'fit: X is a number, expected a matrix; '],
    ['text', 'abc', 'fit: X is the text "abc", expected a matrix; '],
    ['another object', new Map(), 'fit: X is an object (Map), expected a matrix; '],
    ['raw bytes', new DataView(new ArrayBuffer(8)), 'fit: X is an object (DataView), expected a matrix; '],
    ['words', ['a', 'b'], 'fit: X has the text "a" at row 0, expected a number; '],
    ['a vector with a word', [1, 'b'], 'fit: X has the text "b" at row 1, expected a number; '],
    [
      'rows with a word',
      [
        [1, 2],
        [3, 'b'],
      ],
      'fit: X has the text "b" in row 1, column 1, expected a number; ',
    ],
    ['rows of unequal length', [[1, 2], [3]], 'fit: X has 1 entries in row 1 and 2 in row 0; '],
    ['rows with a number between', [[1, 2], 3], 'fit: X has a number in row 1 and 2 in row 0; '],
    ['a hole', [[1, 2], undefined], 'fit: X has undefined in row 1 and 2 in row 0; '],
  ])('refuses %s, naming it', (_, value, sentence) => {
    expect(() => read(value)).toThrow(sentence)
  })

  it('refuses one of ours whose entries are not as many as it says', () => {
    expect(() => read({ rows: 2, columns: 2, data: new Float64Array(3) })).toThrow(
      new RangeError('fit: X is 2 x 2 and has 3 entries; pass a matrix made by matrix() or fromRows().'),
    )
  })
})
