import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patternsOf } from '../../src/gates/index.ts'
import { featureGroupL1, groupL1, l1, nuclear, type Penalty, ridge, type Vector } from '../../src/index.ts'
import { matrix } from '../../src/numerics/matrix.ts'
import { coneGroupL1 } from '../../src/penalties/cone-group-l1.ts'
import { activationCones } from '../../src/sets/index.ts'
import { anyMatrix, entry, plainMatrix, step, vector } from '../arbitraries.ts'
import { coneSides, groupsOf, isOn, projectOnCone, rowsOf } from './naive.ts'

interface Case {
  readonly name: string
  readonly make: () => Penalty
  /** R(s u) = s^degree R(u) for s > 0: 1 for a norm or gauge, 2 for ridge. */
  readonly degree: 1 | 2
  /** Groups over 12 coefficients, where R is a plain sum of group norms. */
  readonly groups?: number[][]
}

const cases: Case[] = [
  { name: 'groupL1 of size 3', make: () => groupL1({ size: 3 }), degree: 1, groups: groupsOf('group-l1', 4, 1, 3) },
  { name: 'groupL1 of size 12', make: () => groupL1({ size: 12 }), degree: 1, groups: groupsOf('group-l1', 1, 1, 12) },
  {
    name: 'featureGroupL1 of size 3',
    make: () => featureGroupL1({ size: 3 }),
    degree: 1,
    groups: groupsOf('feature-group-l1', 4, 1, 3),
  },
  { name: 'l1', make: () => l1(), degree: 1, groups: groupsOf('l1', 4, 1, 3) },
  { name: 'nuclear of one 3 x 4 block', make: () => nuclear({ rows: 3, columns: 4 }), degree: 1 },
  { name: 'nuclear of two 3 x 2 blocks', make: () => nuclear({ rows: 3, columns: 2 }), degree: 1 },
  { name: 'ridge', make: () => ridge(), degree: 2 },
  { name: 'coneGroupL1 of 2 gates, 2 blocks each', make: cones, degree: 1 },
]

for (const { name, make, degree, groups } of cases)
  describe(name, () => {
    const penalty = make()
    const v12 = vector(12)
    const law = (title: string, check: (v: Vector, t: number, w: Vector) => void): void =>
      it(title, () => {
        fc.assert(fc.property(v12, step(), v12, check))
      })

    law('prox solves its own problem: (v - x) / t is a subgradient at x', (v, t) => {
      const x = penalty.prox(v, t)
      const slope = v.map((value, k) => (value - x[k]!) / t)
      expect(penalty.subdifferentialDistance(x, slope)).toBeLessThan(1e-9 * (1 + size(v) / t))
    })

    law('no point has a lower t R(u) + |u - v|^2 / 2 than the prox', (v, t, w) => {
      const x = penalty.prox(v, t)
      const cost = (u: Vector): number => t * penalty.value(u) + squaredDistance(u, v) / 2
      for (const other of [inDomain(penalty, w), blend(x, inDomain(penalty, w), 0.01), new Float64Array(12)])
        expect(cost(x)).toBeLessThanOrEqual(cost(other) + 1e-12 * (1 + cost(other)))
    })

    if (penalty.polars)
      law('polars are the polars of the parts alone, or upper bounds where those are enough', (v, t, w) => {
        for (const part of [6, 12]) {
          const alone = Array.from({ length: 12 / part }, (_, b) =>
            penalty.polar(v.map((value, k) => (Math.floor(k / part) === b ? value : 0))),
          )
          if ((penalty.blocks?.size ?? 1) > part) continue
          // What an earlier projection has found may help, and must not harm.
          penalty.polar(w)
          const bounds = penalty.polars!(v, part, t)
          const found = penalty.polars!(v, part)
          alone.forEach((polar, b) => {
            expect(Math.abs(found[b]! - polar)).toBeLessThanOrEqual(1e-12 * (1 + size(v)))
            expect(bounds[b]!).toBeGreaterThanOrEqual(polar - 1e-12 * (1 + size(v)))
            if (bounds[b]! > t) expect(Math.abs(bounds[b]! - polar)).toBeLessThanOrEqual(1e-12 * (1 + size(v)))
          })
          // As safe screening needs it: no part changes by more than its entries do.
          const moved = penalty.polars!(w, part)
          found.forEach((polar, b) => {
            const change = size(minus(v, w).subarray(b * part, (b + 1) * part))
            expect(Math.abs(polar - moved[b]!)).toBeLessThanOrEqual(change + 1e-12 * (1 + size(v) + size(w)))
          })
        }
      })

    law('prox is firmly nonexpansive: |Px - Py|^2 <= <Px - Py, x - y>', (x, t, y) => {
      const moved = minus(penalty.prox(x, t), penalty.prox(y, t))
      expect(inner(moved, moved)).toBeLessThanOrEqual(
        inner(moved, minus(x, y)) + 1e-12 * (1 + inner(x, x) + inner(y, y)),
      )
    })

    law('prox with step 0 is the projection on the domain: v itself for a penalty that is finite everywhere', (v) => {
      expectClose(penalty.prox(v, 0), inDomain(penalty, v), 1e-12 * (1 + size(v)))
    })

    law('a subgradient found by prox satisfies R(w) >= R(u) + g (w - u) for every w', (v, t, w) => {
      const u = penalty.prox(v, t)
      const slope = v.map((value, k) => (value - u[k]!) / t)
      const there = inDomain(penalty, w)
      const below = penalty.value(u) + inner(slope, minus(there, u))
      expect(penalty.value(there)).toBeGreaterThanOrEqual(below - 1e-11 * (1 + size(v) / t) * (1 + size(w) + size(v)))
    })

    law('R(u) + R*(v) >= u v', (u, _t, v) => {
      const at = inDomain(penalty, u)
      // Scaled inside the domain of R* as well, where there is something to compare.
      const inside = degree === 1 ? scale(v, 1 / (1e-9 + penalty.polar(v))) : v
      for (const slope of [v, inside])
        expect(penalty.value(at) + penalty.conjugate(slope)).toBeGreaterThanOrEqual(
          inner(at, slope) - 1e-12 * (1 + size(at) * size(slope)),
        )
    })

    law('R(u) + R*(g) = u g at a subgradient g', (v, t) => {
      const u = penalty.prox(v, t)
      const slope = v.map((value, k) => (value - u[k]!) / t)
      const total = penalty.value(u) + (degree === 1 ? 0 : penalty.conjugate(slope))
      expect(Math.abs(total - inner(u, slope))).toBeLessThanOrEqual(1e-11 * (1 + size(v)) * (1 + size(v) / t))
      // Rounding may put a subgradient a hair outside the dual ball, and no further.
      if (degree === 1) expect(penalty.polar(slope)).toBeLessThanOrEqual(1 + 1e-12 * (1 + size(v) / t))
    })

    law('R(s u) = s^degree R(u), and the zero point costs nothing', (u, s) => {
      const at = inDomain(penalty, u)
      const expected = s ** degree * penalty.value(at)
      expect(Math.abs(penalty.value(scale(at, s)) - expected)).toBeLessThanOrEqual(1e-12 * expected)
      expect(penalty.value(new Float64Array(12))).toBe(0)
    })

    law('R is convex', (u, _t, w) => {
      const [a, b] = [inDomain(penalty, u), inDomain(penalty, w)]
      const between = penalty.value(blend(a, b, 0.3))
      expect(between).toBeLessThanOrEqual(0.7 * penalty.value(a) + 0.3 * penalty.value(b) + 1e-12 * (1 + between))
    })

    law('the distance to the subdifferential is 1-Lipschitz in the slope', (u, _t, v) => {
      const at = inDomain(penalty, u)
      const other = v.map((value, k) => value + u[k]! / 10)
      const difference = penalty.subdifferentialDistance(at, v) - penalty.subdifferentialDistance(at, other)
      expect(Math.abs(difference)).toBeLessThanOrEqual(Math.sqrt(squaredDistance(v, other)) + 1e-9 * (1 + size(v)))
    })

    law('prox writes to out, returns it, and may write over its own input', (v, t) => {
      const expected = penalty.prox(v, t)
      const out = new Float64Array(12).fill(Number.NaN)
      expect(penalty.prox(v, t, out)).toBe(out)
      expectClose(out, expected, 1e-13 * (1 + size(v)))
      const alias = v.slice()
      expectClose(penalty.prox(alias, t, alias), expected, 1e-13 * (1 + size(v)))
    })

    law('never writes to its inputs', (u, t, v) => {
      const [before, slope] = [u.slice(), v.slice()]
      penalty.value(u)
      penalty.prox(u, t)
      penalty.polar(v)
      penalty.conjugate(v)
      penalty.subdifferentialDistance(u, v)
      expect([u, v]).toEqual([before, slope])
    })

    if (degree === 1) {
      law('the polar bounds: u v <= R(u) R°(v)', (u, _t, v) => {
        const at = inDomain(penalty, u)
        const bound = penalty.value(at) * penalty.polar(v)
        expect(inner(at, v)).toBeLessThanOrEqual(bound + 1e-12 * (1 + size(at) * size(v)))
      })

      law('the polar is attained: what prox leaves just below it lies along its own maximiser', (v) => {
        const polar = penalty.polar(v)
        if (polar < 1e-6) return
        const u = penalty.prox(v, polar * (1 - 1e-6))
        expect(penalty.value(u)).toBeGreaterThan(0)
        expect(inner(u, v)).toBeGreaterThanOrEqual(penalty.value(u) * polar * (1 - 2e-6))
      })

      law('prox is zero exactly from t = R°(v) on', (v) => {
        const polar = penalty.polar(v)
        expect(penalty.prox(v, polar * (1 + 1e-12)).every((value) => value === 0)).toBe(true)
        if (polar > 1e-6) expect(penalty.prox(v, polar * (1 - 1e-9)).some((value) => value !== 0)).toBe(true)
      })

      law('R°(s v) = s R°(v), and R* is 0 inside the dual ball and Infinity outside', (v, s) => {
        const polar = penalty.polar(v)
        expect(Math.abs(penalty.polar(scale(v, s)) - s * polar)).toBeLessThanOrEqual(1e-12 * s * (polar + size(v)))
        if (polar < 1e-6) return
        expect(penalty.conjugate(scale(v, (1 - 1e-9) / polar))).toBe(0)
        expect(penalty.conjugate(scale(v, (1 + 1e-9) / polar))).toBe(Number.POSITIVE_INFINITY)
      })

      law('prox commutes with scaling: prox_{s t}(s v) = s prox_t(v)', (v, t, w) => {
        const s = 1 + size(w)
        expectClose(penalty.prox(scale(v, s), s * t), scale(penalty.prox(v, t), s), 1e-12 * s * (1 + size(v)))
      })
    } else {
      law('has no dual norm: the polar is Infinity, and 0 at 0', (v) => {
        expect(penalty.polar(v)).toBe(size(v) > 0 ? Number.POSITIVE_INFINITY : 0)
      })

      law('Moreau: v = prox_t(v) + t prox_{1/t}(v / t), since R* = R', (v, t) => {
        const dual = scale(penalty.prox(scale(v, 1 / t), 1 / t), t)
        expectClose(
          penalty.prox(v, t).map((value, k) => value + dual[k]!),
          v,
          1e-12 * (1 + size(v)),
        )
        expect(penalty.conjugate(v)).toBe(penalty.value(v))
      })

      law('is the quadratic it says it is', (v) => {
        expect(penalty.value(v)).toBeCloseTo((penalty.quadratic!.curvature / 2) * inner(v, v), 10)
      })
    }

    if (groups) {
      const length = (group: number[], v: Vector): number => Math.sqrt(group.reduce((sum, k) => sum + v[k]! ** 2, 0))

      law('R is the sum of its groups norms, and R° the largest of them', (v) => {
        const lengths = groups.map((group) => length(group, v))
        const total = lengths.reduce((a, b) => a + b, 0)
        expect(penalty.value(v)).toBeCloseTo(total, 10)
        expect(penalty.polar(v)).toBeCloseTo(Math.max(...lengths), 12)
      })

      law('Moreau: v = prox_t(v) + t times the projection of v / t on the dual ball', (v, t) => {
        const clipped = v.slice()
        for (const group of groups)
          for (const k of group) clipped[k] = v[k]! * Math.min(1, t / Math.max(length(group, v), 1e-300))
        expectClose(penalty.prox(v, t), minus(v, clipped), 1e-12 * (1 + size(v)))
      })

      law('the distance to the subdifferential is what the groups say', (u, _t, v) => {
        // Some groups at zero, where the subdifferential is a ball.
        const at = u.map((value, k) => (groups.findIndex((group) => group.includes(k)) % 2 === 0 ? value : 0))
        const squares = groups.map((group) => {
          const norm = length(group, at)
          if (norm === 0) return Math.max(0, length(group, v) - 1) ** 2
          return group.reduce((sum, k) => sum + (v[k]! - at[k]! / norm) ** 2, 0)
        })
        const expected = Math.sqrt(squares.reduce((a, b) => a + b, 0))
        expect(Math.abs(penalty.subdifferentialDistance(at, v) - expected)).toBeLessThanOrEqual(1e-12 * (1 + expected))
      })
    }
  })

describe('coneGroupL1 of any cones', () => {
  /** Cones of whatever X, rows equal, opposite and zero among them, two blocks to a gate, with a point and a step. */
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }))
    .chain(([n, d, P]) =>
      fc.record({
        X: anyMatrix(n, d),
        vectors: plainMatrix(P, d, entry),
        v: vector(P * 2 * d),
        t: fc.double({ min: 0.01, max: 3, noNaN: true }),
      }),
    )

  it('the prox shortens the projection of each block on its cone, found by trying all sets of active rows', () => {
    fc.assert(
      fc.property(cases, ({ X, vectors, v, t }) => {
        const d = X.columns
        const penalty = coneGroupL1({ cones: activationCones(X, patternsOf(vectors, X)), perGate: 2 })
        const x = penalty.prox(v, t)
        let longest = 0
        for (let b = 0; b < vectors.rows * 2; b++) {
          const sides = coneSides(rowsOf({ X, bias: false }), (r) => isOn({ X, vectors }, r, b >> 1))
          const projected = projectOnCone(sides, Array.from(v.subarray(b * d, (b + 1) * d)))
          const norm = Math.hypot(...projected)
          longest = Math.max(longest, norm)
          const shortened = projected.map((value) => (norm > t ? (1 - t / norm) * value : 0))
          expectClose(x.subarray(b * d, (b + 1) * d), Float64Array.from(shortened), 1e-9 * (1 + size(v)))
        }
        expect(Math.abs(penalty.polar(v) - longest)).toBeLessThanOrEqual(1e-9 * (1 + size(v)))
        expect(penalty.subdifferentialDistance(x, scale(minus(v, x), 1 / t))).toBeLessThan(1e-8 * (1 + size(v) / t))
      }),
      { numRuns: 300 },
    )
  })

  it('on the face a projection fell in, projecting is multiplying with its basis twice', () => {
    fc.assert(
      fc.property(cases, ({ X, vectors, v, t }) => {
        const d = X.columns
        const { cones } = coneGroupL1({ cones: activationCones(X, patternsOf(vectors, X)), perGate: 2 })
        const out = new Float64Array(d)
        for (let b = 0; b < vectors.rows * 2; b++) {
          const length = cones!.project(b, v, b * d, out, 0)
          const { basis, version } = cones!.face(b)
          const f = basis.length / d
          for (let i = 0; i < f; i++)
            for (let k = 0; k < f; k++) {
              const product = inner(basis.slice(i * d, (i + 1) * d), basis.slice(k * d, (k + 1) * d))
              expect(Math.abs(product - (i === k ? 1 : 0))).toBeLessThanOrEqual(1e-12)
            }
          const through = new Float64Array(d)
          const block = v.slice(b * d, (b + 1) * d)
          for (let i = 0; i < f; i++) {
            const row = basis.slice(i * d, (i + 1) * d)
            const weight = inner(row, block)
            row.forEach((value, j) => {
              through[j]! += weight * value
            })
          }
          expectClose(through, out, 1e-9 * (1 + size(v)))
          expect(Math.abs(size(out) - length)).toBeLessThanOrEqual(1e-12 * (1 + size(v)))
          // The same point again falls in the same face, and an early end only ever says that it is at most `enough`.
          cones!.project(b, v, b * d, out, 0)
          expect(cones!.face(b).version).toBe(version)
          const early = cones!.project(b, v, b * d, out, 0, t)
          if (length > t) expect(Math.abs(early - length)).toBeLessThanOrEqual(1e-12 * (1 + size(v)))
          else expect(early).toBeLessThanOrEqual(t)
          expect(early).toBeGreaterThanOrEqual(length - 1e-12 * (1 + size(v)))
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('penalty choices', () => {
  it('groupL1 gives every gate and output a block, and joint every gate', () => {
    const shape = { features: 3, gates: 4, outputs: 2 }
    expect(groupL1().over(shape).blocks).toEqual({ size: 3 })
    expect(groupL1({ joint: true }).over(shape).blocks).toEqual({ size: 6 })
  })

  it('featureGroupL1 has one group per feature across gates and outputs', () => {
    const penalty = featureGroupL1().over({ features: 2, gates: 2, outputs: 1 })
    expect(penalty.value(Float64Array.of(3, 5, 4, 12))).toBe(5 + 13)
  })

  it('l1 and ridge need no sizes', () => {
    for (const choice of [l1(), ridge()])
      expect(choice.over({ features: 2, gates: 1, outputs: 1 }).value(Float64Array.of(3, -4))).toBe(
        choice.value(Float64Array.of(3, -4)),
      )
  })

  it.each([0, -1, 1.5, Number.NaN])('a size of %s is refused, naming it', (given) => {
    expect(() => groupL1({ size: given })).toThrow(
      new RangeError(`groupL1: size is ${given}, expected a positive whole number; pass the number of features.`),
    )
    expect(() => featureGroupL1({ size: given })).toThrow(
      new RangeError(
        `featureGroupL1: size is ${given}, expected a positive whole number; pass the number of features.`,
      ),
    )
  })
})

describe('pinned numbers', () => {
  it('soft thresholding of (3, -1, 0.5) by 1 is (2, 0, 0)', () => {
    const x = l1().prox(Float64Array.of(3, -1, 0.5), 1)
    expect(Array.from(x, (value) => value + 0)).toEqual([2, 0, 0])
  })

  it('a block (3, 4) shortened by 1 is 4/5 of itself', () => {
    expect(Array.from(groupL1({ size: 2 }).prox(Float64Array.of(3, 4), 1))).toEqual([3 * 0.8, 4 * 0.8])
  })
})

/** Two cones of R^3 from five rows in general position, two blocks each. */
function cones(): Penalty {
  const X = matrix(5, 3, Float64Array.of(1, 2, -1, 0.5, -1, 2, -2, 1, 1, 1, 1, 1, 0, 1, -3))
  const patterns = patternsOf(matrix(2, 3, Float64Array.of(1, 0.2, -0.3, -0.4, 1, 0.1)), X)
  return coneGroupL1({ cones: activationCones(X, patterns), perGate: 2 })
}

/** The point, or the nearest where R is finite. */
function inDomain(penalty: Penalty, u: Vector): Vector {
  return penalty.domain ? penalty.domain.project(u) : u
}

function size(v: Vector): number {
  return Math.sqrt(inner(v, v))
}

function inner(a: Vector, b: Vector): number {
  return a.reduce((total, value, k) => total + value * b[k]!, 0)
}

function minus(a: Vector, b: Vector): Vector {
  return a.map((value, k) => value - b[k]!)
}

function scale(v: Vector, s: number): Vector {
  return v.map((value) => s * value)
}

/** (1 - s) a + s b */
function blend(a: Vector, b: Vector, s: number): Vector {
  return a.map((value, k) => (1 - s) * value + s * b[k]!)
}

function squaredDistance(a: Vector, b: Vector): number {
  return inner(minus(a, b), minus(a, b))
}

function expectClose(actual: Vector, expected: Vector, tolerance: number): void {
  for (let k = 0; k < expected.length; k++) expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThanOrEqual(tolerance)
}
