import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nonnegativeQp } from '../../solvers/nonnegative-qp.ts'
import { js } from '../../src/numerics/backends/js.ts'
import { random } from '../../src/numerics/random.ts'

/** H = Z'Z and b = Z'c for Z of m x k: bounded below however dependent the columns are, some of which nearly repeat others. */
function problem(m: number, k: number, seed: number, nearly: number) {
  const draws = random(seed)
  const Z = Float64Array.from({ length: m * k }, () => draws.normal())
  for (let j = 1; j < k; j += 2)
    for (let r = 0; r < m; r++) Z[r * k + j] = Z[r * k + j - 1]! + nearly * draws.normal() * Math.abs(Z[r * k + j]!)
  const c = Float64Array.from({ length: m }, () => draws.normal())
  const H = new Float64Array(k * k)
  const b = new Float64Array(k)
  for (let i = 0; i < k; i++)
    for (let r = 0; r < m; r++) {
      b[i]! += Z[r * k + i]! * c[r]!
      for (let j = 0; j < k; j++) H[i * k + j]! += Z[r * k + i]! * Z[r * k + j]!
    }
  return { H, b, scale: c.reduce((sum, entry) => sum + entry * entry, 0) }
}

describe('a non-negative quadratic program', () => {
  it('is solved where blocks are as good as dependent, in few factorisations', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(),
        fc.constantFrom(1, 1e-4, 1e-8, 0),
        (m, k, seed, nearly) => {
          const { H, b, scale } = problem(m, k, seed, nearly)
          let factorisations = 0
          const counting: typeof js = {
            ...js,
            cholesky: (...given) => {
              factorisations++
              return js.cholesky(...given)
            },
          }
          const x = nonnegativeQp(counting, k, H, b, new Uint8Array(k).fill(1))!
          // KKT: slopes are not negative, and zero where x is not, for a diagonal that is raised by no more than a thousandth.
          for (let i = 0; i < k; i++) {
            expect(x[i]).toBeGreaterThanOrEqual(0)
            let slope = -b[i]!
            for (let j = 0; j < k; j++) slope += H[i * k + j]! * x[j]!
            const rounding = 1e-6 * Math.sqrt(H[i * (k + 1)]! * scale)
            expect(slope).toBeGreaterThan(-1e-3 * H[i * (k + 1)]! * x[i]! - rounding)
            if (x[i]! > 0) expect(slope).toBeLessThan(rounding)
          }
          expect(factorisations).toBeLessThan(250)
        },
      ),
      // What was given up after going round, with an answer far from any.
      { examples: [[8, 30, 1072685042, 1e-4]] },
    ))
})
