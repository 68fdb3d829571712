import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Loss, LossChoice, Matrix, Vector } from '../../src/index.ts'
import { huber, logistic, smoothHinge, softmax, squared, squaredHinge } from '../../src/losses/index.ts'
import { gaussian, mapEntries, plainMatrix, targets, vector } from '../arbitraries.ts'

interface Case {
  readonly choice: LossChoice
  /** Fewest outputs it takes (default 1). */
  readonly outputs?: number
  readonly targets: (rows: number, outputs: number) => fc.Arbitrary<Matrix>
  /** F(z) from its formula, plain loops. */
  readonly formula: (fit: Vector, targets: Matrix) => number
}

/** -1 and 1, both in every column where there are rows enough. */
function signs(n: number, c: number): fc.Arbitrary<Matrix> {
  return plainMatrix(n, c, fc.constantFrom(-1, 1)).map((y) =>
    mapEntries(y, (value, r, k) => (r === 0 ? 1 : r === 1 ? -1 : value) * (k % 2 === 0 ? 1 : -1)),
  )
}

const cases: Case[] = [
  {
    choice: squared(),
    targets,
    formula: (z, y) => total(y, (_r, _k, at) => (z[at]! - y.data[at]!) ** 2) / (2 * y.rows * y.columns),
  },
  {
    choice: huber({ delta: 0.7 }),
    targets,
    formula: (z, y) =>
      total(y, (_r, _k, at) => {
        const e = Math.abs(z[at]! - y.data[at]!)
        return e <= 0.7 ? (e * e) / 2 : 0.7 * e - 0.7 ** 2 / 2
      }) /
      (y.rows * y.columns),
  },
  {
    choice: logistic(),
    targets: signs,
    formula: (z, y) => total(y, (_r, _k, at) => Math.log(1 + Math.exp(-y.data[at]! * z[at]!))) / y.rows,
  },
  {
    choice: squaredHinge(),
    targets: signs,
    formula: (z, y) => total(y, (_r, _k, at) => Math.max(0, 1 - y.data[at]! * z[at]!) ** 2) / (2 * y.rows),
  },
  {
    choice: smoothHinge({ gamma: 0.6 }),
    targets: signs,
    formula: (z, y) =>
      total(y, (_r, _k, at) => {
        const short = 1 - y.data[at]! * z[at]!
        return short <= 0 ? 0 : short < 0.6 ? short ** 2 / 1.2 : short - 0.3
      }) / y.rows,
  },
  {
    choice: softmax(),
    outputs: 2,
    targets: oneHot,
    formula: (z, y) =>
      total(y, (r, _k, at) => {
        const row = Array.from(z.subarray(r * y.columns, (r + 1) * y.columns), Math.exp)
        return y.data[at] === 1 ? Math.log(row.reduce((a, b) => a + b, 0)) - z[at]! : 0
      }) / y.rows,
  },
]

/** Sum over all entries. */
function total({ rows, columns }: Matrix, term: (row: number, column: number, at: number) => number): number {
  let sum = 0
  for (let r = 0; r < rows; r++) for (let k = 0; k < columns; k++) sum += term(r, k, r * columns + k)
  return sum
}

/** One 1 per row, and in every column where there are rows enough. */
function oneHot(n: number, c: number): fc.Arbitrary<Matrix> {
  return fc
    .array(fc.nat({ max: c - 1 }), { minLength: n, maxLength: n })
    .map((classes) =>
      mapEntries({ rows: n, columns: c, data: new Float64Array(n * c) }, (_, r, k) =>
        (r < c ? r : classes[r]) === k ? 1 : 0,
      ),
    )
}

/** Targets with their loss, and three fits. */
function situations(
  { choice, targets, outputs = 1 }: Case,
  intercept: boolean,
): fc.Arbitrary<[Matrix, Loss, Vector, Vector, Vector]> {
  // An intercept of labels wants every class: as many rows as there are.
  const sizes = fc.record({
    n: fc.integer({ min: intercept ? 3 : 1, max: 7 }),
    c: fc.integer({ min: outputs, max: 3 }),
  })
  return sizes.chain(({ n, c }) => {
    const fit = vector(n * c)
    return fc
      .tuple(targets(n, c), fit, fit, fit)
      .map(([y, a, b, p]) => [y, choice.over(y, { intercept }), a, b, p] as [Matrix, Loss, Vector, Vector, Vector])
  })
}

for (const at of cases)
  for (const intercept of [false, true]) {
    const { choice, formula } = at
    describe(`${choice.name}${intercept ? ' with an unpenalised intercept' : ''}`, () => {
      const law = (title: string, check: (loss: Loss, a: Vector, b: Vector, p: Vector, y: Matrix) => void): void =>
        it(title, () => {
          fc.assert(fc.property(situations(at, intercept), ([y, loss, a, b, p]) => check(loss, a, b, p, y)))
        })

      law('has one entry per target', (loss, _a, _b, _p, y) => {
        expect(loss.size).toBe(y.rows * y.columns)
      })

      law('is convex, and never negative', (loss, a, b) => {
        const between = loss.value(a.map((value, k) => 0.3 * value + 0.7 * b[k]!))
        const chord = 0.3 * loss.value(a) + 0.7 * loss.value(b)
        expect(between).toBeLessThanOrEqual(chord + 1e-14 * (1 + chord))
        expect(between).toBeGreaterThanOrEqual(0)
      })

      law('the gradient is what finite differences say', (loss, a, b) => {
        const h = 1e-4
        const ahead = loss.value(a.map((value, k) => value + h * b[k]!))
        const behind = loss.value(a.map((value, k) => value - h * b[k]!))
        const slope = inner(loss.gradient(a), b)
        // A gradient with Lipschitz constant L is off by no more than L h |b|^2; the squared loss's by nothing.
        const bend = choice.name === 'squared' ? 0 : loss.smoothness * h * inner(b, b)
        expect(Math.abs((ahead - behind) / (2 * h) - slope)).toBeLessThanOrEqual(bend + 1e-10 * (1 + ahead + behind))
      })

      law('the divergence is F(to) - F(at) - dF(at) (to - at), and at least 0', (loss, to, at) => {
        const expected = loss.value(to) - loss.value(at) - inner(loss.gradient(at), minus(to, at))
        const divergence = loss.divergence(to, at)
        expect(divergence).toBeGreaterThanOrEqual(0)
        expect(Math.abs(divergence - expected)).toBeLessThanOrEqual(1e-13 * (1 + loss.value(to) + loss.value(at)))
        expect(loss.divergence(at, at)).toBe(0)
      })

      law('the divergence of nearby points keeps its digits', (loss, at, step) => {
        const near = at.map((value, k) => value + 1e-9 * step[k]!)
        const reach = minus(near, at)
        // Of size 1e-18, where the difference of two values has none left; twice as far is four times as much.
        const doubled = loss.divergence(
          at.map((value, k) => value + 2 * reach[k]!),
          at,
        )
        expect(Math.abs(doubled - 4 * loss.divergence(near, at))).toBeLessThanOrEqual(1e-6 * doubled + 1e-25)
      })

      law(
        'smoothness bounds the gradient: |dF(a) - dF(b)| <= L |a - b|, and the divergence by L |a - b|^2 / 2',
        (loss, a, b) => {
          const far = length(minus(a, b))
          const turned = length(minus(loss.gradient(a), loss.gradient(b)))
          expect(turned).toBeLessThanOrEqual(loss.smoothness * far + 1e-13)
          expect(loss.divergence(a, b)).toBeLessThanOrEqual((loss.smoothness / 2) * far * far + 1e-13)
        },
      )

      law('Fenchel-Young: F(z) + F*(p) >= z p', (loss, z, b, p, y) => {
        const within = loss.gradient(b).map((value) => value / 2)
        expect(loss.conjugate(within)).toBeLessThan(Number.POSITIVE_INFINITY)
        for (const slope of [p, centre(p, y.columns), within]) {
          const bound = inner(z, slope)
          expect(loss.value(z) + loss.conjugate(slope)).toBeGreaterThanOrEqual(bound - 1e-12 * (1 + Math.abs(bound)))
        }
      })

      law('Fenchel-Young is an equality at the gradient', (loss, z) => {
        const slope = loss.gradient(z)
        // A gradient of nothing but rounding says nothing about its column sums.
        if (length(slope) <= 1e-12 * loss.smoothness * (1 + length(z))) return
        const difference = loss.value(z) + loss.conjugate(slope) - inner(z, slope)
        expect(Math.abs(difference)).toBeLessThanOrEqual(1e-12 * (1 + loss.value(z)))
      })

      law('F*(0) is minus the least value of F', (loss) => {
        expect(Math.abs(loss.conjugate(new Float64Array(loss.size)))).toBe(0)
      })

      law('only differences within a row count, if it says so', (loss, z, _b, p, y) => {
        const moved = z.map((value, k) => value + p[Math.floor(k / y.columns)]!)
        const change = length(minus(loss.gradient(moved), loss.gradient(z)))
        expect(loss.rowShifts === true).toBe(choice.name === 'softmax')
        if (loss.rowShifts) expect(change).toBeLessThanOrEqual(1e-13 * (1 + length(p)))
      })

      if (!intercept)
        law('the gradient tells the fit but for entries that are flat, and shifts', (loss, z, b) => {
          const flat = loss.flat?.(z) ?? new Uint8Array(loss.size)
          const slope = loss.gradient(z)
          for (let k = 0; k < loss.size; k++) {
            const changes = [-1e-3, 1e-3].map((by) => {
              const moved = z.slice()
              moved[k]! += by
              return length(minus(loss.gradient(moved), slope))
            })
            // A flat entry may move at least one way; another neither.
            if (flat[k]) expect(Math.min(...changes)).toBe(0)
            else expect(Math.min(...changes)).toBeGreaterThan(0)
          }
          // What is flat at a fit whose gradient is nearby is found from here.
          const reach = length(minus(loss.gradient(b), slope)) * (1 + 1e-12)
          const elsewhere = loss.flat?.(b)
          const maybe = loss.flat?.(z, reach)
          elsewhere?.forEach((one, k) => {
            expect(maybe![k]!).toBeGreaterThanOrEqual(one)
          })
        })

      law("the second derivative is how the gradient changes, and S S'", (loss, z, b) => {
        if (!loss.hessian) return
        const { diagonal, root, rootAdjoint, project } = loss.hessian(z)
        const product = root(rootAdjoint(b))
        const h = 1e-4
        const ahead = loss.gradient(z.map((value, k) => value + h * b[k]!))
        const behind = loss.gradient(z.map((value, k) => value - h * b[k]!))
        const change = minus(ahead, behind).map((value) => value / (2 * h))
        expect(length(minus(change, product))).toBeLessThanOrEqual(1e-6 * (1 + length(b)) ** 3)
        diagonal.forEach((entry, k) => {
          const unit = new Float64Array(loss.size)
          unit[k] = 1
          expect(Math.abs(root(rootAdjoint(unit))[k]! - entry)).toBeLessThanOrEqual(1e-14)
        })
        expect(Math.abs(inner(root(b), z) - inner(b, rootAdjoint(z)))).toBeLessThanOrEqual(
          1e-13 * (1 + length(b) * length(z)),
        )
        // What is in the range of S' stays, and S does not see what is taken away.
        const image = rootAdjoint(b)
        expect(length(minus(project(image.slice()), image))).toBeLessThanOrEqual(1e-13 * (1 + length(image)))
        expect(length(minus(root(project(b.slice())), root(b)))).toBeLessThanOrEqual(1e-13 * (1 + length(b)))
      })

      law('every point has one in the domain of F* near it, and what is inside stays', (loss, z, _b, p) => {
        if (!loss.intoDomain) return
        const found = loss.intoDomain(p)
        expect(loss.conjugate(found)).toBeLessThan(Number.POSITIVE_INFINITY)
        const slope = loss.gradient(z)
        expect(length(minus(loss.intoDomain(slope), slope))).toBeLessThanOrEqual(1e-14)
        expect(loss.intoDomain(p, p)).toEqual(found)
      })

      law('gradient writes to out, returns it, and nothing writes to its inputs', (loss, a, b) => {
        const [to, at] = [a.slice(), b.slice()]
        const out = new Float64Array(loss.size).fill(Number.NaN)
        expect(loss.gradient(at, out)).toBe(out)
        loss.value(to)
        loss.divergence(to, at)
        loss.conjugate(to)
        loss.intercept?.(to)
        expect([to, at]).toEqual([a, b])
        expect(out).toEqual(loss.gradient(b))
      })

      law('the gradient may be written over its own fit', (loss, a) => {
        const expected = loss.gradient(a)
        const alias = a.slice()
        expect(loss.gradient(alias, alias)).toEqual(expected)
      })

      if (!intercept) {
        law('is its formula', (loss, z, _b, _p, y) => {
          expect(loss.value(z)).toBeCloseTo(formula(z, y), 13)
          expect(loss.intercept).toBeUndefined()
        })

        law('is the quadratic it says it is, if it says so', (loss, z) => {
          expect(loss.quadratic !== undefined).toBe(choice.name === 'squared')
          if (!loss.quadratic) return
          const { curvature, target } = loss.quadratic
          const distance = minus(z, target)
          expect(loss.value(z)).toBeCloseTo((curvature / 2) * inner(distance, distance), 13)
        })
      } else {
        law('is the formula at its own intercept, and no other intercept is better', (loss, z, _b, p, y) => {
          const best = loss.intercept!(z)
          const shifted = (by: Vector): Vector => z.map((value, k) => value + by[k % y.columns]!)
          expect(best.length).toBe(y.columns)
          expect(loss.value(z)).toBeCloseTo(formula(shifted(best), y), 12)
          const other = best.map((value, k) => value + p[k]! / 10)
          expect(loss.value(z)).toBeLessThanOrEqual(formula(shifted(other), y) + 1e-13)
        })

        law('does not see a shift of an output of the fit', (loss, z, _b, p, y) => {
          const moved = z.map((value, k) => value + p[k % y.columns]!)
          expect(loss.value(moved)).toBeCloseTo(loss.value(z), 12)
          expectClose(loss.gradient(moved), loss.gradient(z), 1e-12)
        })

        if (at.targets === targets)
          law('does not see a shift of an output of the targets', (loss, z, _b, p, y) => {
            const elsewhere = choice.over(
              mapEntries(y, (value, _, k) => value + p[k]!),
              { intercept: true },
            )
            expect(elsewhere.value(z)).toBeCloseTo(loss.value(z), 12)
            expectClose(elsewhere.gradient(z), loss.gradient(z), 1e-12)
          })

        if (choice.name === 'squared')
          law('the intercept moves with the targets and against the fit', (loss, z, _b, p, y) => {
            const optimal = loss.intercept!(z)
            const elsewhere = choice.over(
              mapEntries(y, (value, _, k) => value + p[k]!),
              { intercept: true },
            )
            expectClose(
              elsewhere.intercept!(z),
              optimal.map((value, k) => value + p[k]!),
              1e-12,
            )
            const moved = z.map((value, k) => value + p[k % y.columns]!)
            expectClose(
              loss.intercept!(moved),
              optimal.map((value, k) => value - p[k]!),
              1e-12,
            )
          })

        law('every gradient sums to zero over each output', (loss, z, _b, _p, y) => {
          const slope = loss.gradient(z)
          for (let k = 0; k < y.columns; k++) {
            const sum = slope.reduce((total, value, i) => (i % y.columns === k ? total + value : total), 0)
            expect(Math.abs(sum)).toBeLessThanOrEqual(1e-15 * (1 + length(z)))
          }
        })

        law(
          'the conjugate is the plain one where the columns sum to zero, and Infinity elsewhere',
          (loss, _a, _b, p, y) => {
            const plain = choice.over(y)
            const balanced = centre(p, y.columns)
            if (length(balanced) > 1e-9) expect(loss.conjugate(balanced)).toBeCloseTo(plain.conjugate(balanced), 10)
            const tilted = balanced.slice()
            tilted[0]! += 1e-3 * (1 + length(p))
            expect(loss.conjugate(tilted)).toBe(Number.POSITIVE_INFINITY)
          },
        )
      }
    })
  }

describe('squared', () => {
  it('of the fit (1, 3) to the targets (0, 1) is (1 + 4) / 4', () => {
    expect(
      squared()
        .over({ rows: 2, columns: 1, data: Float64Array.of(0, 1) })
        .value(Float64Array.of(1, 3)),
    ).toBe(1.25)
  })

  it('averages over rows and outputs: twice the same rows, or twice the same output, is the same loss', () => {
    const single = { y: [1, -2, 0.5], z: [0.3, 1, 2] }
    const of = (y: number[], z: number[], columns: number): number =>
      squared()
        .over({ rows: y.length / columns, columns, data: Float64Array.from(y) })
        .value(Float64Array.from(z))
    const value = of(single.y, single.z, 1)
    expect(of([...single.y, ...single.y], [...single.z, ...single.z], 1)).toBeCloseTo(value, 14)
    const doubled = (v: number[]): number[] => v.flatMap((entry) => [entry, entry])
    expect(of(doubled(single.y), doubled(single.z), 2)).toBeCloseTo(value, 14)
  })

  // Years, prices, populations: a mean far above the spread once made every dual bound of the intercept program zero.
  it.each([1e3, 1e6, 1e9])('with an intercept keeps its conjugate finite and exact at targets around %s', (mean) => {
    fc.assert(
      fc.property(plainMatrix(5, 1), vector(5, gaussian), (y, z) => {
        fc.pre(length(centre(y.data, 1)) > 0.1 && length(centre(minus(z, y.data), 1)) > 0.1)
        const shifted = squared().over(
          mapEntries(y, (value) => value + mean),
          { intercept: true },
        )
        const slope = shifted.gradient(z)
        const difference = shifted.value(z) + shifted.conjugate(slope) - inner(z, slope)
        expect(Math.abs(difference)).toBeLessThanOrEqual(1e-12 * (1 + shifted.value(z)))
      }),
    )
  })
})

/** Less the mean of every output. */
function centre(p: Vector, c: number): Vector {
  let centred = p
  for (let pass = 0; pass < 2; pass++) {
    const sums = new Float64Array(c)
    for (let k = 0; k < p.length; k++) sums[k % c]! += centred[k]!
    centred = centred.map((value, k) => value - (sums[k % c]! * c) / p.length)
  }
  return centred
}

function inner(a: Vector, b: Vector): number {
  return a.reduce((total, value, k) => total + value * b[k]!, 0)
}

function minus(a: Vector, b: Vector): Vector {
  return a.map((value, k) => value - b[k]!)
}

function length(v: Vector): number {
  return Math.sqrt(inner(v, v))
}

function expectClose(actual: Vector, expected: Vector, tolerance: number): void {
  for (let k = 0; k < expected.length; k++) expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThanOrEqual(tolerance)
}
