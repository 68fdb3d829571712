import fc from 'fast-check'
import { expect, it } from 'vitest'
import { unitScale } from '../../src/numerics/unit.ts'

const sizes = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }), { minLength: 1 })

it('unitScale brings the largest number of any sign and size near 1, by a power of two', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: -900, max: 1000 }), (values, exponent) => {
      const most = Math.max(...values.map(Math.abs))
      fc.pre(most > 1e-20)
      const scale = unitScale(Float64Array.from(values, (value) => value * 2 ** exponent))
      expect(Number.isInteger(Math.log2(scale))).toBe(true)
      expect(most * 2 ** exponent * scale).toBeGreaterThan(1 - 1e-9)
      expect(most * 2 ** exponent * scale).toBeLessThan(2)
    }),
  )
})

it('unitScale leaves as they are zeros and what is no number, and is finite at both ends of float64', () => {
  expect(unitScale(new Float64Array(2))).toBe(1)
  expect(unitScale(Float64Array.of(Number.NaN))).toBe(1)
  expect(unitScale(Float64Array.of(Number.NEGATIVE_INFINITY))).toBe(1)
  expect(unitScale(Float64Array.of(-Number.MIN_VALUE))).toBe(2 ** 1000)
  expect(unitScale(Float64Array.of(-Number.MAX_VALUE))).toBe(2 ** -1000)
})
