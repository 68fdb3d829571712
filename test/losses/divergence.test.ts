import { type BigNumber, BigNumberDependencies, create, expDependencies, logDependencies } from 'mathjs'
import { describe, expect, it } from 'vitest'
import { matrix } from '../../src/index.ts'
import { huber, logistic, softmax, squaredHinge } from '../../src/losses/index.ts'

// Eighty digits: a difference of values of size 1e4 that is 1e-50 still has twenty.
const math = create({ BigNumberDependencies, expDependencies, logDependencies }, { number: 'BigNumber', precision: 80 })
/** Exactly x: `bignumber(x)` alone is the shortest decimal that reads as x, which may be another number. */
const big = (x: number): BigNumber => {
  let numerator = x
  let halvings = 0
  for (; !Number.isInteger(numerator); halvings++) numerator *= 2
  return math.bignumber(numerator).dividedBy(math.bignumber(2).pow(halvings))
}
const exp = (x: BigNumber): BigNumber => math.exp(x) as BigNumber
const log = (x: BigNumber): BigNumber => math.log(x) as BigNumber

/** Within a relative 1e-6; of values below 1e-50, as nearly zero. */
function expectExact(actual: number, exact: BigNumber): void {
  const expected = exact.toNumber()
  expect(actual).toBeGreaterThanOrEqual(0)
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-6 * expected + 1e-50)
}

const points = [0, 0.3, -1.7, 5, -20, 36, 100, -100, 700, -1e4, 1e4]
const steps = [1e-8, -1e-8, 1e-5, -1e-3, 0.4, -0.6, 3, -30, 50, 100, -100, 730, 1500, -2e4, 2e4]

describe('the divergence agrees with 80 digits', () => {
  it('logistic', () => {
    const loss = logistic().over(matrix(1, 1, Float64Array.of(1)))
    for (const at of points)
      for (const h of steps) {
        const to = at + h
        const value = (z: number): BigNumber => log(big(1).plus(exp(big(z).negated())))
        const slope = big(-1).dividedBy(big(1).plus(exp(big(at))))
        expectExact(
          loss.divergence(Float64Array.of(to), Float64Array.of(at)),
          value(to)
            .minus(value(at))
            .minus(slope.times(big(to).minus(big(at)))),
        )
      }
  })

  it('softmax', () => {
    const loss = softmax().over(matrix(1, 3, Float64Array.of(0, 1, 0)))
    const sum = (terms: BigNumber[]): BigNumber => terms.reduce((a, b) => a.plus(b))
    for (const a of [0, -1.7, 36, -100, 1e4, -1e4])
      for (const b of [0, 40])
        for (const h of steps)
          for (const direction of [
            [1, 0, 0],
            [1, -2, 0.5],
            [0, 0.25, -1],
          ]) {
            const at = [a, b, 0.5]
            const to = at.map((z, k) => z + h * direction[k]!)
            const value = (z: number[]): BigNumber => log(sum(z.map((entry) => exp(big(entry)))))
            const parts = at.map((z) => exp(big(z)))
            const slope = sum(parts.map((part, k) => part.times(big(to[k]!).minus(big(at[k]!))))).dividedBy(sum(parts))
            expectExact(
              loss.divergence(Float64Array.from(to), Float64Array.from(at)),
              value(to).minus(value(at)).minus(slope),
            )
          }
  })

  it('squared hinge', () => {
    const loss = squaredHinge().over(matrix(1, 1, Float64Array.of(1)))
    const positive = (x: BigNumber): BigNumber => (x.isNegative() ? big(0) : x)
    for (const at of [...points, 1, 1 + 1e-8, 1 - 1e-8, 1 + 1e-5])
      for (const h of steps) {
        const to = at + h
        const margin = (z: number): BigNumber => positive(big(1).minus(big(z)))
        const value = (z: number): BigNumber => margin(z).times(margin(z)).dividedBy(2)
        expectExact(
          loss.divergence(Float64Array.of(to), Float64Array.of(at)),
          value(to)
            .minus(value(at))
            .plus(margin(at).times(big(to).minus(big(at)))),
        )
      }
  })

  it('huber', () => {
    const loss = huber({ delta: 0.5 }).over(matrix(1, 1, Float64Array.of(0.25)))
    const clip = (e: BigNumber): BigNumber => (e.greaterThan(0.5) ? big(0.5) : e.lessThan(-0.5) ? big(-0.5) : e)
    for (const at of [...points, 0.75, 0.75 + 1e-8, -0.25, -0.25 - 1e-8, 0.75 - 1e-5])
      for (const h of steps) {
        const to = at + h
        const residual = (z: number): BigNumber => big(z).minus(big(0.25))
        const value = (z: number): BigNumber => {
          const c = clip(residual(z))
          return c.times(residual(z).minus(c.dividedBy(2)))
        }
        expectExact(
          loss.divergence(Float64Array.of(to), Float64Array.of(at)),
          value(to)
            .minus(value(at))
            .minus(clip(residual(at)).times(big(to).minus(big(at)))),
        )
      }
  })
})
