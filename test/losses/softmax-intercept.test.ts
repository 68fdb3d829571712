import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logistic, type Matrix, matrix, softmax, type Vector } from '../../src/index.ts'
import { permutation, vector } from '../arbitraries.ts'

// Where nearly every row is far from a tie between its classes, the loss is all but linear in the intercepts and Newton steps
// are as long as e^distance: a line search by halving once gave up on them and returned intercepts of size 1e24.
const scales = [1, 10, 30, 100, 1000, 10_000]

/** Rows of every class, few of some, and a fit of any size. */
function labelled(classes: fc.Arbitrary<number>): fc.Arbitrary<{ Y: Matrix; fit: Vector }> {
  return classes
    .chain((c) =>
      fc.record({
        c: fc.constant(c),
        n: fc.integer({ min: c + 1, max: 16 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    )
    .chain(({ c, n, share }) =>
      fc.record({
        Y: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: n, maxLength: n }).map((draws) => {
          const Y = matrix(n, c)
          draws.forEach((draw, r) => {
            Y.data[r * c + (r < c ? r : draw < share ? Math.floor((draw / share) * c) : 0)] = 1
          })
          return Y
        }),
        fit: fc
          .tuple(vector(n * c), fc.constantFrom(...scales), permutation(n * c))
          .map(([z, scale, order]) => Float64Array.from(order, (k) => scale * z[k]!)),
      }),
    )
}

describe('softmax with an unpenalised intercept', () => {
  it('of two classes is the logistic loss of the difference of their columns', () => {
    fc.assert(
      fc.property(labelled(fc.constant(2)), ({ Y, fit }) => {
        const n = Y.rows
        const signs = matrix(
          n,
          1,
          Float64Array.from({ length: n }, (_, r) => (Y.data[2 * r + 1] === 1 ? 1 : -1)),
        )
        const odds = Float64Array.from({ length: n }, (_, r) => fit[2 * r + 1]! - fit[2 * r]!)
        const expected = logistic().over(signs, { intercept: true }).value(odds)
        const value = softmax().over(Y, { intercept: true }).value(fit)
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-12 * (1 + expected))
      }),
      { numRuns: 2000 },
    )
  })

  it('is never above the loss without one, and its gradient always gives a finite bound', () => {
    fc.assert(
      fc.property(labelled(fc.integer({ min: 2, max: 6 })), ({ Y, fit }) => {
        const loss = softmax().over(Y, { intercept: true })
        expect(loss.value(fit)).toBeLessThanOrEqual(softmax().over(Y).value(fit) * (1 + 1e-12))
        expect(loss.conjugate(loss.gradient(fit))).toBeLessThan(Number.POSITIVE_INFINITY)
      }),
      { numRuns: 2000 },
    )
  })
})
