import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { coneIterate } from '../../solvers/cone-iterate.ts'
import { conePrices } from '../../solvers/cone-prices.ts'
import { gatesFrom, matrix, reluProgram, type Vector } from '../../src/index.ts'
import { backend } from '../../src/numerics/backends/index.ts'
import { random } from '../../src/numerics/random.ts'

const problem = fc.record({
  rows: fc.integer({ min: 2, max: 30 }),
  features: fc.integer({ min: 1, max: 6 }),
  gates: fc.integer({ min: 1, max: 20 }),
  repeated: fc.boolean(),
  weights: fc.integer({ min: 0, max: 6 }),
  count: fc.integer({ min: 1, max: 12 }),
  least: fc.double({ min: 0, max: 1.2, noNaN: true }),
  seed: fc.integer({ min: 1, max: 1e6 }),
})

describe('conePrices', () => {
  test.prop([problem], { numRuns: 150 })(
    'are those of projecting every block, wherever theta has come from',
    (given) => {
      const { prices, point, exact, weighed } = caseOf(given)
      for (const theta of thetas(given)) {
        point.theta = theta
        point.evaluate()
        const all = exact(theta)
        const most = Math.max(...all.lengths)
        const least = given.least * most
        const near = 1e-9 * most
        const largest = finished(prices.largest(least))
        if (most > least) expect(Math.abs(largest - most)).toBeLessThanOrEqual(near)
        else expect(largest).toBeLessThanOrEqual(least + near)

        // Of blocks whose projections are one, one is enough, and none where a block with a weight has it.
        const highest = finished(prices.highest(given.count, least))
        expect(new Set(highest).size).toBe(highest.length)
        const same = (a: number, b: number): boolean =>
          all.points[a]!.every((value, j) => Math.abs(value - all.points[b]![j]!) <= 1e-7 * most)
        const ranked = all.lengths.map((_, b) => b).sort((a, b) => all.lengths[b]! - all.lengths[a]!)
        for (const b of highest) {
          expect(weighed.has(b)).toBe(false)
          expect(all.lengths[b]!).toBeGreaterThan(least - near)
        }
        for (let k = 1; k < highest.length; k++)
          expect(all.lengths[highest[k]!]!).toBeLessThanOrEqual(all.lengths[highest[k - 1]!]! + near)
        const lowest = highest.length === given.count ? all.lengths[highest.at(-1)!]! : least
        for (const b of ranked) {
          if (weighed.has(b) || !(all.lengths[b]! > Math.max(lowest, least) + near)) continue
          expect(highest.some((other) => same(b, other)) || [...weighed].some((other) => same(b, other))).toBe(true)
        }
      }
    },
  )
})

type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never

function caseOf({ rows, features, gates, repeated, weights, seed }: Problem) {
  const draws = random(seed)
  const normals = (count: number): Vector => Float64Array.from({ length: count }, () => draws.normal())
  const X = matrix(rows, features, normals(rows * features))
  if (repeated)
    for (let k = features; k < X.data.length; k++) if (k % (2 * features) < features) X.data[k] = X.data[k % features]!
  const y = normals(rows)
  const vectors = matrix(gates, features, normals(gates * features))
  const made = () => reluProgram({ X, y, gates: gatesFrom(vectors, X), lambda: 1 })
  const program = made()
  const maps = program.operator.blocks!
  const cones = program.penalty.cones!
  const coefficients = new Float64Array(program.operator.columns)
  const point = coneIterate({ backend: backend(), maps, cones, output: 0, target: y, coefficients })
  const chosen = Int32Array.from({ length: Math.min(weights, maps.count) }, (_, b) => b)
  // Every other block has a weight; those without may be left out of the projections.
  const eta = Float64Array.from(chosen, (b) => (b % 2 === 0 ? 1 : 0))
  point.lambda = 0.1
  point.choose(chosen, eta)
  const everyBlock = Int32Array.from({ length: maps.count }, (_, b) => b)
  // By a program of its own, whose projections all begin from nothing.
  const exact = (theta: Vector): { lengths: number[]; points: Vector[] } => {
    const other = made().penalty.cones!
    const inputs = maps.correlations(everyBlock, theta)
    const points = Array.from(everyBlock, () => new Float64Array(maps.size))
    const lengths = Array.from(everyBlock, (b) => other.project(point.coneOf(b), inputs, b * maps.size, points[b]!, 0))
    return { lengths, points }
  }
  return {
    point,
    prices: conePrices(maps, cones, point, coefficients),
    exact,
    weighed: new Set(Array.from(chosen).filter((_, i) => eta[i]! > 0)),
  }
}

function thetas({ rows, seed }: Problem): Vector[] {
  const draws = random(seed + 1)
  const first = Float64Array.from({ length: rows }, () => draws.normal())
  const second = first.map((value) => value + 0.2 * draws.normal())
  return [first, second, second.map((value) => 0.5 * value)]
}

/** What a walk returns in the end. */
function finished<T>(walk: Generator<unknown, T>): T {
  for (;;) {
    const at = walk.next()
    if (at.done) return at.value
  }
}
