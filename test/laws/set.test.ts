import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { patternsOf } from '../../src/gates/index.ts'
import { type ConvexSet, fromRows, type Matrix, matrix, type Vector } from '../../src/index.ts'
import { useBackend } from '../../src/numerics/backends/index.ts'
import { js } from '../../src/numerics/backends/js.ts'
import { engineOf } from '../../src/numerics/backends/wasm/engine.ts'
import { wasm } from '../../src/numerics/backends/wasm.ts'
import { random } from '../../src/numerics/random.ts'
import { coneGroupL1 } from '../../src/penalties/cone-group-l1.ts'
import { type ActivationCones, activationCones, activeRows, nonnegative } from '../../src/sets/index.ts'
import { anyMatrix, entry, plainMatrix, vector } from '../arbitraries.ts'
import { coneSides, isOn, length, projectOnCone, rowsOf } from './naive.ts'

/** What every convex set must satisfy, at points of `dimension` entries. */
function setLaws(name: string, sets: fc.Arbitrary<{ set: ConvexSet; dimension: number; from?: unknown }>): void {
  const cases = sets.chain((at) => fc.tuple(fc.constant(at), vector(at.dimension), vector(at.dimension)))
  const law = (title: string, check: (set: ConvexSet, s: Vector, w: Vector) => void): void =>
    it(title, () => {
      fc.assert(fc.property(cases, ([{ set }, s, w]) => check(set, s, w)))
    })

  describe(name, () => {
    law('a projection lies in the set', (set, s) => {
      const p = set.project(s)
      // Cones measure in angles: what rounding leaves of a projection on the origin may point anywhere.
      expect(set.violation(p) * Math.min(1, largest(p))).toBeLessThanOrEqual(1e-12 * (1 + largest(s)))
    })

    law('projecting twice is projecting once', (set, s) => {
      const once = set.project(s)
      expectClose(set.project(once), once, 1e-12 * (1 + largest(s)))
    })

    law('nothing in the set is on the far side of a projection: (s - Ps)(q - Ps) <= 0', (set, s, w) => {
      const p = set.project(s)
      const q = set.project(w)
      const product = s.reduce((total, value, k) => total + (value - p[k]!) * (q[k]! - p[k]!), 0)
      expect(product).toBeLessThanOrEqual(1e-11 * (1 + largest(s)) * (1 + largest(s) + largest(w)) * s.length)
    })

    law('projecting brings no two points further apart, firmly: |Ps - Pw|^2 <= <Ps - Pw, s - w>', (set, s, w) => {
      const [p, q] = [set.project(s), set.project(w)]
      const excess = p.reduce((total, value, k) => total + (value - q[k]!) * (value - q[k]! - (s[k]! - w[k]!)), 0)
      expect(excess).toBeLessThanOrEqual(1e-12 * (1 + largest(s) + largest(w)) ** 2 * s.length)
    })

    law('being a cone, it projects t s on t times where it projects s', (set, s) => {
      const p = set.project(s)
      for (const t of [1e-3, 2, 1e4])
        expectClose(
          set.project(s.map((value) => t * value)),
          p.map((value) => t * value),
          1e-12 * t * (1 + largest(s)),
        )
    })

    law('a point counts as outside exactly when its projection is somewhere else', (set, s) => {
      const moved = Math.max(...set.project(s).map((value, k) => Math.abs(value - s[k]!)), 0)
      if (set.violation(s) <= 1e-15) expect(moved).toBeLessThanOrEqual(1e-12 * (1 + largest(s)))
      else expect(moved).toBeGreaterThan(0)
    })

    law('project writes to out, returns it, and never to its input', (set, s) => {
      const before = s.slice()
      const expected = set.project(s)
      const out = new Float64Array(s.length).fill(Number.NaN)
      expect(set.project(s, out)).toBe(out)
      expectClose(out, expected, 1e-13 * (1 + largest(s)))
      expect(s).toEqual(before)
    })

    law('the support function bounds: y q <= support(y) for q in the set', (set, y, w) => {
      const q = set.project(w)
      const product = y.reduce((total, value, k) => total + value * q[k]!, 0)
      expect(product).toBeLessThanOrEqual(set.support(y) + 1e-12 * (1 + largest(y)) * (1 + largest(w)) * y.length)
    })
  })
}

setLaws(
  'nonnegative',
  fc.integer({ min: 1, max: 6 }).map((dimension) => ({ set: nonnegative(), dimension })),
)

const coneCase: fc.Arbitrary<{ X: Matrix; gates: Matrix }> = fc
  .record({ n: fc.integer({ min: 1, max: 7 }), d: fc.integer({ min: 1, max: 3 }), P: fc.integer({ min: 1, max: 3 }) })
  .chain(({ n, d, P }) => fc.record({ X: anyMatrix(n, d), gates: plainMatrix(P, d, entry) }))

setLaws(
  'the domain of coneGroupL1: an activation cone',
  coneCase
    .filter(({ gates }) => gates.rows === 1)
    .map(({ X, gates }) => ({
      set: coneGroupL1({ cones: conesOf(X, gates), perGate: 1 }).domain!,
      dimension: X.columns,
      from: { X, gates },
    })),
)

for (const one of [js, wasm()])
  describe(`activationCones by ${one.description}`, () => {
    beforeAll(() => {
      useBackend(one)
    })
    afterAll(() => {
      useBackend('wasm')
    })
    coneLaws()
  })

function coneLaws(): void {
  // Four rows within a millionth of one line: an early brute force was off by more than the projection.
  const nearlyParallel: [{ X: Matrix; gates: Matrix }, Vector, Vector] = [
    {
      X: fromRows([
        [-749, 0.000536],
        [414, 0.000449],
        [-915, -0.000567],
        [393, -0.001021],
      ]),
      gates: fromRows([
        [1.856, -0.962],
        [0.339, -3],
      ]),
    },
    Float64Array.of(-0.001, 0),
    new Float64Array(2),
  ]
  const withPoint = coneCase.chain((at) => fc.tuple(fc.constant(at), vector(at.X.columns), vector(at.X.columns)))
  const law = (title: string, check: (at: { X: Matrix; gates: Matrix }, g: Vector, w: Vector) => void): void =>
    it(title, () => {
      fc.assert(
        fc.property(withPoint, ([at, g, w]) => check(at, g, w)),
        { examples: [[nearlyParallel]] },
      )
    })

  law('the projection is the one found by trying every set of active rows', ({ X, gates }, g) => {
    const cones = conesOf(X, gates)
    for (let i = 0; i < gates.rows; i++) {
      const out = new Float64Array(X.columns)
      const size = cones.project(i, g, 0, out, 0, activeRows(X.columns))
      expect(Math.abs(size - length(Array.from(out)))).toBeLessThanOrEqual(1e-13 * (1 + size))
      const expected = projectOnCone(sidesOf(X, gates, i), Array.from(g))
      // Where rows are all but parallel a rounding of a row moves the corner much further than the distance to it.
      expectClose(out, Float64Array.from(expected), 1e-6 * largest(g))
      const far = (p: ArrayLike<number>): number => length(Array.from(g, (value, j) => value - p[j]!))
      expect(Math.abs(far(out) - far(expected))).toBeLessThanOrEqual(1e-11 * largest(g))
      expect(cones.violation(i, out, 0)).toBeLessThanOrEqual(1e-12 * largest(g))
    }
  })

  law('the answer does not depend on the active rows it starts from', ({ X, gates }, g, w) => {
    const cones = conesOf(X, gates)
    const cold = new Float64Array(X.columns)
    const warm = new Float64Array(X.columns)
    cones.project(0, g, 0, cold, 0, activeRows(X.columns))
    const active = activeRows(X.columns)
    cones.project(0, w, 0, warm, 0, active)
    cones.project(0, g, 0, warm, 0, active)
    expectClose(warm, cold, 1e-12 * (1 + largest(g)))
  })

  law('Moreau: what the projection takes off is orthogonal to it', ({ X, gates }, g) => {
    const p = new Float64Array(X.columns)
    conesOf(X, gates).project(0, g, 0, p, 0, activeRows(X.columns))
    const product = g.reduce((total, value, j) => total + (value - p[j]!) * p[j]!, 0)
    expect(Math.abs(product)).toBeLessThanOrEqual(1e-12 * (1 + largest(g)) ** 2)
  })

  law(
    'the gate itself, and every nonnegative combination with others of its pattern, lies in its cone',
    ({ X, gates }) => {
      const cones = conesOf(X, gates)
      for (let i = 0; i < gates.rows; i++)
        expect(cones.violation(i, gates.data, i * X.columns)).toBeLessThanOrEqual(1e-13)
    },
  )

  law(
    'slacks are s_r x_r u / |x_r| over the rows that are not zero, and the violation is the worst of them',
    (at, u) => {
      const { X, gates } = at
      const cones = conesOf(X, gates)
      const sides = sidesOf(X, gates, 0)
      expect(cones.rows).toBe(sides.length)
      const slacks = new Float64Array(cones.rows)
      cones.slacks(0, u, 0, slacks, 0)
      const expected = sides.map((row) => row.reduce((total, value, j) => total + value * u[j]!, 0))
      expectClose(slacks, Float64Array.from(expected), 1e-13 * (1 + largest(u)))
      expect(cones.violation(0, u, 0)).toBeCloseTo(Math.max(0, ...expected.map((slack) => -slack)), 12)
    },
  )

  law('the distance to the normal cone at 0 is the length of the projection', ({ X, gates }, v) => {
    const cones = conesOf(X, gates)
    const zero = new Float64Array(X.columns)
    const length = cones.project(0, v, 0, new Float64Array(X.columns), 0, activeRows(X.columns))
    expect(cones.distanceToNormals(0, zero, 0, v, 0)).toBeCloseTo(length, 9)
  })

  it('a strictly inner point has only zero as a normal', () => {
    const X = { rows: 2, columns: 2, data: Float64Array.of(1, 0, 0, 1) }
    const cones = conesOf(X, { rows: 1, columns: 2, data: Float64Array.of(1, 1) })
    const distance = cones.distanceToNormals(0, Float64Array.of(1, 1), 0, Float64Array.of(3, -4), 0)
    expect(distance).toBe(5)
  })

  it('the projection of (1, -2) on the positive quadrant is (1, 0)', () => {
    const X = { rows: 2, columns: 2, data: Float64Array.of(3, 0, 0, 0.1) }
    const cones = conesOf(X, { rows: 1, columns: 2, data: Float64Array.of(1, 1) })
    const out = new Float64Array(2)
    expect(cones.project(0, Float64Array.of(1, -2), 0, out, 0, activeRows(2))).toBe(1)
    expect(Array.from(out)).toEqual([1, 0])
  })

  law('active rows whose factors are kept give the same as those whose factors are made anew', ({ X, gates }, g, w) => {
    const cones = conesOf(X, gates)
    const [kept, anew] = [activeRows(X.columns, true), activeRows(X.columns)]
    const [a, b] = [new Float64Array(X.columns), new Float64Array(X.columns)]
    for (const point of [g, w, new Float64Array(X.columns), g]) {
      cones.project(0, point, 0, a, 0, kept)
      cones.project(0, point, 0, b, 0, anew)
      expectClose(a, b, 1e-12 * (1 + largest(point)))
    }
  })

  law(
    'the face is spanned by unit vectors at right angles to each other and to every active row',
    ({ X, gates }, g) => {
      const d = X.columns
      const cones = conesOf(X, gates)
      for (const active of [activeRows(d), activeRows(d, true)]) {
        const p = new Float64Array(d)
        cones.project(0, g, 0, p, 0, active)
        const basis = cones.face(0, active).slice()
        expect(basis.length).toBe((d - active.count) * d)
        const products = (v: Vector): number[] =>
          Array.from({ length: basis.length / d }, (_, k) => v.reduce((sum, vj, j) => sum + vj * basis[k * d + j]!, 0))
        for (let k = 0; k < basis.length; k += d)
          products(basis.subarray(k, k + d)).forEach((product, i) => {
            expect(Math.abs(product - (i * d === k ? 1 : 0))).toBeLessThanOrEqual(1e-12)
          })
        for (let k = 0; k < active.count; k++) {
          const e = unitRow(X, active.rows[k]!)
          for (const product of products(e)) expect(Math.abs(product)).toBeLessThanOrEqual(1e-10)
        }
        // The projection is on the face.
        const inside = new Float64Array(d)
        products(p).forEach((product, i) => {
          for (let j = 0; j < d; j++) inside[j]! += product * basis[i * d + j]!
        })
        expectClose(inside, p, 1e-12 * (1 + largest(g)))
      }
    },
  )
}

it('factors of active rows go over from one backend to the other, whichever kept them', () => {
  const draws = random(3)
  const [rows, d] = [60, 9]
  const X = matrix(
    rows,
    d,
    Float64Array.from({ length: rows * d }, () => draws.normal()),
  )
  const vectors = matrix(
    1,
    d,
    Float64Array.from({ length: d }, () => draws.normal()),
  )
  const both = [js, wasm()].map((one) => {
    useBackend(one)
    return conesOf(X, vectors)
  })
  useBackend('wasm')
  const active = activeRows(d, true)
  const [out, cold] = [new Float64Array(d), new Float64Array(d)]
  const point = Float64Array.from({ length: d }, () => draws.normal())
  for (let k = 0; k < 20; k++) {
    for (let j = 0; j < d; j++) point[j]! += 0.3 * draws.normal()
    const cones = both[k % 2]!
    cones.project(0, point, 0, out, 0, active)
    both[0]!.project(0, point, 0, cold, 0, activeRows(d))
    expectClose(out, cold, 1e-12)
    expect(cones.violation(0, out, 0)).toBeLessThanOrEqual(1e-12)
  }
})

it('projections by the module go on after its memory has grown', () => {
  const draws = random(4)
  const [rows, d] = [200, 20]
  const X = matrix(
    rows,
    d,
    Float64Array.from({ length: rows * d }, () => draws.normal()),
  )
  const vectors = matrix(
    1,
    d,
    Float64Array.from({ length: d }, () => draws.normal()),
  )
  useBackend('wasm')
  const cones = conesOf(X, vectors)
  const point = Float64Array.from({ length: d }, () => draws.normal())
  const active = activeRows(d, true)
  const [before, after] = [new Float64Array(d), new Float64Array(d)]
  cones.project(0, point, 0, before, 0, active)
  const size = 1600
  const C = new Float64Array(size * size)
  const bytes = engineOf(1).memory.buffer.byteLength
  wasm().gemm(false, false, size, size, 8, 1, C, 8, C, size, 0, C.slice(), size)
  expect(engineOf(1).memory.buffer.byteLength).toBeGreaterThan(bytes)
  cones.project(0, point, 0, after, 0, active)
  expectClose(after, before, 1e-14)
})

/** Row r of X over its norm, counted among those that are not zero. */
function unitRow(X: Matrix, r: number): Vector {
  const kept = rowsOf({ X, bias: false }).filter((row) => row.some((value) => value !== 0))
  const row = Float64Array.from(kept[r]!)
  const size = Math.hypot(...row)
  return row.map((value) => value / size)
}

function conesOf(X: Matrix, gates: Matrix): ActivationCones {
  return activationCones(X, patternsOf(gates, X))
}

function sidesOf(X: Matrix, vectors: Matrix, gate: number): number[][] {
  return coneSides(rowsOf({ X, bias: false }), (r) => isOn({ X, vectors }, r, gate))
}

function largest(v: Vector): number {
  return v.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function expectClose(actual: Vector, expected: Vector, tolerance: number): void {
  for (let k = 0; k < expected.length; k++) expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThanOrEqual(tolerance)
}
