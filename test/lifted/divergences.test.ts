import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Activation,
  activations,
  clip,
  crossEntropy,
  elu,
  fenchel,
  identity,
  leakyRelu,
  linear,
  matrix,
  mixed,
  relu,
  sigmoid,
  softplus,
  softThreshold,
  tanh,
} from '../../src/index.ts'

const all: Activation[] = [
  relu(),
  leakyRelu({ slope: 0.1 }),
  identity(),
  sigmoid(),
  tanh(),
  elu(),
  softplus(),
  clip(),
  clip({ low: -2, high: 0.5 }),
  softThreshold({ threshold: 0.5 }),
]
const titleOf = ({ name, options }: Activation): string => `${name} ${JSON.stringify(options ?? {})}`

/** Inputs of a layer, kinks and saturated ones among them. */
const input = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -8, max: 8, noNaN: true }) },
  fc.constantFrom(0, 0.5, -0.5, 1, -2, 30, -30, 700, -700),
)
/** Simpson's rule. */
function integral(f: (x: number) => number, from: number, to: number, pieces = 2000): number {
  const h = (to - from) / pieces
  let total = f(from) + f(to)
  for (let k = 1; k < pieces; k++) total += f(from + k * h) * (k % 2 === 1 ? 4 : 2)
  return (total * h) / 3
}

describe.each(all.map((activation) => [titleOf(activation), activation] as const))('%s', (_, phi) => {
  const D = (v: number, u: number): number => phi.potential(v) - u * v + phi.conjugate(u)
  const near = (u: number): number => 1e-13 * (1 + u * u)

  it('has a divergence of at least 0, and of 0 where v = phi(u)', () =>
    fc.assert(
      fc.property(input, input, (u, w) => {
        expect(D(phi.value(w), u)).toBeGreaterThanOrEqual(-near(Math.abs(u) + Math.abs(w)))
        expect(Math.abs(D(phi.value(u), u))).toBeLessThanOrEqual(near(u))
      }),
    ))

  it('has a divergence of at least (v - phi(u))^2 / (2 L)', () =>
    fc.assert(
      fc.property(input, input, (u, w) => {
        const v = phi.value(w)
        const least = (v - phi.value(u)) ** 2 / (2 * phi.lipschitz)
        expect(D(v, u)).toBeGreaterThanOrEqual(least - 10 * near(Math.abs(u) + Math.abs(w)))
      }),
    ))

  it('is non-decreasing and L-Lipschitz', () =>
    fc.assert(
      fc.property(input, input, (u, w) => {
        const rise = (phi.value(u) - phi.value(w)) * Math.sign(u - w)
        expect(rise).toBeGreaterThanOrEqual(0)
        expect(rise).toBeLessThanOrEqual(phi.lipschitz * Math.abs(u - w) * (1 + 1e-12) + 1e-15)
      }),
    ))

  it("is the gradient of Phi*: phi's integral is Phi*, apart from rounding", () =>
    fc.assert(
      fc.property(fc.double({ min: -4, max: 4, noNaN: true }), (u) => {
        const rise = integral(phi.value, 0, u)
        expect(Math.abs(phi.conjugate(u) - phi.conjugate(0) - rise)).toBeLessThan(3e-6)
      }),
      { numRuns: 30 },
    ))

  it('has the slope that differences have, away from kinks', () =>
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (u) => {
        fc.pre([0, 0.5, -0.5, 1, -2].every((kink) => Math.abs(u - kink) > 1e-3))
        const difference = (phi.value(u + 1e-5) - phi.value(u - 1e-5)) / 2e-5
        expect(Math.abs(phi.slope(u) - difference)).toBeLessThan(1e-8)
      }),
    ))

  it('has an inverse: phi(inverse(v)) = v on its range, and a finite one at the ends', () =>
    fc.assert(
      fc.property(input, (u) => {
        const v = phi.value(u)
        const s = phi.inverse(v)
        expect(Number.isFinite(s)).toBe(true)
        expect(Math.abs(phi.value(s) - v)).toBeLessThanOrEqual(1e-14 * (1 + Math.abs(v)))
      }),
    ))

  it('solves its own problem: phi(u) = argmax u v - Phi(v), against a grid', () =>
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (u) => {
        const at = phi.value(u)
        const best = u * at - phi.potential(at)
        for (let k = -300; k <= 300; k++) {
          const v = at + k / 50
          expect(u * v - phi.potential(v)).toBeLessThanOrEqual(best + 1e-12)
        }
      }),
      { numRuns: 30 },
    ))

  it.runIf(phi.shrink)('shrinks: argmin share f(v) + (v - x)^2 / 2 with f = Phi - v^2/2, against a grid', () =>
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (x, share) => {
          const value = (v: number): number =>
            (phi.potential(v) === Number.POSITIVE_INFINITY
              ? Number.POSITIVE_INFINITY
              : share * (phi.potential(v) - (v * v) / 2)) +
            (v - x) ** 2 / 2
          const at = phi.shrink!(x, share)
          for (let k = -300; k <= 300; k++) expect(value(at + k / 50)).toBeGreaterThanOrEqual(value(at) - 1e-12)
          expect(phi.shrink!(x, 1)).toBeCloseTo(phi.value(x), 13)
        },
      ),
      { numRuns: 40 },
    ),
  )

  it('is found again by its name and options', () => {
    const again = activations[phi.name](phi.options)
    expect(titleOf(again)).toBe(titleOf(phi))
    for (const u of [-3, -0.7, 0, 0.2, 4]) expect(again.value(u)).toBe(phi.value(u))
  })

  it('mixes its two couplings in proportion', () =>
    fc.assert(
      fc.property(input, input, fc.double({ min: 0, max: 1, noNaN: true }), (u, w, share) => {
        const [V, U] = [matrix(1, 1, Float64Array.of(phi.value(w))), matrix(1, 1, Float64Array.of(u))]
        const [a, b] = [fenchel(phi).value(V, U), linear(phi).value(V, U)]
        const c = mixed(phi, share).value(V, U)
        expect(Math.abs(c - (1 - share) * a - share * b)).toBeLessThanOrEqual(1e-11 * (1 + u * u + w * w))
      }),
    ))
})

it('a ReLU is charged min(u, 0)^2 / 2 more by the linear coupling', () =>
  fc.assert(
    fc.property(input, fc.double({ min: 0, max: 5, noNaN: true }), (u, v) => {
      const [V, U] = [matrix(1, 1, Float64Array.of(v)), matrix(1, 1, Float64Array.of(u))]
      const excess = linear(relu()).value(V, U) - fenchel(relu()).value(V, U)
      expect(Math.abs(excess - Math.min(u, 0) ** 2 / 2)).toBeLessThanOrEqual(1e-13 * (1 + u * u + v * v))
    }),
  ))

it("LPOM's penalty f(v) + g(u) + (v - u)^2 / 2 of a sigmoid, integrals from 0, is the divergence less ln 2", () => {
  const phi = sigmoid()
  for (const [v, u] of [
    [0.3, 0.8],
    [0.9, -1.2],
    [0.05, -2],
  ] as const) {
    // The inverse has a logarithmic pole at 0: its integral is known, and Simpson's rule would not find it.
    const f = phi.potential(v) - (v * v) / 2
    const g = integral((x) => phi.value(x) - x, 0, u)
    const divergence = fenchel(phi).value(matrix(1, 1, Float64Array.of(v)), matrix(1, 1, Float64Array.of(u)))
    expect(f + g + (v - u) ** 2 / 2).toBeCloseTo(divergence - Math.LN2, 10)
  }
})

describe('cross-entropy', () => {
  const scores = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 3, maxLength: 3 })
  const simplex = fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
    .filter((weights) => weights[0]! + weights[1]! + weights[2]! > 0.01)
    .map((weights) => weights.map((weight) => weight / (weights[0]! + weights[1]! + weights[2]!)))
  const row = (entries: number[]) => matrix(1, 3, Float64Array.from(entries))

  it('is at least |y - softmax(z)|^2, twice of which it bounds, and 0 at y = softmax(z)', () =>
    fc.assert(
      fc.property(simplex, scores, (y, z) => {
        const D = crossEntropy().value(row(y), row(z))
        const p = crossEntropy().response(row(z), matrix(1, 3)).data
        // L = 1/2: D >= |y - p|^2 / (2 L).
        expect(D).toBeGreaterThanOrEqual(y.reduce((sum, v, k) => sum + (v - p[k]!) ** 2, 0) - 1e-12)
        expect(Math.abs(crossEntropy().value(matrix(1, 3, p), row(z)))).toBeLessThan(1e-12)
      }),
    ))

  it('stays finite for scores of any size', () => {
    expect(crossEntropy().value(row([1, 0, 0]), row([0, 1e4, -1e4]))).toBe(1e4)
    expect(Array.from(crossEntropy().response(row([0, 1e4, -1e4]), matrix(1, 3)).data)).toEqual([0, 1, 0])
  })
})

it.each([
  ['leakyRelu: slope is 0', () => leakyRelu({ slope: 0 })],
  ['leakyRelu: slope is 2', () => leakyRelu({ slope: 2 })],
  ['clip: low is 1 and high is 1', () => clip({ low: 1 })],
  ['softThreshold: threshold is NaN', () => softThreshold({ threshold: Number.NaN })],
  ['mixed: share is 1.5', () => mixed(relu(), 1.5)],
] as const)('what makes no activation is refused: %s', (start, make) => {
  expect(make).toThrow(RangeError)
  expect(make).toThrow(start)
})
