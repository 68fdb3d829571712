import fc from 'fast-check'
import { SingularValueDecomposition } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { matrix, toMlMatrix } from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import { spectralBound } from '../../src/numerics/spectral-bound.ts'

describe('the bound of |X|_2', () => {
  it('is never below it, and above it by less than k^(1/64)', () => {
    fc.assert(
      fc.property(
        fc.record({
          rows: fc.integer({ min: 1, max: 12 }),
          columns: fc.integer({ min: 1, max: 12 }),
          decades: fc.integer({ min: -100, max: 100 }),
          spread: fc.integer({ min: 0, max: 8 }),
          seed: fc.nat(),
        }),
        ({ rows, columns, decades, spread, seed }) => {
          const draws = random(seed)
          const X = matrix(rows, columns)
          for (let k = 0; k < X.data.length; k++)
            X.data[k] = draws.normal() * 10 ** (decades - (spread * (k % columns)) / columns)
          const exact = new SingularValueDecomposition(toMlMatrix(X), { autoTranspose: true }).norm2
          const bound = spectralBound(X)
          expect(bound).toBeGreaterThanOrEqual(exact * (1 - 1e-14))
          expect(bound).toBeLessThanOrEqual(exact * Math.min(rows, columns) ** (1 / 64) * (1 + 1e-11))
        },
      ),
    )
  })

  it('is 0 for zeros', () => {
    expect(spectralBound(matrix(3, 2))).toBe(0)
  })
})
