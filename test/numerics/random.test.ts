import { describe, expect, it } from 'vitest'
import { random } from '../../src/numerics/random.ts'

const count = 100_000

function draws(of: () => number): number[] {
  return Array.from({ length: count }, of)
}

/** Mean of f over values, and how many standard errors it is from `expected`, given the deviation of f. */
function errors(values: readonly number[], f: (value: number) => number, expected: number, deviation: number): number {
  const mean = values.reduce((total, value) => total + f(value), 0) / values.length
  return Math.abs(mean - expected) / (deviation / Math.sqrt(values.length))
}

describe('random', () => {
  it('draws the same numbers for the same seed, on every machine', () => {
    const source = random(1)
    expect([source.uniform(), source.uniform(), source.uniform()]).toEqual([
      0.09156953175513294, 0.8881928137485323, 0.43427017709149285,
    ])
    expect([source.normal(), source.normal()]).toEqual([0.3803943146421063, -0.5700680940401325])
    expect([source.below(100), source.below(100)]).toEqual([93, 95])
    expect(Array.from(source.permutation(8))).toEqual([0, 3, 4, 7, 6, 2, 1, 5])
    const large = random(2 ** 40 + 7)
    expect([large.uniform(), large.uniform()]).toEqual([0.2039804991321914, 0.7648929813684799])
  })

  it('draws other numbers for other seeds, also where they differ above 32 bits only', () => {
    const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 53 - 1]
    expect(new Set(seeds.map((seed) => random(seed).uniform())).size).toBe(seeds.length)
  })

  it('sources do not disturb each other', () => {
    const [a, b] = [random(5), random(5)]
    b.normal()
    for (let k = 0; k < 10; k++) b.uniform()
    const alone = random(5)
    for (let k = 0; k < 20; k++) expect(a.normal()).toBe(alone.normal())
  })

  it('uniform is on [0, 1), with the moments of that', () => {
    const source = random(3)
    const values = draws(source.uniform)
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
    expect(errors(values, (u) => u, 1 / 2, Math.sqrt(1 / 12))).toBeLessThan(4)
    expect(errors(values, (u) => u * u, 1 / 3, Math.sqrt(4 / 45))).toBeLessThan(4)
    // No correlation from one draw to the next.
    const pairs = values.slice(1).map((value, k) => (value - 0.5) * (values[k]! - 0.5))
    expect(errors(pairs, (p) => p, 0, 1 / 12)).toBeLessThan(4)
  })

  it('uniform uses all 53 bits', () => {
    const source = random(4)
    let low = 0
    for (let k = 0; k < 1000; k++) low += (source.uniform() * 2 ** 53) % 2
    expect(Math.abs(low - 500)).toBeLessThan(80)
  })

  it('normal has the moments of a standard normal', () => {
    const values = draws(random(6).normal)
    expect(errors(values, (z) => z, 0, 1)).toBeLessThan(4)
    expect(errors(values, (z) => z ** 2, 1, Math.sqrt(2))).toBeLessThan(4)
    expect(errors(values, (z) => z ** 3, 0, Math.sqrt(15))).toBeLessThan(4)
    expect(errors(values, (z) => z ** 4, 3, Math.sqrt(96))).toBeLessThan(4)
    const within = errors(values, (z) => (Math.abs(z) < 1 ? 1 : 0), 0.6826894921370859, 0.465)
    expect(within).toBeLessThan(4)
    const pairs = values.slice(1).map((value, k) => value * values[k]!)
    expect(errors(pairs, (p) => p, 0, 1)).toBeLessThan(4)
  })

  it('below is even on 0 .. bound - 1', () => {
    const source = random(7)
    for (const bound of [1, 2, 7]) {
      const counts = new Array<number>(bound).fill(0)
      for (let k = 0; k < 7000; k++) counts[source.below(bound)]!++
      const expected = 7000 / bound
      for (const seen of counts) expect(Math.abs(seen - expected)).toBeLessThanOrEqual(4 * Math.sqrt(expected))
    }
  })

  it('a permutation holds every number once', () => {
    const source = random(8)
    for (const size of [0, 1, 2, 50])
      expect(Array.from(source.permutation(size)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: size }, (_, k) => k),
      )
  })

  it('every permutation of 4 is as likely as any other', () => {
    const source = random(9)
    const counts = new Map<string, number>()
    for (let k = 0; k < 24_000; k++) {
      const key = source.permutation(4).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // Chi squared with 23 degrees of freedom: 49.7 is its 0.999 quantile.
    const chi = [...counts.values()].reduce((total, seen) => total + (seen - 1000) ** 2 / 1000, 0)
    expect(chi).toBeLessThan(49.7)
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses %s as a seed', (seed) => {
    expect(() => random(seed)).toThrow(
      new RangeError(`seed is ${seed}, expected a whole number from 0 to 2^53 - 1; pass for example seed: 1.`),
    )
  })
})
