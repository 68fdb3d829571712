import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { enumerateGates } from '../../src/gates/enumerate-gates.ts'
import {
  fromRows,
  type Gates,
  gatesFrom,
  type Matrix,
  matrix,
  reluProgram,
  sampleGates,
  solveSync,
} from '../../src/index.ts'
import { bitText } from '../../src/numerics/bits.ts'
import { random } from '../../src/numerics/random.ts'

interface Reference {
  arrangements: { X: number[][]; rank: number; count: number; sha256?: string; patterns?: string[] }[]
  optima: {
    name: string
    rank: number
    X: number[][]
    y: number[]
    /** With the pattern that is off everywhere, where there is one. */
    patternCount?: number
    /** Without it. */
    activePatterns?: number
    points: { lambda: number; objective: number; tolerance: number }[]
  }[]
}
const reference: Reference = JSON.parse(
  readFileSync(new URL('../baselines/all-patterns.json', import.meta.url), 'utf8'),
)

const texts = (gates: Gates): string[] => Array.from({ length: gates.count }, (_, i) => bitText(gates.patterns, i))

/** The patterns with the one that is off everywhere, which exists when the one that is on everywhere does and no row is 0. */
function withAllOff(gates: Gates, X: number[][]): string[] {
  const all = texts(gates)
  const constrained = X.every((row) => row.some((value) => value !== 0))
  return constrained && all.includes('1'.repeat(X.length)) ? [...all, '0'.repeat(X.length)] : all
}

/** 2 sum_{k<r} C(n - 1, k) */
function cover(n: number, r: number): number {
  let total = 0
  let term = 1
  for (let k = 0; k < r; k++) {
    total += term
    term = (term * (n - 1 - k)) / (k + 1)
  }
  return 2 * total
}

/** Rows of rank r in `columns` columns, in general position almost surely. */
function generalPosition(n: number, r: number, columns: number, seed: number): Matrix {
  const draws = random(seed)
  const basis = Float64Array.from({ length: r * columns }, () => draws.normal())
  const X = matrix(n, columns)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < r; k++) {
      const weight = draws.normal()
      for (let j = 0; j < columns; j++) X.data[i * columns + j]! += weight * basis[k * columns + j]!
    }
  return X
}

describe('enumerateGates', () => {
  it.each(reference.arrangements.map((a) => ({ title: `${a.X.length} rows, rank ${a.rank}, ${a.count} cells`, ...a })))(
    'lists the very patterns of the reference: $title',
    ({ X, count, sha256, patterns }) => {
      const all = withAllOff(enumerateGates(X), X).sort()
      expect(all).toHaveLength(count)
      if (patterns) expect(all).toEqual(patterns)
      if (sha256) expect(createHash('sha256').update(all.join('\n')).digest('hex')).toBe(sha256)
    },
  )

  it.each(reference.optima)('reaches the optimum over all patterns of $name, with scope network', (problem) => {
    const { X, y, points, patternCount, activePatterns } = problem
    const gates = enumerateGates(X)
    if (patternCount) expect(withAllOff(gates, X)).toHaveLength(patternCount)
    if (activePatterns) expect(gates.count).toBe(activePatterns)
    if (problem.rank > 3) return
    for (const { lambda, objective, tolerance } of points) {
      const { certificate, status } = solveSync(reluProgram({ X, y, gates, lambda }), { tolerance: 1e-9 })
      expect(status).toBe('solved')
      expect(certificate.scope).toBe('network')
      expect(Math.abs(certificate.primal - objective)).toBeLessThanOrEqual(Math.max(tolerance, 1e-8) * (1 + objective))
      expect(certificate.dual).toBeLessThanOrEqual(objective + Math.max(tolerance, 1e-8) * (1 + objective))
    }
  })

  it('counts as Cover does in general position, at any rank', () => {
    const sizes = fc.record({
      n: fc.integer({ min: 1, max: 12 }),
      r: fc.integer({ min: 1, max: 4 }),
      more: fc.integer({ min: 0, max: 3 }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(sizes, ({ n, r, more, seed }) => {
        const X = generalPosition(n, r, r + more, seed)
        const gates = enumerateGates(X)
        const rows = Array.from({ length: n }, (_, i) =>
          Array.from(X.data.subarray(i * X.columns, (i + 1) * X.columns)),
        )
        expect(withAllOff(gates, rows)).toHaveLength(cover(n, Math.min(n, r)))
      }),
    )
  })

  const degenerate = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3 })).chain(([n, d]) =>
    fc.array(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: d, maxLength: d }), {
      minLength: n,
      maxLength: n,
    }),
  )

  it('misses no pattern of any vector and invents none, with duplicate, opposite, zero and dependent rows', () => {
    fc.assert(
      fc.property(degenerate, fc.boolean(), fc.nat(), (X, bias, seed) => {
        const gates = enumerateGates(X, { bias })
        expect(gates).toMatchObject({ exhaustive: true, bias })
        const listed = texts(gates)
        expect(new Set(listed).size).toBe(gates.count)
        expect(listed).not.toContain('0'.repeat(X.length))
        // The vectors make the patterns, and go on doing so when given back.
        expect(texts(gatesFrom(gates.vectors, X))).toEqual(listed)
        // Whole numbers, so a product that is not 0 is at least one over the length: no row is near a boundary.
        const inputs = bias ? X.map((row) => [...row, 1]) : X
        for (let i = 0; i < gates.count; i++) {
          const vector = gates.vectors.data.subarray(i * gates.vectors.columns, (i + 1) * gates.vectors.columns)
          for (const row of inputs)
            if (row.some((value) => value !== 0))
              expect(Math.abs(row.reduce((total, value, j) => total + value * vector[j]!, 0))).toBeGreaterThan(1e-4)
        }
        const found = sampleFound(X, bias, seed)
        for (const text of found) expect(listed).toContain(text)
      }),
      {
        numRuns: 300,
        examples: [
          [[[0, 0]], false, 1],
          [[[0], [1], [-1]], true, 1],
          [
            [
              [1, 2],
              [-2, -4],
              [1, 2],
              [0, 0],
            ],
            false,
            2,
          ],
          [
            [
              [1, 0, 1],
              [2, 0, 2],
              [0, 1, 0],
              [1, 1, 1],
            ],
            false,
            3,
          ],
        ],
      },
    )
  })

  it('does not depend on the units of features nor on the lengths of rows', () => {
    const X = fromRows(Array.from({ length: 9 }, (_, i) => [Math.sin(i + 1), Math.cos(3 * i), Math.sin(7 * i + 2)]))
    const units = [1e-9, 3, 1e8]
    const scaled = matrix(
      9,
      3,
      X.data.map((value, k) => value * units[k % 3]! * (1 + Math.floor(k / 3)) ** 3),
    )
    expect(texts(enumerateGates(scaled)).sort()).toEqual(texts(enumerateGates(X)).sort())
  })

  it('with a bias, lists what a column of ones would, so that both programs have one optimum', () => {
    const X = [[0.189], [-0.413], [1.8], [-0.325], [0.281], [0.978], [0.281]]
    const y = [1, -1, 0.3, 2, 0.2, -0.4, 0]
    const ones = X.map((row) => [...row, 1])
    const gates = enumerateGates(X, { bias: true })
    expect(gates.vectors.columns).toBe(2)
    expect(texts(gates).sort()).toEqual(texts(enumerateGates(ones)).sort())
    const options = { y, lambda: 0.02 }
    const inside = solveSync(reluProgram({ X, gates, bias: true, ...options }), { tolerance: 1e-9 }).certificate
    const outside = solveSync(reluProgram({ X: ones, gates: enumerateGates(ones), ...options }), { tolerance: 1e-9 })
    expect(inside.scope).toBe('network')
    expect(inside.primal).toBeCloseTo(outside.certificate.primal, 8)
    const sampled = sampleGates(X, { count: 4, seed: 1, bias: true })
    const some = solveSync(reluProgram({ X, gates: sampled, bias: true, ...options }), { tolerance: 1e-9 }).certificate
    expect(some.primal).toBeGreaterThanOrEqual(inside.dual)
    expect(some.scope).toBe('program')
  })

  it('takes about a second for 60 rows of rank 3', () => {
    const X = generalPosition(60, 3, 8, 1)
    const begun = performance.now()
    const gates = enumerateGates(X)
    expect(performance.now() - begun).toBeLessThan(2000)
    expect(gates.count).toBe(cover(60, 3))
  })

  it('says how many patterns were found when there are too many, at any rank', () => {
    const X = generalPosition(40, 3, 3, 2)
    expect(() => enumerateGates(X, { maxCount: 500 })).toThrow(
      'enumerateGates: X has rank 3 and more than 500 activation patterns (508 found so far); pass a larger maxCount, or take some of them with sampleGates().',
    )
    expect(() => enumerateGates(generalPosition(300, 9, 9, 3), { maxCount: 5000 })).toThrow(
      /X has rank 9 and more than 5000 activation patterns .* sampleGates\(\)/,
    )
    expect(() => enumerateGates(X, { maxCount: 0 })).toThrow(RangeError)
    expect(() => enumerateGates([[1, Number.NaN]])).toThrow(/row 0, column 1/)
    expect(() => enumerateGates([])).toThrow(/0 x 0/)
  })
})

/** Patterns that random vectors have. */
function sampleFound(X: number[][], bias: boolean, seed: number): string[] {
  return texts(sampleGates(X, { count: 50, seed, bias: false })).concat(
    bias ? texts(sampleGates(X, { count: 50, seed, bias: true })) : [],
  )
}
