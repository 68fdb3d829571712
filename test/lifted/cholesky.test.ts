import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix } from '../../src/index.ts'
import { factor, solveRows } from '../../src/lifted/cholesky.ts'
import type { Matrix } from '../../src/types.ts'
import { plainMatrix } from '../arbitraries.ts'

/** A B' */
function times(A: Matrix, B: Matrix): Matrix {
  const C = matrix(A.rows, B.rows)
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < B.rows; j++)
      for (let k = 0; k < A.columns; k++)
        C.data[i * B.rows + j]! += A.data[i * A.columns + k]! * B.data[j * B.columns + k]!
  return C
}

function lower({ rows, columns, data }: Matrix): Matrix {
  return matrix(
    rows,
    columns,
    data.map((value, e) => (e % columns <= Math.floor(e / columns) ? value : 0)),
  )
}

const copy = ({ rows, columns, data }: Matrix): Matrix => matrix(rows, columns, data.slice())
const largest = ({ data }: Matrix): number => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
const distance = (A: Matrix, B: Matrix): number =>
  A.data.reduce((most, value, e) => Math.max(most, Math.abs(value - B.data[e]!)), 0)

const sizes = fc.record({ n: fc.integer({ min: 1, max: 12 }), m: fc.integer({ min: 1, max: 7 }) })

describe('systems of lifted networks', () => {
  it('are solved one a row', () =>
    fc.assert(
      fc.property(
        sizes.chain(({ n, m }) => fc.tuple(plainMatrix(n, n), plainMatrix(m, n))),
        ([B, G]) => {
          const M = times(B, B)
          const ridge = 0.1 * (1 + largest(M))
          for (let j = 0; j < B.rows; j++) M.data[j * B.rows + j]! += ridge
          const [L, X] = [copy(M), copy(G)]
          factor(L)
          solveRows(L, X)
          expect(distance(times(X, M), G)).toBeLessThan(1e-11 * (1 + largest(G)))
        },
      ),
    ))

  it('get next to nothing added where they are singular', () =>
    fc.assert(
      fc.property(
        sizes.chain(({ n, m }) => plainMatrix(n + m, m)),
        (B) => {
          const M = times(B, B)
          const L = copy(M)
          factor(L)
          const [T, n] = [lower(L), M.rows]
          if (largest(M) > 0) for (let j = 0; j < n; j++) expect(T.data[j * n + j]).toBeGreaterThan(0)
          expect(distance(times(T, T), M)).toBeLessThan(1e-11 * largest(M) + Number.MIN_VALUE * 1e18)
        },
      ),
    ))

  it('do not hold up what has diverged', () => {
    const M = matrix(2, 2, Float64Array.of(1, 0, NaN, NaN))
    expect(() => factor(M)).not.toThrow()
    expect(M.data.some(Number.isNaN)).toBe(true)
  })
})
