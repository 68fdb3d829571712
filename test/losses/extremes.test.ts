import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LossChoice, type Matrix, matrix, type Vector } from '../../src/index.ts'
import { huber, logistic, softmax, squared, squaredHinge } from '../../src/losses/index.ts'
import { step, vector } from '../arbitraries.ts'

const sign = matrix(6, 1, Float64Array.of(1, -1, 1, -1, -1, 1))
const oneHot = matrix(6, 3, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0))
const amounts = matrix(6, 1, Float64Array.of(1, 2, -3, 0.5, 0, 40))
const weights = { sampleWeights: [1, 2, 0.1, 5, 1, 0] }

const cases: [choice: LossChoice, targets: Matrix][] = [
  [squared(weights), amounts],
  [huber({ delta: 0.7 }), amounts],
  [huber({ delta: 0.7, ...weights }), amounts],
  [logistic(), sign],
  [logistic(weights), sign],
  [squaredHinge(), sign],
  [squaredHinge(weights), sign],
  [softmax(), oneHot],
  [softmax(weights), oneHot],
]

/** Fits of size 1e-3 to 1e4. */
const fits = (targets: Matrix): fc.Arbitrary<Vector> =>
  fc
    .tuple(vector(targets.data.length), step(), fc.constantFrom(1, 10))
    .map(([z, size, more]) => z.map((value) => value * size * more))

for (const [choice, targets] of cases)
  for (const intercept of [false, true])
    describe(`${choice.name}${intercept ? ' with an unpenalised intercept' : ''}, at any size`, () => {
      const loss = choice.over(targets, { intercept })

      it('has a finite value, gradient and divergence', () => {
        fc.assert(
          fc.property(fits(targets), fits(targets), (to, at) => {
            expect(Number.isFinite(loss.value(to))).toBe(true)
            expect(loss.gradient(to).every((value) => Number.isFinite(value))).toBe(true)
            const divergence = loss.divergence(to, at)
            expect(divergence).toBeGreaterThanOrEqual(0)
            expect(Number.isFinite(divergence)).toBe(true)
          }),
        )
      })

      it('has its gradients, and everything between them and zero, in the domain of the conjugate', () => {
        fc.assert(
          fc.property(fits(targets), fc.double({ min: 0, max: 1, noNaN: true }), (z, s) => {
            const slope = loss.gradient(z)
            for (const scale of [1, s, s * 1e-8])
              expect(Number.isFinite(loss.conjugate(slope.map((value) => scale * value)))).toBe(true)
            const product = slope.reduce((total, value, k) => total + value * z[k]!, 0)
            const size = slope.reduce((total, value, k) => total + Math.abs(value * z[k]!), 0)
            const difference = loss.value(z) + loss.conjugate(slope) - product
            expect(Math.abs(difference)).toBeLessThanOrEqual(1e-12 * (1 + loss.value(z) + size))
          }),
        )
      })

      if (intercept)
        it('no intercept nearby or far is better, and the gradient has columns of sum zero', () => {
          const plain = choice.over(targets)
          const c = targets.columns
          fc.assert(
            fc.property(fits(targets), vector(c), step(), (z, direction, size) => {
              const best = loss.intercept!(z)
              const least = loss.value(z)
              const at = (by: number): number =>
                plain.value(z.map((value, k) => value + best[k % c]! + by * direction[k % c]!))
              expect(Math.abs(least - at(0))).toBeLessThanOrEqual(1e-12 * (1 + least))
              for (const by of [size, -size, size * 1e-3]) expect(at(by)).toBeGreaterThanOrEqual(least * (1 - 1e-12))
              const slope = loss.gradient(z)
              const total = slope.reduce((sum, value) => sum + Math.abs(value), 0)
              for (let k = 0; k < c; k++) {
                const column = slope.reduce((sum, value, i) => (i % c === k ? sum + value : sum), 0)
                expect(Math.abs(column)).toBeLessThanOrEqual(1e-13 * total + 1e-14)
              }
            }),
          )
        })
    })

// Classes that only a probability of e^-100 couples, beside others of weight 1: rounding once became steps of any length.
it('a softmax intercept is exact for weights and entries over many decades', () => {
  const rows = fc.array(step(), { minLength: 6, maxLength: 6 })
  const entries = fc.array(fc.tuple(step(), step(), fc.constantFrom(-1, 1)), { minLength: 18, maxLength: 18 })
  fc.assert(
    fc.property(rows, entries, (sampleWeights, factors) => {
      const z = Float64Array.from(factors, ([a, b, sign]) => sign * a * b)
      const loss = softmax({ sampleWeights }).over(oneHot, { intercept: true })
      const slope = loss.gradient(z)
      const total = slope.reduce((sum, value) => sum + Math.abs(value), 0)
      for (let k = 0; k < 3; k++) {
        const column = slope.reduce((sum, value, i) => (i % 3 === k ? sum + value : sum), 0)
        expect(Math.abs(column)).toBeLessThanOrEqual(1e-13 * total)
      }
    }),
    { numRuns: 2000 },
  )
})

describe('conjugates end where they should', () => {
  it('logistic: probabilities in [0, 1], and 0 at the ends', () => {
    const loss = logistic().over(matrix(1, 1, Float64Array.of(1)))
    const at = (p: number): number => loss.conjugate(Float64Array.of(p))
    expect([at(0), at(-1)].map(Math.abs)).toEqual([0, 0])
    expect(at(-0.5)).toBeCloseTo(-Math.log(2), 15)
    expect([at(1e-9), at(-1 - 1e-9)]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
  })

  it('softmax: rows that sum to zero, of probabilities', () => {
    const loss = softmax().over(matrix(1, 2, Float64Array.of(1, -1)))
    const at = (a: number, b: number): number => loss.conjugate(Float64Array.of(a, b))
    expect([at(0, 0), at(-1, 1)].map(Math.abs)).toEqual([0, 0])
    expect(at(-0.5, 0.5)).toBeCloseTo(-Math.log(2), 15)
    for (const outside of [at(-0.5, 0.4), at(0.1, -0.1), at(-1.1, 1.1)]) expect(outside).toBe(Number.POSITIVE_INFINITY)
  })

  it('squared hinge: forces towards the class', () => {
    const loss = squaredHinge().over(matrix(1, 1, Float64Array.of(-1)))
    expect(loss.conjugate(Float64Array.of(2))).toBe(0)
    expect(loss.conjugate(Float64Array.of(1))).toBe(-0.5)
    expect(loss.conjugate(Float64Array.of(-1e-9))).toBe(Number.POSITIVE_INFINITY)
  })

  it('huber: forces up to delta', () => {
    const loss = huber({ delta: 2 }).over(matrix(1, 1, Float64Array.of(3)))
    expect(loss.conjugate(Float64Array.of(2))).toBe(8)
    expect(loss.conjugate(Float64Array.of(-2.001))).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('huber with a delta above every residual is squared', () => {
  for (const intercept of [false, true])
    it(intercept ? 'with an unpenalised intercept' : 'without an intercept', () => {
      const [wide, plain] = [huber({ delta: 1e9 }), squared()].map((choice) => choice.over(amounts, { intercept }))
      fc.assert(
        fc.property(vector(6), vector(6), (z, to) => {
          expect(wide!.value(z)).toBeCloseTo(plain!.value(z), 10)
          expect(wide!.divergence(to, z)).toBeCloseTo(plain!.divergence(to, z), 12)
          const slope = plain!.gradient(z)
          wide!.gradient(z).forEach((value, k) => {
            expect(value).toBeCloseTo(slope[k]!, 12)
          })
          expect(wide!.conjugate(slope)).toBeCloseTo(plain!.conjugate(slope), 10)
          expect(wide!.intercept?.(z)[0] ?? 0).toBeCloseTo(plain!.intercept?.(z)[0] ?? 0, 12)
        }),
      )
    })
})
