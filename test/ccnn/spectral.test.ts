import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nuclear, type Vector, withinNuclearBall } from '../../src/index.ts'
import { product, rowProducts, transpose, transposeProduct } from '../../src/numerics/products.ts'
import { cholesky, choleskySolve, solveSymmetric } from '../../src/numerics/solve-symmetric.ts'
import { assemble, svd } from '../../src/numerics/svd.ts'
import { symmetricEigen } from '../../src/numerics/symmetric-eigen.ts'
import { psdTrace } from '../../src/penalties/psd-trace.ts'
import { nuclearBall, operatorBall } from '../../src/sets/index.ts'
import { psdCone } from '../../src/sets/psd-cone.ts'
import { step, vector } from '../arbitraries.ts'
import { gaussianImages, largestDifference, seed } from './images.ts'

const size = fc.integer({ min: 1, max: 20 })
const matrices = fc
  .record({ rows: size, columns: size, seed, rank: fc.integer({ min: 0, max: 20 }) })
  .map(({ rows, columns, seed, rank }) => {
    const draw = (n: number, m: number, from: number): Vector =>
      gaussianImages(1, { height: n, width: m, channels: 1 }, from).data
    // Of full rank, or a product of two thin ones.
    const thin = Math.min(rank, rows, columns)
    const A =
      rank > 10 || thin === 0
        ? draw(rows, columns, seed)
        : product(draw(rows, thin, seed), rows, draw(thin, columns, seed + 1), thin, columns)
    return { A, rows, columns }
  })

const inner = (a: Vector, b: Vector): number => a.reduce((total, value, k) => total + value * b[k]!, 0)

describe('svd', () => {
  it('puts the matrix together again, with orthonormal vectors and values that descend', () => {
    fc.assert(
      fc.property(matrices, ({ A, rows, columns }) => {
        const parts = svd(A, rows, columns)
        const { values, left, right, count } = parts
        const largest = values[0]!
        expect(largestDifference(assemble(parts, values, rows, columns), A)).toBeLessThanOrEqual(1e-13 * (1 + largest))
        for (let i = 0; i < count; i++) {
          if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!)
          if (values[i]! <= 1e-12 * largest) continue
          for (let j = 0; j <= i; j++) {
            const u = inner(left.subarray(i * rows, (i + 1) * rows), left.subarray(j * rows, (j + 1) * rows))
            const v = inner(
              right.subarray(i * columns, (i + 1) * columns),
              right.subarray(j * columns, (j + 1) * columns),
            )
            expect(Math.abs(u - (i === j ? 1 : 0))).toBeLessThan(1e-10)
            expect(Math.abs(v - (i === j ? 1 : 0))).toBeLessThan(1e-10)
          }
        }
      }),
    )
  })

  it('finds singular values of many sizes, each to its own digits', () => {
    // diag(1, 1e-6, 1e-12) turned on both sides by rotations.
    const turn = (a: number): Vector =>
      Float64Array.of(Math.cos(a), -Math.sin(a), 0, Math.sin(a), Math.cos(a), 0, 0, 0, 1)
    const D = Float64Array.of(1, 0, 0, 0, 1e-6, 0, 0, 0, 1e-12)
    const { values } = svd(product(product(turn(0.3), 3, D, 3, 3), 3, turn(1.1), 3, 3), 3, 3)
    expect(Math.abs(values[0]! - 1)).toBeLessThan(1e-15)
    expect(Math.abs(values[1]! - 1e-6)).toBeLessThan(1e-15)
    expect(Math.abs(values[2]! - 1e-12)).toBeLessThan(1e-15)
  })

  it('of zeros is zeros', () => {
    const { values } = svd(new Float64Array(12), 3, 4)
    expect(Array.from(values)).toEqual([0, 0, 0])
  })
})

describe('products, factors and eigenvectors', () => {
  it('are what the definitions say', () => {
    fc.assert(
      fc.property(matrices, seed, ({ A, rows, columns }, from) => {
        const B = gaussianImages(1, { height: columns, width: 7, channels: 1 }, from).data
        const AB = product(A, rows, B, columns, 7)
        const naive = Float64Array.from({ length: rows * 7 }, (_, k) => {
          let total = 0
          for (let c = 0; c < columns; c++) total += A[Math.floor(k / 7) * columns + c]! * B[c * 7 + (k % 7)]!
          return total
        })
        const scale = 1e-13 * (1 + Math.max(...A.map(Math.abs))) * columns * 10
        expect(largestDifference(AB, naive)).toBeLessThanOrEqual(scale)
        expect(largestDifference(rowProducts(A, rows, transpose(B, columns, 7), 7, columns), naive)).toBeLessThan(scale)
        expect(
          largestDifference(transposeProduct(transpose(A, rows, columns), rows, B, 7, columns), naive),
        ).toBeLessThan(scale)
        const S = rowProducts(A, rows, A, rows, columns)
        const { values, vectors } = symmetricEigen(S, rows)
        for (let e = 0; e < rows; e++) {
          const v = vectors.subarray(e * rows, (e + 1) * rows)
          const Sv = rowProducts(S, rows, v, 1, rows)
          expect(
            largestDifference(
              Sv,
              v.map((x) => x * values[e]!),
            ),
          ).toBeLessThanOrEqual(1e-12 * (1 + values[0]!))
        }
        for (let i = 0; i < rows; i++) S[i * rows + i]! += 1
        const b = gaussianImages(1, { height: rows, width: 1, channels: 1 }, from + 5).data
        for (const x of [choleskySolve(cholesky(S, rows)!, rows, b), solveSymmetric(S, rows, b)])
          expect(largestDifference(rowProducts(S, rows, x, 1, rows), b)).toBeLessThanOrEqual(1e-11 * (1 + values[0]!))
      }),
      { numRuns: 40 },
    )
  })
})

describe('spectral balls', () => {
  const balls = [nuclearBall, operatorBall].flatMap((ball) =>
    [0.3, 2].map((radius) => ({ set: ball({ rows: 3, columns: 4, radius }), radius })),
  )
  const law = (title: string, check: (set: (typeof balls)[number]['set'], s: Vector, w: Vector) => void): void => {
    for (const { set, radius } of balls)
      it(`${set.name} of radius ${radius}: ${title}`, () => {
        fc.assert(fc.property(vector(12), vector(12), (s, w) => check(set, s, w)))
      })
  }
  const largest = (v: Vector): number => Math.max(...v.map(Math.abs))

  law('a projection lies in the set and stays where it is', (set, s) => {
    const p = set.project(s)
    expect(set.violation(p)).toBeLessThanOrEqual(1e-13 * (1 + largest(s)))
    expect(largestDifference(set.project(p), p)).toBeLessThanOrEqual(1e-12 * (1 + largest(s)))
  })

  law('nothing in the set is on the far side of a projection', (set, s, w) => {
    const p = set.project(s)
    const q = set.project(w)
    const across = s.reduce((total, value, k) => total + (value - p[k]!) * (q[k]! - p[k]!), 0)
    expect(across).toBeLessThanOrEqual(1e-11 * (1 + largest(s)) * (1 + largest(s)))
  })

  law('the support function bounds, and is attained far out', (set, y, w) => {
    expect(inner(set.project(w), y)).toBeLessThanOrEqual(set.support(y) + 1e-12 * (1 + set.support(y)))
    if (largest(y) < 1e-6) return
    const far = set.project(y.map((value) => 1e7 * value))
    expect(inner(far, y)).toBeGreaterThanOrEqual(set.support(y) * (1 - 1e-5) - 1e-5)
  })

  it('refuse a radius that is not positive', () => {
    expect(() => nuclearBall({ rows: 2, columns: 2, radius: 0 })).toThrow(/radius is 0/)
    expect(() => operatorBall({ rows: 2, columns: 2, radius: Number.NaN })).toThrow(/radius is NaN/)
    expect(() => nuclear({ rows: 0, columns: 2 })).toThrow(/0 x 2/)
  })
})

describe('within-nuclear-ball', () => {
  const R = withinNuclearBall({ rows: 3, columns: 4, radius: 1.5 })

  it('the way to a projection is in the normal cone there, and R* is its support', () => {
    fc.assert(
      fc.property(vector(12), step(), (v, t) => {
        const x = R.prox(v, t)
        const normal = v.map((value, k) => value - x[k]!)
        const far = 1 + Math.max(...v.map(Math.abs))
        expect(R.subdifferentialDistance(x, normal)).toBeLessThanOrEqual(1e-9 * far)
        expect(Math.abs(R.conjugate(normal) - inner(x, normal))).toBeLessThanOrEqual(1e-11 * far * far)
      }),
    )
  })

  it('inside the ball only zero is normal', () => {
    const v = gaussianImages(1, { height: 3, width: 4, channels: 1 }, 5).data
    const u = v.map((value) => value / 100)
    expect(R.subdifferentialDistance(u, v)).toBeCloseTo(Math.hypot(...v), 12)
  })
})

describe('psd-trace', () => {
  const R = psdTrace({ size: 3 })
  const v9 = vector(9)
  const far = (v: Vector): number => 1 + Math.max(...v.map(Math.abs))

  it('the prox solves its own problem, and its slope is no longer than the dual ball', () => {
    fc.assert(
      fc.property(v9, step(), (v, t) => {
        const x = R.prox(v, t)
        const slope = v.map((value, k) => (value - x[k]!) / t)
        expect(R.subdifferentialDistance(x, slope)).toBeLessThanOrEqual(1e-9 * (1 + far(v) / t))
        expect(R.domain!.violation(x)).toBeLessThanOrEqual(1e-12)
        expect(R.polar(slope)).toBeLessThanOrEqual(1 + 1e-12 * (1 + far(v) / t))
        expect(Math.abs(R.value(x) - inner(x, slope))).toBeLessThanOrEqual(1e-11 * far(v) * (1 + far(v) / t))
      }),
    )
  })

  it('the polar bounds, and on semidefinite matrices it is the nuclear norm', () => {
    fc.assert(
      fc.property(v9, v9, (v, w) => {
        const B = R.domain!.project(w)
        expect(inner(B, v)).toBeLessThanOrEqual(R.value(B) * R.polar(v) + 1e-12 * far(v) * far(w))
        expect(Math.abs(nuclear({ rows: 3, columns: 3 }).value(B) - R.value(B))).toBeLessThanOrEqual(1e-12 * far(w))
      }),
    )
  })

  it('nothing in the cone is on the far side of a projection', () => {
    fc.assert(
      fc.property(v9, v9, (s, w) => {
        const cone = psdCone({ size: 3 })
        const p = cone.project(s)
        const q = cone.project(w)
        const across = s.reduce((total, value, k) => total + (value - p[k]!) * (q[k]! - p[k]!), 0)
        expect(across).toBeLessThanOrEqual(1e-11 * far(s) * (far(s) + far(w)))
      }),
    )
  })
})
