import { describe, expect, it } from 'vitest'
import { compactMatrix } from '../../src/index.ts'
import { expand, rowBlock, withOnes } from '../../src/numerics/compact-matrix.ts'

describe('compactMatrix', () => {
  const bytes = Uint8Array.of(0, 51, 255, 102, 1, 254)

  it('reads any rows in float64, divided there, and in float32', () => {
    const M = compactMatrix(3, 2, bytes, { divisor: 255 })
    expect(M.read(1, new Float64Array(4))).toEqual(Float64Array.of(1, 102 / 255, 1 / 255, 254 / 255))
    expect(M.read(0, new Float32Array(2))).toEqual(Float32Array.of(0, 0.2))
    expect(expand(M).data).toEqual(Float64Array.from(bytes, (entry) => entry / 255))
    expect(rowBlock(M, 2, 1)).toEqual(Float64Array.of(1 / 255, 254 / 255))
  })

  it('adds a column of ones as it is read', () => {
    const M = withOnes(compactMatrix(3, 2, bytes))
    expect([M.rows, M.columns]).toEqual([3, 3])
    expect(M.read(1, new Float64Array(6))).toEqual(Float64Array.of(255, 102, 1, 1, 254, 1))
  })

  it('refuses what is none, by number', () => {
    expect(() => compactMatrix(2, 2, bytes)).toThrow(
      new RangeError('compactMatrix: data has 6 entries and 2 x 2 needs 4; pass them row by row.'),
    )
    expect(() => compactMatrix(1.5, 2, bytes)).toThrow(/the size is 1.5 x 2/)
    expect(() => compactMatrix(3, 2, bytes, { divisor: 0 })).toThrow(/divisor is 0, expected a number above 0/)
    expect(() => compactMatrix(1, 3, Float32Array.of(1, Number.NaN, 2))).toThrow(
      new RangeError('compactMatrix: data has NaN in row 0, column 1 (counted from 0); drop or impute the row.'),
    )
  })
})
