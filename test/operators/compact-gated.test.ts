import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { compactMatrix, gatesFrom, type Matrix, matrix, sampleGates, type Vector } from '../../src/index.ts'
import { backends, useBackend } from '../../src/numerics/backends/index.ts'
import { random } from '../../src/numerics/random.ts'
import { compactGatedOperator, gatedOperator } from '../../src/operators/index.ts'
import { plainMatrix, vector } from '../arbitraries.ts'

/** A few units of float32's rounding, for sums of some hundred terms. */
const SINGLE = 2e-6

function expectNear(actual: Vector, expected: Vector, tolerance: number): void {
  const size = Math.sqrt(expected.reduce((sum, entry) => sum + entry * entry, 0)) + 1e-6
  expect(actual.length).toBe(expected.length)
  for (let k = 0; k < actual.length; k++)
    expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThanOrEqual(tolerance * size)
}

interface Specimen {
  readonly X: Matrix
  readonly vectors: Matrix
  readonly outputs: number
  readonly u: Vector
  readonly p: Vector
}

const specimen: fc.Arbitrary<Specimen> = fc
  .tuple(
    fc.integer({ min: 1, max: 70 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([n, d, P, outputs]) =>
    fc.record({
      X: plainMatrix(n, d),
      vectors: plainMatrix(P, d),
      outputs: fc.constant(outputs),
      u: vector(P * outputs * d),
      p: vector(n * outputs),
    }),
  )

const law = (check: (at: Specimen) => void): void => fc.assert(fc.property(specimen, check), { numRuns: 60 })

describe('compactGatedOperator', () => {
  afterEach(() => {
    useBackend('wasm')
  })

  it.each(backends().map(({ name }) => name))(
    'is the gated operator on %s, to float32, and in float64 exactly so',
    (name) => {
      useBackend(name)
      law(({ X, vectors, outputs, u, p }) => {
        const { patterns } = gatesFrom(vectors, X)
        const compact = compactGatedOperator(X, patterns, outputs)
        const full = gatedOperator(X, patterns, outputs)
        expectNear(compact.apply(u), full.apply(u), 10 * SINGLE * Math.sqrt(u.length))
        expectNear(compact.adjoint(p), full.adjoint(p), 10 * SINGLE * Math.sqrt(p.length))
        expectNear(compact.exact.apply(u), full.apply(u), 1e-12 * Math.sqrt(u.length))
        expectNear(compact.exact.adjoint(p), full.adjoint(p), 1e-12 * Math.sqrt(p.length))
      })
    },
  )

  it.each(backends().map(({ name }) => name))('maps pairs of a block and an output like the whole, on %s', (name) => {
    useBackend(name)
    law(({ X, vectors, outputs, u, p }) => {
      const d = X.columns
      const { patterns, count } = gatesFrom(vectors, X)
      const compact = compactGatedOperator(X, patterns, outputs)
      // Every third pair and the first, the last ones first; outputs may go without.
      const all = Array.from({ length: count * outputs }, (_, i) => count * outputs - 1 - i)
      const chosen = all.filter((i) => i % 3 === 0)
      const pairs = compact.blocks.pairs!(
        Int32Array.from(chosen, (i) => Math.floor(i / outputs)),
        Int32Array.from(chosen, (i) => i % outputs),
      )
      const back = compact.adjoint(p)
      const own = new Float64Array(chosen.length * d)
      const inPlace = new Float64Array(u.length)
      chosen.forEach((i, k) => {
        own.set(back.subarray(i * d, (i + 1) * d), k * d)
        inPlace.set(u.subarray(i * d, (i + 1) * d), i * d)
      })
      expect([pairs.rows, pairs.columns]).toEqual([compact.rows, own.length])
      expectNear(pairs.adjoint(p), own, 10 * SINGLE * Math.sqrt(p.length))
      const some = Float64Array.from(chosen.flatMap((i) => [...u.subarray(i * d, (i + 1) * d)]))
      expectNear(pairs.apply(some), compact.apply(inPlace), 10 * SINGLE * Math.sqrt(u.length))
    })
  })

  it("has <A u, p> = <u, A'p>, in float64 to its rounding", () =>
    law(({ X, vectors, outputs, u, p }) => {
      const { exact } = compactGatedOperator(X, gatesFrom(vectors, X).patterns, outputs)
      const inner = (a: Vector, b: Vector): number => a.reduce((sum, entry, k) => sum + entry * b[k]!, 0)
      const size = exact.apply(u.map(Math.abs)).reduce((sum, entry) => sum + Math.abs(entry), 1)
      const largest = p.reduce((most, entry) => Math.max(most, Math.abs(entry)), 1)
      const entries = X.data.reduce((sum, entry) => sum + Math.abs(entry), 1)
      const weight = u.reduce((sum, entry) => sum + Math.abs(entry), 1)
      expect(Math.abs(inner(exact.apply(u), p) - inner(u, exact.adjoint(p)))).toBeLessThanOrEqual(
        1e-13 * (size + entries * weight) * largest,
      )
    }))

  it('offers the blocks of the gated operator, and of a selection', () =>
    law(({ X, vectors, outputs, p }) => {
      const { patterns, count } = gatesFrom(vectors, X)
      const chosen = Int32Array.from({ length: Math.ceil(count / 2) }, (_, i) => count - 1 - i)
      const compact = compactGatedOperator(X, patterns, outputs).select(chosen).blocks
      const full = gatedOperator(X, patterns, outputs).select(chosen).blocks
      const every = Int32Array.from(chosen, (_, i) => i)
      const some = p.slice(0, X.rows)
      const correlations = full.correlations(every, some)
      expectNear(compact.correlations(every, some), correlations, 1e-4)
      const images = full.images(every, correlations)
      expectNear(compact.images(every, correlations), images, 1e-4)
      const sum = new Float64Array(X.rows)
      images.forEach((entry, k) => {
        sum[k % X.rows]! += entry
      })
      expectNear(compact.combination!(every, correlations), sum, 1e-4)
      const weights = Float64Array.from(every, (i) => 1 + i)
      expectNear(compact.kernel(every, weights), full.kernel(every, weights), 1e-11)
      expectNear(compact.gram(0, every.length - 1), full.gram(0, every.length - 1), 1e-11)
    }))

  it('sketches columns of the kernel, and knows the trace of every block', () =>
    law(({ X, vectors }) => {
      const { patterns, count } = gatesFrom(vectors, X)
      const { blocks } = compactGatedOperator(X, patterns)
      const n = X.rows
      const every = Int32Array.from({ length: count }, (_, i) => i)
      const weights = Float64Array.from(every, (i) => 0.5 + i)
      const lower = gatedOperator(X, patterns).blocks.kernel(every, weights)
      const rows = Int32Array.from({ length: Math.ceil(n / 3) }, (_, k) => (2 * k) % n)
      const sketch = blocks.sketch!(rows)
      const found = sketch.columns(every, weights, new Float64Array(n * rows.length))
      const expected = new Float64Array(n * rows.length)
      let trace = 0
      for (let r = 0; r < n; r++) {
        trace += lower[r * n + r]!
        rows.forEach((j, k) => {
          expected[r * rows.length + k] = lower[Math.max(r, j) * n + Math.min(r, j)]!
        })
      }
      expectNear(found, expected, 1e-5)
      const traces = every.reduce((sum, b) => sum + weights[b]! * sketch.traces[b]!, 0)
      expect(Math.abs(traces - trace)).toBeLessThanOrEqual(1e-5 * (1 + trace))
      const diagonal = Float64Array.from({ length: n }, (_, r) => lower[r * n + r]!)
      expectNear(sketch.diagonal(every, weights), diagonal, 1e-5)
    }))

  it('is the same on some of its rows, in the order given', () =>
    law(({ X, vectors, p }) => {
      const { patterns, count } = gatesFrom(vectors, X)
      const { blocks } = compactGatedOperator(X, patterns)
      const every = Int32Array.from({ length: count }, (_, i) => i)
      const rows = Int32Array.from({ length: Math.ceil(X.rows / 2) }, (_, k) => X.rows - 1 - 2 * k)
      const some = blocks.onRows!(rows)
      expect(some.rows).toBe(rows.length)
      const v = Float64Array.from({ length: count * X.columns }, (_, k) => Math.sin(1 + k))
      const images = blocks.combination!(every, v)
      expectNear(
        some.combination!(every, v),
        Float64Array.from(rows, (r) => images[r]!),
        1e-4,
      )
      const spread = new Float64Array(X.rows)
      rows.forEach((r) => {
        spread[r] = p[r]!
      })
      const own = Float64Array.from(rows, (r) => p[r]!)
      expectNear(some.correlations(every, own), blocks.correlations(every, spread), 1e-4)
    }))

  it('is the same over more rows, and more lines, than one panel holds', () => {
    const draws = random(3)
    for (const [n, d, P, outputs] of [
      [2090, 2, 3, 1],
      [40, 2, 130, 9],
    ] as const) {
      const X = matrix(
        n,
        d,
        Float64Array.from({ length: n * d }, () => draws.normal()),
      )
      const { patterns, count } = sampleGates(X, { count: P, bias: true, seed: 2 })
      const u = Float64Array.from({ length: count * outputs * d }, () => draws.normal())
      const p = Float64Array.from({ length: n * outputs }, () => draws.normal())
      const { exact } = compactGatedOperator(X, patterns, outputs)
      const full = gatedOperator(X, patterns, outputs)
      expectNear(exact.apply(u), full.apply(u), 1e-13)
      expectNear(exact.adjoint(p), full.adjoint(p), 1e-13)
    }
  })

  it('reads a compact matrix, in either precision, as the same matrix in full', () => {
    const draws = random(4)
    const bytes = Uint8Array.from({ length: 300 }, () => draws.below(256))
    const compact = compactMatrix(60, 5, bytes, { divisor: 255 })
    const X = matrix(
      60,
      5,
      Float64Array.from(bytes, (entry) => entry / 255),
    )
    const gates = sampleGates(compact, { count: 7, seed: 5 })
    expect(gates).toEqual(sampleGates(X, { count: 7, seed: 5 }))
    const u = Float64Array.from({ length: gates.count * 5 }, () => draws.normal())
    const [first, second] = [compact, X].map((rows) => compactGatedOperator(rows, gates.patterns))
    expect(first!.exact.apply(u)).toEqual(second!.exact.apply(u))
    expect(first!.apply(u)).toEqual(second!.apply(u))
  })

  it('refuses patterns of other rows', () => {
    const X = matrix(3, 1, Float64Array.of(1, 2, 3))
    expect(() => compactGatedOperator(matrix(2, 1), gatesFrom([[1]], X).patterns)).toThrow(
      new RangeError('compactGatedOperator: the patterns have 3 rows and X has 2; make the gates from the same X.'),
    )
  })
})
