import ttest from '@stdlib/stats-ttest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confidenceInterval, crossValidate, type HeldOutPoint, pairedTest } from '../../src/index.ts'
import { exactJson, parseExact } from '../../src/sweeps/exact-json.ts'
import { summarizePaths } from '../../src/sweeps/summarize.ts'
import { bent } from '../support/planted.ts'

const losses = (min = 2): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: min, maxLength: 12 })
const pairs = fc.array(
  fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })),
  {
    minLength: 2,
    maxLength: 12,
  },
)
const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values)

/** A path with these losses, at lambdas 1, 1/2, 1/4, ... */
const path = (values: readonly number[]): HeldOutPoint[] =>
  values.map((loss, k) => ({
    ...{ lambda: 2 ** -k, loss, status: 'solved', iterations: 1, primal: 1, dual: 1, relativeGap: 0, neurons: k },
  }))

describe('numbers as text', () => {
  it('come back as they were, those too that JSON has no number for', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        expect(parseExact(exactJson({ values }))).toEqual({ values })
      }),
    )
    expect(parseExact(exactJson([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324]))).toEqual(
      [...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324]],
    )
  })
})

describe('a summary of paths', () => {
  it('has mean, deviation and standard error of every lambda', () => {
    const { points } = summarizePaths([path([4, 1]), path([2, 3]), path([3, 2])])
    expect(points.map(({ lambda }) => lambda)).toEqual([1, 0.5])
    expect(points[0]).toMatchObject({ mean: 3, standardDeviation: 1, losses: [4, 2, 3], neurons: 0, relativeGap: 0 })
    expect(points[0]!.standardError).toBeCloseTo(1 / Math.sqrt(3), 15)
  })

  it('chooses the smallest mean, and by the one-standard-error rule the largest lambda that is not clearly worse', () => {
    // Means 5, 3.4, 3, 3.1; the standard error at 3 is 0.5.
    const found = summarizePaths([path([5, 2.9, 2.5, 3.1]), path([5, 3.9, 3.5, 3.1])])
    expect(found).toMatchObject({ lambdaMin: 0.25, lambda1se: 0.5, lossesAtMin: [2.5, 3.5] })
    // A fifth of the deviation, and the rule keeps to the smallest mean.
    const sure = summarizePaths([path([5, 3.4, 2.9, 3.1]), path([5, 3.4, 3.1, 3.1])])
    expect(sure).toMatchObject({ lambdaMin: 0.25, lambda1se: 0.25 })
  })

  it('never chooses a smaller lambda by that rule, nor a mean above the bound', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(losses(5), losses(5)), { minLength: 1, maxLength: 4 }), (folds) => {
        const { points, lambdaMin, lambda1se } = summarizePaths(folds.flat().map((one) => path(one.slice(0, 5))))
        const at = (lambda: number): { mean: number; standardError: number } =>
          points.find((point) => point.lambda === lambda)!
        expect(lambda1se).toBeGreaterThanOrEqual(lambdaMin)
        expect(at(lambda1se).mean).toBeLessThanOrEqual(at(lambdaMin).mean + at(lambdaMin).standardError)
        expect(at(lambdaMin).mean).toBe(Math.min(...points.map(({ mean }) => mean)))
      }),
    )
  })

  it('of one fold has no deviation, and of none no lambda', () => {
    expect(summarizePaths([path([2, 1, 3])])).toMatchObject({ lambdaMin: 0.5, lambda1se: 0.5 })
    expect(summarizePaths([])).toEqual({ points: [], lambdaMin: Number.NaN, lambda1se: Number.NaN, lossesAtMin: [] })
  })
})

describe('a confidence interval', () => {
  it('of independent values is that of the t test', async () => {
    await fc.assert(
      fc.asyncProperty(losses(), fc.double({ min: 0.5, max: 0.999, noNaN: true }), async (values, level) => {
        fc.pre(spread(values) > 1e-3)
        const { mean, lower, upper } = await confidenceInterval(values, { level })
        const [low, high] = ttest(values, { alpha: 1 - level }).ci
        const size = 1e-9 * (1 + Math.abs(high - low))
        expect(Math.abs(lower - low!)).toBeLessThan(size)
        expect(Math.abs(upper - high!)).toBeLessThan(size)
        expect(lower <= mean && mean <= upper).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('is wider by sqrt(1 + J r) where folds overlap', async () => {
    const values = [3, 4, 5, 4, 6]
    const naive = await confidenceInterval(values)
    const corrected = await confidenceInterval(values, { testRatio: 1 / 4 })
    // t of 0.975 and 4 degrees of freedom is 2.776445105; the deviation of these is sqrt(1.3).
    expect(naive.upper - naive.mean).toBeCloseTo(2.776445105 * Math.sqrt(1.3 / 5), 8)
    expect((corrected.upper - corrected.mean) / (naive.upper - naive.mean)).toBeCloseTo(Math.sqrt(1 + 5 / 4), 12)
  })

  it('of equal values is a point', async () => {
    expect(await confidenceInterval([2, 2, 2])).toEqual({ mean: 2, lower: 2, upper: 2 })
  })
})

describe('a paired test', () => {
  it('without correction is the paired t test', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (both) => {
        const [a, b] = [both.map(([first]) => first), both.map(([, second]) => second)]
        fc.pre(spread(both.map(([first, second]) => first - second)) > 1e-3)
        const found = await pairedTest(a, b)
        const { statistic, pValue } = ttest(a, b)
        expect(Math.abs(found.t - statistic)).toBeLessThan(1e-9 * (1 + Math.abs(statistic)))
        expect(Math.abs(found.p - pValue)).toBeLessThan(1e-9)
      }),
      { numRuns: 40 },
    )
  })

  it('is the corrected resampled t test with the ratio of the rows', async () => {
    // Ten folds of which each holds out a ninth of what it trains on.
    const a = [0.21, 0.19, 0.25, 0.22, 0.2, 0.24, 0.23, 0.18, 0.22, 0.21]
    const b = [0.2, 0.18, 0.22, 0.22, 0.19, 0.2, 0.21, 0.18, 0.2, 0.19]
    const naive = await pairedTest(a, b)
    const { t, p, degreesOfFreedom, lower, upper } = await pairedTest(a, b, { testRatio: 1 / 9 })
    expect(t).toBeCloseTo(naive.t / Math.sqrt(1 + 10 / 9), 12)
    expect(degreesOfFreedom).toBe(9)
    expect(p).toBeGreaterThan(naive.p)
    // The interval leaves out zero exactly where the test finds a difference.
    expect(lower > 0 || upper < 0).toBe(p < 0.05)
  })

  it('changes its sign with the order, and says nothing of equal losses', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (both) => {
        const [a, b] = [both.map(([first]) => first), both.map(([, second]) => second)]
        const [forth, back] = await Promise.all([pairedTest(a, b), pairedTest(b, a)])
        expect(forth.t).toBeCloseTo(-back.t, 12)
        expect(forth.p).toBe(back.p)
        expect(await pairedTest(a, a)).toMatchObject({ mean: 0, t: 0, p: 1 })
      }),
      { numRuns: 20 },
    )
    expect(await pairedTest([2, 3], [1, 2])).toMatchObject({ mean: 1, t: Number.POSITIVE_INFINITY, p: 0 })
  })

  it('finds the same expected loss different about as often as it says, where the naive one does far more often', async () => {
    // Losses of repeated folds: with the correlation r / (1 + r) that Nadeau and Bengio assume of rows that overlap.
    const [folds, repeats, r] = [5, 6, 1 / 4]
    const draws = (await import('../../src/numerics/random.ts')).random(1)
    const rejected = { corrected: 0, naive: 0 }
    const trials = 400
    const J = folds * repeats
    const zeros = new Array<number>(J).fill(0)
    for (let trial = 0; trial < trials; trial++) {
      const common = Math.sqrt(r / (1 + r)) * draws.normal()
      const differences = zeros.map(() => common + Math.sqrt(1 / (1 + r)) * draws.normal())
      if ((await pairedTest(differences, zeros, { testRatio: r })).p < 0.05) rejected.corrected++
      if ((await pairedTest(differences, zeros)).p < 0.05) rejected.naive++
    }
    expect(rejected.corrected / trials).toBeLessThan(0.09)
    expect(rejected.naive / trials).toBeGreaterThan(0.3)
  })
})

describe('statistics refuse', () => {
  it.each([
    ['confidenceInterval: there are 1 values (0 not finite), expected two finite ones', () => confidenceInterval([1])],
    ['confidenceInterval: there are 2 values (1 not finite)', () => confidenceInterval([1, Number.NaN])],
    ['confidenceInterval: level is 95, expected between 0 and 1', () => confidenceInterval([1, 2], { level: 95 })],
    ['pairedTest: there are 2 losses of one setting and 3 of the other', () => pairedTest([1, 2], [1, 2, 3])],
    ['pairedTest: testRatio is -1, expected at least 0', () => pairedTest([1, 2], [3, 5], { testRatio: -1 })],
  ])('%s', async (sentence, call) => {
    await expect(call()).rejects.toThrow(sentence)
  })
})

describe('crossValidate', () => {
  it('tells settings apart where one of them cannot bend, and not where both are the same but for their gates', async () => {
    const { X, y } = bent(80, 1, 0.1)
    const lambdas = [0.1, 0.01, 0.003]
    const settings = [{ gates: 1 }, { gates: 20 }, { gates: 21 }].map((one) => ({ ...one, lambdas }))
    const summary = await crossValidate({ X, y }, { settings, seeds: [1, 2] })
    expect(summary).toMatchObject({ complete: true, testRatio: 0.25 })
    expect(summary.best).toBeGreaterThan(0)
    expect(summary.results).toHaveLength(30)
    const [flat, bends, again] = summary.settings.map(({ lossesAtMin }) => lossesAtMin)
    expect(flat).toHaveLength(10)
    expect((await pairedTest(flat!, bends!, summary)).p).toBeLessThan(0.01)
    expect((await pairedTest(bends!, again!, summary)).p).toBeGreaterThan(0.05)
  })

  it('says that it is not complete where the signal ended it, and judges by what was done', async () => {
    const { X, y } = bent(60)
    const stop = new AbortController()
    const options = { settings: [{ gates: 8, lambdaCount: 4 }], signal: stop.signal }
    // Two of five folds.
    const onProgress = ({ share }: { share: number }): void => {
      if (share >= 0.5) stop.abort()
    }
    const { complete, results, settings } = await crossValidate({ X, y }, { ...options, onProgress })
    expect(complete).toBe(false)
    expect(results).toHaveLength(2)
    expect(settings[0]!.points[0]!.losses).toEqual(results.map(({ points }) => points[0]!.loss))
  })
})
