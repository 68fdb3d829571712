import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { minNormPoint } from '../../src/certificates/pricing/min-norm-point.ts'
import { neuronAscent, neuronPrice } from '../../src/certificates/pricing/neuron-ascent.ts'
import { type Pricing, type PricingOptions, priceNeurons } from '../../src/certificates/pricing/price-neurons.ts'
import { rowSpace } from '../../src/certificates/pricing/row-space.ts'
import { enumerateGates, type Matrix, matrix, type Vector } from '../../src/index.ts'
import { isSet } from '../../src/numerics/bits.ts'
import { random } from '../../src/numerics/random.ts'
import { norm } from '../../src/numerics/vectors.ts'
import { activationCones, activeRows } from '../../src/sets/index.ts'

/** Data of low rank in more dimensions, rows twice, opposite, zero, near each other or of unlike lengths; with a column of ones. */
const problem = fc.record({
  rows: fc.integer({ min: 1, max: 14 }),
  features: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom(
    'normal',
    'bias',
    'duplicated',
    'low rank',
    'small whole numbers',
    'unlike scales',
    'zero rows',
  ),
  seed: fc.integer({ min: 1, max: 1e6 }),
})
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never

function made({ rows, features, kind, seed }: Problem): { X: Matrix; r: Vector } {
  const draws = random(seed)
  const X = matrix(rows, features)
  for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
  const r = Float64Array.from({ length: rows }, () => draws.normal())
  const row = (k: number): Vector => X.data.subarray(k * features, (k + 1) * features)
  if (kind === 'bias') for (let k = 0; k < rows; k++) row(k)[features - 1] = 1
  if (kind === 'duplicated')
    for (let k = 1; k < rows; k += 2) row(k).set(row(k - 1).map((entry) => (k % 4 === 1 ? entry : -2 * entry)))
  if (kind === 'small whole numbers') for (let k = 0; k < X.data.length; k++) X.data[k] = draws.below(5) - 2
  if (kind === 'unlike scales') for (let k = 0; k < rows; k++) row(k).set(row(k).map((a) => a * 10 ** (k % 7)))
  if (kind === 'zero rows') for (let k = 0; k < rows; k += 3) row(k).fill(0)
  if (kind === 'low rank') {
    const wide = matrix(rows, features + 2)
    for (let k = 0; k < rows; k++)
      for (let j = 0; j < features + 2; j++)
        wide.data[k * (features + 2) + j] = row(k).reduce((sum, a, i) => sum + a * Math.cos(i + 3 * j + 1), 0)
    return { X: wide, r }
  }
  return { X, r }
}

function priced(X: Matrix, r: Vector, options?: PricingOptions): Pricing {
  const working = priceNeurons(X, r, options)
  for (;;) {
    const at = working.next()
    if (at.done) return at.value
  }
}

/** The highest price by listing: over all patterns, the length of the projection of X'D r on the pattern's cone. */
function listed(X: Matrix, r: Vector): number {
  const gates = enumerateGates(X)
  const cones = activationCones(X, gates.patterns)
  const out = new Float64Array(X.columns)
  let most = 0
  for (let i = 0; i < gates.count; i++) {
    const slope = new Float64Array(X.columns)
    for (let k = 0; k < X.rows; k++)
      if (isSet(gates.patterns, k, i))
        for (let j = 0; j < X.columns; j++) slope[j]! += r[k]! * X.data[k * X.columns + j]!
    most = Math.max(most, cones.project(i, slope, 0, out, 0, activeRows(X.columns)))
  }
  return most
}

/** What prices are made of: sum_k |r_k| |x_k|. */
function size(X: Matrix, r: Vector): number {
  return r.reduce(
    (sum, entry, k) => sum + Math.abs(entry) * norm(X.data.subarray(k * X.columns, (k + 1) * X.columns)),
    1e-300,
  )
}

const direction = (draws: ReturnType<typeof random>, d: number): Vector => {
  const u = Float64Array.from({ length: d }, () => draws.normal())
  const length = norm(u)
  return u.map((entry) => entry / length)
}

describe('the price of neurons', () => {
  test.prop([problem], { numRuns: 200 })('is that of the best of all patterns, bounded from both sides', (given) => {
    const { X, r } = made(given)
    const { upper, lower } = priced(X, r, { starts: 8 })
    const exact = listed(X, r)
    const rounding = 1e-9 * size(X, r)
    expect(Math.abs(lower - exact)).toBeLessThanOrEqual(rounding)
    expect(upper).toBeGreaterThanOrEqual(exact - 1e-13 * size(X, r))
    expect(upper - exact).toBeLessThanOrEqual(rounding)
  })

  test.prop([problem], { numRuns: 100 })(
    'is reached by the neuron it comes with, and by no other exceeded',
    (given) => {
      const { X, r } = made(given)
      const { upper, lower, neurons } = priced(X, r, { starts: 8 })
      for (const { direction: u, price } of neurons) {
        expect(norm(u)).toBeCloseTo(1, 12)
        expect(Math.abs(neuronPrice(X, r, u) - price)).toBeLessThanOrEqual(1e-12 * size(X, r))
        expect(price).toBeLessThanOrEqual(lower)
      }
      const draws = random(given.seed + 1)
      for (let k = 0; k < 200; k++) expect(neuronPrice(X, r, direction(draws, X.columns))).toBeLessThanOrEqual(upper)
    },
  )

  test.prop([problem, fc.integer({ min: 0, max: 60 })], { numRuns: 60 })(
    'is bounded from above however early the search ends',
    (given, maxNodes) => {
      const { X, r } = made(given)
      const exact = listed(X, r)
      for (const target of [0, 0.5 * exact, 2 * exact]) {
        const { upper, lower } = priced(X, r, { starts: 1, maxNodes, target })
        expect(upper).toBeGreaterThanOrEqual(exact - 1e-13 * size(X, r))
        expect(lower).toBeLessThanOrEqual(exact + 1e-12 * size(X, r))
      }
    },
  )

  test.prop([problem, fc.constantFrom(1e-12, 1e-5, 1e7, 1e12)], { numRuns: 40 })(
    'scales with X and with r',
    (given, scale) => {
      const { X, r } = made(given)
      const one = priced(X, r, { starts: 4 })
      const other = priced(
        matrix(
          X.rows,
          X.columns,
          X.data.map((entry) => scale * entry),
        ),
        r.map((entry) => entry / 3),
        { starts: 4 },
      )
      expect(Math.abs((3 * other.upper) / scale - one.upper)).toBeLessThanOrEqual(1e-9 * size(X, r))
    },
  )

  it('says where to look no further: below a target nothing is bounded closely', () => {
    const { X, r } = made({ rows: 14, features: 3, kind: 'normal', seed: 5 })
    const exact = priced(X, r)
    const loose = priced(X, r, { target: 3 * exact.upper })
    expect(loose.nodes).toBeLessThan(exact.nodes)
    expect(loose.upper).toBeLessThanOrEqual(3 * exact.upper * (1 + 1e-9))
    const stopped = priced(X, r, { target: 0.5 * exact.upper, stopAtViolation: true })
    expect(stopped.nodes).toBe(0)
    expect(stopped.lower).toBeGreaterThan(0.5 * exact.upper)
  })

  it('of a zero residual, or of zero rows, is zero', () => {
    expect(priced(matrix(3, 2, Float64Array.of(1, 2, 3, 4, 5, 6)), new Float64Array(3)).upper).toBe(0)
    expect(priced(matrix(3, 2), Float64Array.of(1, -1, 2)).upper).toBe(0)
  })
})

describe('an ascent', () => {
  test.prop([problem], { numRuns: 100 })(
    'never falls, and ends at a local maximum unless a row it would rather have on lies on its boundary',
    (given) => {
      const { X, r } = made(given)
      const { coordinates } = rowSpace(X)
      if (coordinates.columns === 0) return
      const draws = random(given.seed)
      const climb = neuronAscent(coordinates, r)
      const start = direction(draws, coordinates.columns)
      const { direction: end, price } = climb(start)
      expect(price).toBeGreaterThanOrEqual(neuronPrice(coordinates, r, start))
      expect(price).toBe(neuronPrice(coordinates, r, end))
      const { rows, columns, data } = coordinates
      const onBoundary = (k: number): boolean => {
        const x = data.subarray(k * columns, (k + 1) * columns)
        return Math.abs(x.reduce((sum, entry, j) => sum + entry * end[j]!, 0)) <= 2e-6 * norm(x)
      }
      if (!(price > 0) || Array.from({ length: rows }, (_, k) => k).some((k) => r[k]! > 0 && onBoundary(k))) return
      for (let k = 0; k < 50; k++) {
        const near = direction(draws, coordinates.columns).map((entry, j) => end[j]! + 1e-6 * entry)
        const length = norm(near)
        const there = neuronPrice(
          coordinates,
          r,
          near.map((entry) => entry / length),
        )
        expect(there).toBeLessThanOrEqual(price + 1e-9 * size(X, r))
      }
    },
  )
})

describe('the shortest point of a sum of segments and rays', () => {
  const sum = fc.record({
    dimension: fc.integer({ min: 1, max: 6 }),
    segments: fc.integer({ min: 0, max: 12 }),
    rays: fc.integer({ min: 0, max: 6 }),
    copies: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  test.prop([sum], { numRuns: 300 })(
    'meets its optimality conditions',
    ({ dimension: d, segments, rays, copies, seed }) => {
      const draws = random(seed)
      const normal = (count: number): Vector => Float64Array.from({ length: count }, () => draws.normal())
      const generators = normal(segments * d)
      if (copies && segments > 1) generators.copyWithin(d, 0, d)
      const c = normal(d).map((entry) => 2 * entry)
      const cone = normal(rays * d)
      for (let i = 0; i < rays; i++) {
        const ray = cone.subarray(i * d, (i + 1) * d)
        const length = norm(ray)
        ray.set(ray.map((entry) => entry / length))
      }
      const { point, length, bound } = minNormPoint(d).solve({
        c,
        generators,
        chosen: Int32Array.from({ length: segments }, (_, k) => k),
        count: segments,
        ...(rays > 0 && { rays: cone }),
        guess: normal(d),
      })
      const w = point.slice()
      expect(length).toBeCloseTo(norm(w), 12)
      expect(bound).toBeLessThanOrEqual(length)
      const scale = norm(c) + generators.reduce((total, entry) => total + Math.abs(entry), 0)
      // Short of zero itself: rays meet w at an obtuse angle never, and no vertex is nearer along w.
      if (length < 1e-6 * scale) return
      for (let i = 0; i < rays; i++) {
        const along = w.reduce((total, entry, j) => total + entry * cone[i * d + j]!, 0)
        expect(along / length).toBeGreaterThanOrEqual(-1e-7 * scale)
      }
      let nearest = w.reduce((total, entry, j) => total + entry * c[j]!, 0)
      for (let k = 0; k < segments; k++)
        nearest += Math.min(
          0,
          w.reduce((total, entry, j) => total + entry * generators[k * d + j]!, 0),
        )
      expect(length - nearest / length).toBeLessThanOrEqual(1e-6 * scale)
    },
  )
})
