import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  circularCnn,
  circularCnnProgram,
  enumerateGates,
  gatedCnnProgram,
  gatedReluProgram,
  imagePatches,
  lambdaMax,
  loadModel,
  matrix,
  nuclear,
  rectifiedCnn,
  reluCnnProgram,
  reluProgram,
  sampleGates,
  solveSync,
  verify,
} from '../../src/index.ts'
import { gaussianImages, gaussianTargets, largestDifference, seed } from './images.ts'

const shape = { height: 4, width: 4, channels: 1 }
const patch = { size: 2, stride: 2 }
const n = 7
const tight = { tolerance: 1e-9, maxIterations: 50_000 }
const few = { numRuns: 5 }

function gatesOf(from: number, count: number): ReturnType<typeof sampleGates> {
  return sampleGates(imagePatches({ X: gaussianImages(n, shape, from), shape, patch }), {
    count,
    seed: 1 + (from % 100),
  })
}

describe('gatedCnnProgram', () => {
  const program = (from: number, outputs = 2): ReturnType<typeof gatedCnnProgram> =>
    gatedCnnProgram({
      X: gaussianImages(n, shape, from),
      y: gaussianTargets(n, outputs, from),
      shape,
      patch,
      pool: { size: 2 },
      gates: gatesOf(from, 4),
      lambdaRatio: 0.2,
    })

  it('its answer is a network of that objective, found again by embed and in a file', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const P = program(from)
        const { model, certificate, coefficients } = solveSync(P, tight)
        expect(verify(P, model).network).toBeCloseTo(certificate.primal, 9)
        expect(largestDifference(P.embed(model).coefficients, coefficients)).toBeLessThan(1e-9)
        const again = loadModel(JSON.parse(JSON.stringify(model))) as typeof model
        const X = gaussianImages(3, shape, from + 1)
        expect(largestDifference(again.predict(X).data, model.predict(X).data)).toBe(0)
      }),
      few,
    )
  })

  it('no network with its gates has an objective below its bound', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const P = program(from)
        const { dual } = solveSync(P, tight).certificate
        const gates = gatesOf(from, 4)
        const network = rectifiedCnn({
          shape,
          patch,
          pool: { size: 2 },
          filters: gaussianTargets(4, 4, from + 2),
          gates: gates.vectors,
          linear: gaussianTargets(4, 2, from + 3),
          intercept: new Float64Array(2),
        })
        for (const share of [0.01, 0.1, 0.5]) {
          const smaller = rectifiedCnn({
            ...network,
            filters: { ...network.filters, data: network.filters.data.map((value) => share * value) },
            linear: { ...network.linear, data: network.linear.data.map((value) => share * value) },
          })
          expect(P.networkObjective!(smaller)).toBeGreaterThanOrEqual(dual - 1e-12)
        }
      }),
      few,
    )
  })

  it('with patches as large as the image it is the two-layer gated program with a nuclear norm per gate', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const X = gaussianImages(n, shape, from)
        const y = gaussianTargets(n, 2, from)
        const gates = sampleGates(X, { count: 5, seed: 3 })
        const whole = gatedCnnProgram({ X, y, shape, patch: { size: 4 }, gates, lambda: 0.05 })
        const dense = gatedReluProgram({ X, y, gates, lambda: 0.05, penalty: nuclear() })
        const [a, b] = [solveSync(whole, tight), solveSync(dense, tight)]
        expect(a.certificate.primal).toBeCloseTo(b.certificate.primal, 8)
      }),
      few,
    )
  })

  it('refuses gates of anything but its patches', () => {
    const X = gaussianImages(n, shape, 1)
    const options = { X, y: gaussianTargets(n, 1, 1), shape, patch, lambda: 0.1 }
    expect(() => gatedCnnProgram({ ...options, gates: sampleGates(X, { count: 3, seed: 1 }) })).toThrow(
      /made for 7 rows of 16 numbers and there are 28 patches of 4; call sampleGates\(imagePatches/,
    )
  })
})

describe('reluCnnProgram', () => {
  const program = (from: number): ReturnType<typeof reluCnnProgram> =>
    reluCnnProgram({
      X: gaussianImages(n, shape, from),
      y: gaussianTargets(n, 1, from),
      shape,
      patch,
      gates: gatesOf(from, 6),
      lambdaRatio: 0.2,
    })

  it('its answer is a ReLU network of that objective, found again by embed and in a file', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const P = program(from)
        const { model, certificate } = solveSync(P, { tolerance: 1e-8, maxIterations: 50_000 })
        expect(model.gates).toBeUndefined()
        expect(verify(P, model).network).toBeCloseTo(certificate.primal, 7)
        expect(verify(P, model).program.primal).toBeCloseTo(certificate.primal, 7)
        const again = loadModel(JSON.parse(JSON.stringify(model))) as typeof model
        const X = gaussianImages(3, shape, from + 1)
        expect(largestDifference(again.predict(X).data, model.predict(X).data)).toBe(0)
      }),
      few,
    )
  })

  it('with one patch an image it is the two-layer ReLU program, over all patterns too', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const tiny = { height: 1, width: 1, channels: 2 }
        const X = gaussianImages(6, tiny, from)
        const y = gaussianTargets(6, 1, from)
        const gates = enumerateGates(X)
        const one = reluCnnProgram({ X, y, shape: tiny, patch: { size: 1 }, gates, lambda: 0.05 })
        const two = reluProgram({ X, y, gates, lambda: 0.05 })
        expect([one.scope, two.scope]).toEqual(['network', 'network'])
        expect(lambdaMax(one)).toBeCloseTo(lambdaMax(two), 12)
        const [a, b] = [solveSync(one, tight), solveSync(two, tight)]
        expect(Math.abs(a.certificate.primal - b.certificate.primal)).toBeLessThan(1e-8)
      }),
      few,
    )
  })
})

describe('circularCnnProgram', () => {
  it('its answer is one circular filter with that objective, for even and odd lengths', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: 8 }), (from, d) => {
        const X = gaussianTargets(9, d, from)
        const program = circularCnnProgram({ X, y: gaussianTargets(9, 1, from + 1), lambda: 0.1 })
        const { model, certificate, coefficients } = solveSync(program, tight)
        expect(verify(program, model).network).toBeCloseTo(certificate.primal, 9)
        expect(largestDifference(program.embed(model).coefficients, coefficients)).toBeLessThan(1e-9)
        expect(largestDifference(model.predict(X).data, program.operator.apply(coefficients))).toBeLessThan(1e-9)
        const again = loadModel(JSON.parse(JSON.stringify(model))) as typeof model
        expect(largestDifference(again.predict(X).data, model.predict(X).data)).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('no circular network has an objective below its bound', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const X = gaussianTargets(9, 5, from)
        const program = circularCnnProgram({ X, y: gaussianTargets(9, 1, from + 1), lambda: 0.1 })
        const { dual } = solveSync(program, tight).certificate
        for (const share of [0.1, 0.3, 1]) {
          const network = circularCnn({
            filter: gaussianTargets(5, 1, from + 2).data.map((value) => share * value),
            linear: gaussianTargets(5, 1, from + 3).data.map((value) => share * value),
            intercept: 0,
          })
          expect(program.networkObjective!(network)).toBeGreaterThanOrEqual(dual - 1e-12)
        }
      }),
      few,
    )
  })

  it('refuses what does not fit', () => {
    expect(() => circularCnnProgram({ X: matrix(3, 2), y: [1, 2], lambda: 0.1 })).toThrow(/y 2 x 1/)
    expect(() => circularCnnProgram({ X: matrix(2, 2), y: [1, 2], lambda: -1 })).toThrow(/lambda is -1/)
  })
})
