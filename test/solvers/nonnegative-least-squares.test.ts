import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { nonnegativeLeastSquares } from '../../solvers/nonnegative-least-squares.ts'
import { anyMatrix, vector } from '../arbitraries.ts'

const problem = fc
  .record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 8 }) })
  .chain(({ rows, columns }) => fc.tuple(anyMatrix(rows, columns), vector(columns)))

describe('nonnegativeLeastSquares', () => {
  test.prop([problem], { numRuns: 300 })('meets its optimality conditions', ([B, f]) => {
    const { rows: m, columns: d, data } = B
    const x = nonnegativeLeastSquares(data, m, d, f)
    expect(x.every((value) => value >= 0)).toBe(true)
    const rest = f.map((value) => -value)
    for (let i = 0; i < m; i++) for (let j = 0; j < d; j++) rest[j]! += x[i]! * data[i * d + j]!
    const scale = Math.hypot(...f)
    for (let i = 0; i < m; i++) {
      const row = data.subarray(i * d, (i + 1) * d)
      const length = Math.hypot(...row)
      const slope = row.reduce((total, value, j) => total + value * rest[j]!, 0)
      // Rows that 1e-11 tells from dependent ones do not enter.
      expect(slope).toBeGreaterThanOrEqual(-1e-10 * length * scale)
      if (x[i]! > 0) expect(Math.abs(slope)).toBeLessThanOrEqual(1e-9 * length * scale)
    }
  })

  it('projects on the cone of two rows', () => {
    const B = Float64Array.of(1, 0, 1, 1)
    expect(nonnegativeLeastSquares(B, 2, 2, Float64Array.of(3, 1))).toEqual(Float64Array.of(2, 1))
    expect(nonnegativeLeastSquares(B, 2, 2, Float64Array.of(-1, 1))).toEqual(Float64Array.of(0, 0))
    expect(Array.from(nonnegativeLeastSquares(B, 2, 2, Float64Array.of(0, 2)))).toEqual([0, expect.closeTo(1, 14)])
  })

  it('is zero for a target of zero, no rows, or rows of zeros', () => {
    expect(nonnegativeLeastSquares(Float64Array.of(1, 2), 1, 2, new Float64Array(2))).toEqual(new Float64Array(1))
    expect(nonnegativeLeastSquares(new Float64Array(0), 0, 2, Float64Array.of(1, 2))).toEqual(new Float64Array(0))
    expect(nonnegativeLeastSquares(new Float64Array(4), 2, 2, Float64Array.of(1, 2))).toEqual(new Float64Array(2))
  })
})
