import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hinge,
  huber,
  type Loss,
  logistic,
  type Matrix,
  smoothHinge,
  softmax,
  softmaxReference,
  squared,
  squaredHinge,
} from '../../src/index.ts'
import { classes, gaussianTargets, largestDifference, seed, signs } from './images.ts'

const n = 5
const cases: { name: string; make: (from: number) => Loss; targets: (from: number) => Matrix }[] = [
  { name: 'squared', targets: (s) => gaussianTargets(n, 2, s), make: (s) => squared().over(gaussianTargets(n, 2, s)) },
  { name: 'huber', targets: (s) => gaussianTargets(n, 2, s), make: (s) => huber().over(gaussianTargets(n, 2, s)) },
  { name: 'logistic', targets: (s) => signs(n, s), make: (s) => logistic().over(signs(n, s)) },
  { name: 'squared-hinge', targets: (s) => signs(n, s), make: (s) => squaredHinge().over(signs(n, s)) },
  { name: 'smooth-hinge', targets: (s) => signs(n, s), make: (s) => smoothHinge({ gamma: 0.4 }).over(signs(n, s)) },
  { name: 'hinge', targets: (s) => signs(n, s), make: (s) => hinge().over(signs(n, s)) },
  {
    name: 'softmax-reference',
    targets: (s) => classes(n, 3, s),
    make: (s) => softmaxReference().over(classes(n, 3, s)),
  },
]

describe('the conjugate in detail', () => {
  for (const { name, make } of cases)
    describe(name, () => {
      /** A loss and a point inside the domain of G, away from its centre. */
      const at = (from: number): { loss: Loss; alpha: Float64Array } => {
        const loss = make(from)
        const z = gaussianTargets(loss.size, 1, from + 7).data
        const slope = loss.gradient(z)
        const center = loss.dual!.inside()
        return { loss, alpha: center.map((value, k) => 0.4 * value - 0.6 * slope[k]!) }
      }
      const law = (title: string, check: (from: number) => void): void =>
        it(title, () => {
          fc.assert(fc.property(seed, check), { numRuns: 50 })
        })

      law('is F*(-alpha)', (from) => {
        const { loss, alpha } = at(from)
        const expected = loss.conjugate(alpha.map((value) => -value))
        expect(Math.abs(loss.dual!.value(alpha, 0) - expected)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(expected)))
      })

      law('has the gradient and Hessian of finite differences, barrier and all', (from) => {
        const { loss, alpha } = at(from)
        const { group } = loss.dual!
        const gradient = new Float64Array(loss.size)
        const hessian = new Float64Array(loss.size * group)
        const weight = 0.1
        loss.dual!.value(alpha, weight, gradient, hessian)
        const h = 1e-6 / n
        const [up, down] = [new Float64Array(loss.size), new Float64Array(loss.size)]
        for (let k = 0; k < loss.size; k++) {
          const moved = (by: number): Float64Array => alpha.map((value, j) => (j === k ? value + by : value))
          const ahead = loss.dual!.value(moved(h), weight, up)
          const behind = loss.dual!.value(moved(-h), weight, down)
          const size = 1 + Math.abs(gradient[k]!)
          expect(Math.abs((ahead - behind) / (2 * h) - gradient[k]!)).toBeLessThanOrEqual(1e-4 * size)
          const first = k - (k % group)
          for (let l = first; l < first + group; l++) {
            const entry = hessian[k * group + (l - first)]!
            expect(Math.abs((up[l]! - down[l]!) / (2 * h) - entry)).toBeLessThanOrEqual(1e-3 * (1 + Math.abs(entry)))
          }
        }
      })

      law('the prox costs no more than points beside it, and 0 is optimal where it should be', (from) => {
        const { loss, alpha } = at(from)
        const v = gaussianTargets(loss.size, 1, from + 3).data
        for (const step of [1e-3, 1, 50]) {
          const x = loss.dual!.prox(v, step)
          const cost = (a: Float64Array): number =>
            step * loss.dual!.value(a, 0) + a.reduce((sum, value, k) => sum + (value - v[k]!) ** 2 / 2, 0)
          const least = cost(x)
          expect(least).toBeLessThan(Number.POSITIVE_INFINITY)
          for (const share of [1e-4, 0.1, 1]) {
            const other = x.map((value, k) => value + share * (alpha[k]! - value))
            expect(least).toBeLessThanOrEqual(cost(other) + 1e-12 * (1 + Math.abs(least)))
          }
        }
      })

      law('every point between the inner one and zero is inside', (from) => {
        const { loss } = at(from)
        const center = loss.dual!.inside()
        for (const share of [1, 0.5, 1e-6])
          expect(
            loss.dual!.value(
              center.map((value) => share * value),
              1,
            ),
          ).toBeLessThan(Number.POSITIVE_INFINITY)
      })
    })

  it('is there for rows that are weighed by zero, where alpha is zero', () => {
    const loss = logistic({ sampleWeights: [1, 0, 2] }).over({ rows: 3, columns: 1, data: Float64Array.of(1, -1, -1) })
    expect(loss.dual!.inside()[1]).toBe(0)
    expect(loss.dual!.value(Float64Array.of(0.1, 0.1, -0.1), 0)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('hinge', () => {
  it('is the limit of the smooth hinge, from above', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const y = signs(n, from)
        const z = gaussianTargets(n, 1, from).data
        const exact = hinge().over(y).value(z)
        const smooth = smoothHinge({ gamma: 1e-3 }).over(y).value(z)
        expect(smooth).toBeLessThanOrEqual(exact)
        expect(exact - smooth).toBeLessThanOrEqual(5e-4 + 1e-12)
      }),
    )
  })

  it('says that it has a corner, and takes no intercept', () => {
    expect(hinge().over(signs(4, 1)).smoothness).toBe(Number.POSITIVE_INFINITY)
    expect(() => hinge().over(signs(4, 1), { intercept: true })).toThrow(/smoothHinge/)
  })

  it('its divergence is F(to) - F(at) - g (to - at), never negative', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const loss = hinge().over(signs(n, from))
        const at = gaussianTargets(n, 1, from).data
        const to = gaussianTargets(n, 1, from + 1).data
        const g = loss.gradient(at)
        const expected = loss.value(to) - loss.value(at) - g.reduce((sum, v, k) => sum + v * (to[k]! - at[k]!), 0)
        expect(loss.divergence(to, at)).toBeGreaterThanOrEqual(0)
        expect(Math.abs(loss.divergence(to, at) - expected)).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(expected)))
      }),
    )
  })
})

describe('softmax-reference', () => {
  it('is the softmax of one more logit that is 0, in value, gradient and divergence', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const c = 2
        const y = classes(n, c, from)
        const wide = { rows: n, columns: c + 1, data: new Float64Array(n * (c + 1)) }
        const widen = (z: Float64Array): Float64Array =>
          Float64Array.from({ length: n * (c + 1) }, (_, k) =>
            k % (c + 1) === c ? 0 : z[Math.floor(k / (c + 1)) * c + (k % (c + 1))]!,
          )
        wide.data.set(widen(y.data))
        for (let r = 0; r < n; r++) if (y.data[r * c] === 0 && y.data[r * c + 1] === 0) wide.data[r * (c + 1) + c] = 1
        const [small, full] = [softmaxReference().over(y), softmax().over(wide)]
        const z = gaussianTargets(n, c, from).data
        const w = gaussianTargets(n, c, from + 1).data
        expect(small.value(z)).toBeCloseTo(full.value(widen(z)), 14)
        expect(small.divergence(w, z)).toBeCloseTo(full.divergence(widen(w), widen(z)), 14)
        const kept = full.gradient(widen(z)).filter((_, k) => k % (c + 1) !== c)
        expect(largestDifference(small.gradient(z), kept)).toBeLessThanOrEqual(1e-15)
        const slope = small.gradient(z)
        const young = small.value(z) + small.conjugate(slope) - slope.reduce((sum, v, k) => sum + v * z[k]!, 0)
        expect(Math.abs(young)).toBeLessThanOrEqual(1e-13 * (1 + small.value(z)))
      }),
    )
  })
})
