import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Activation,
  activations,
  CcnnClassifier,
  type ConvexCnn,
  circularCnn,
  clip,
  convexCnn,
  convolution,
  deepNetwork,
  type FloatType,
  gatedReluNetwork,
  inversePolynomial,
  LiftedClassifier,
  LiftedRegressor,
  linearKernel,
  type Matrix,
  type Model,
  matrix,
  ReluClassifier,
  ReluRegressor,
  rbf,
  rectifiedCnn,
  reluNetwork,
  stackedCnn,
  toOnnx,
} from '../../src/index.ts'
import { cosines, type FeatureMap, kernelFeatures, pixels } from '../../src/kernels/features.ts'
import { whitenedFeatures } from '../../src/kernels/whitening.ts'
import { patchGrid } from '../../src/operators/patches.ts'
import { averagePooling } from '../../src/operators/pooling.ts'
import { normals, randomNetwork } from '../lifted/networks.ts'
import { runOnnx } from './runtime.ts'

/** The runtime and the network answer alike, to a share of the largest answer. */
async function expectSame(network: Model, X: Matrix, type: FloatType = 'float64', tolerance = 1e-10): Promise<void> {
  const expected = network.predict(X).data
  const { Y } = await runOnnx(toOnnx(network, { type }), X, type)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  expect(Y).toHaveLength(expected.length)
  Y!.forEach((value, k) => {
    expect(Math.abs((value as number) - expected[k]!)).toBeLessThan(tolerance * largest)
  })
}

const twoLayer = (width: number, features: number, outputs: number, seed: number) => ({
  W1: normals(width, features, seed),
  b1: normals(1, width, seed + 1).data,
  W2: normals(width, outputs, seed + 2),
  intercept: normals(1, outputs, seed + 3).data,
})

const gatedOf = (width: number, features: number, outputs: number, seed: number) =>
  gatedReluNetwork({
    ...twoLayer(width, features, outputs, seed),
    gates: normals(width, features, seed + 4),
    gateBias: normals(1, width, seed + 5).data,
  })

const sizes = fc.record({
  width: fc.integer({ min: 0, max: 6 }),
  features: fc.integer({ min: 1, max: 5 }),
  outputs: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 1, max: 1000 }),
})

describe('toOnnx of a two-layer network answers in onnxruntime as the network does', () => {
  it('ReLU, of any width down to none', () =>
    fc.assert(
      fc.asyncProperty(sizes, ({ width, features, outputs, seed }) =>
        expectSame(reluNetwork(twoLayer(width, features, outputs, seed)), normals(9, features, seed + 9)),
      ),
      { numRuns: 12 },
    ))

  it('gated, of any width down to none', () =>
    fc.assert(
      fc.asyncProperty(sizes, ({ width, features, outputs, seed }) =>
        expectSame(gatedOf(width, features, outputs, seed), normals(9, features, seed + 9)),
      ),
      { numRuns: 12 },
    ))

  it('a row on the boundary of a gate passes it', async () => {
    const network = gatedReluNetwork({
      gates: matrix(1, 2, Float64Array.of(1, -1)),
      gateBias: Float64Array.of(0),
      W1: matrix(1, 2, Float64Array.of(2, 3)),
      b1: Float64Array.of(0.5),
      W2: matrix(1, 1, Float64Array.of(1)),
      intercept: Float64Array.of(0),
    })
    const { Y } = await runOnnx(toOnnx(network), matrix(2, 2, Float64Array.of(1, 1, 1, 2)))
    expect(Y).toEqual([5.5, 0])
  })
})

const every: readonly Activation[] = [
  ...Object.values(activations).map((make) => make()),
  activations['leaky-relu']({ slope: 0.3 }),
  clip({ low: -0.7, high: 0.4 }),
]

describe('toOnnx of a deep network answers in onnxruntime as the network does', () => {
  it.each(every.map((activation) => [activation.name, activation] as const))('%s, dense', (_, activation) =>
    expectSame(randomNetwork([4, 6, 5, 2], activation, 3), normals(20, 4, 8, 3)),
  )

  it.each([1, 2])('convolution behind tiles of %d, then dense', (pool) => {
    const map = convolution({ height: 6, width: 8, channels: 2, size: 2, pool })
    const network = deepNetwork([
      { map, W: normals(3, map.fanIn, 1), b: normals(1, 3, 2).data, activation: activations.softplus() },
      {
        W: normals(2, 3 * map.positions, 3),
        b: normals(1, 2, 4).data,
        activation: activations.identity(),
      },
    ])
    return expectSame(network, normals(7, 96, 5))
  })
})

const shape = { height: 5, width: 6, channels: 2 }
const patches = [
  { size: 2 },
  { size: 3, stride: 2, padding: 1, normalize: 'l2' },
  { size: 3, padding: 2, normalize: 'contrast' },
] as const
const pools = [undefined, { size: 2 }, { size: 3, stride: 2 }] as const

function cnnOf(
  features: (length: number) => FeatureMap,
  patch: (typeof patches)[number],
  pool: (typeof pools)[number],
): ConvexCnn {
  const grid = patchGrid(shape, patch)
  const map = features(grid.length)
  const { count } = averagePooling(grid.rows, grid.columns, pool)
  return convexCnn({
    ...{ shape, patch, pool, features: map },
    filters: normals(map.width, 4, 21, 0.5),
    linear: normals(4, 3 * count, 22),
    intercept: normals(1, 3, 23).data,
  })
}

const maps: Record<string, (length: number) => FeatureMap> = {
  pixels,
  'rbf at landmarks, mixed': (length) =>
    kernelFeatures(rbf({ gamma: 0.3 }), normals(5, length, 11).data, length, normals(5, 4, 12).data),
  'linear kernel at landmarks': (length) => kernelFeatures(linearKernel(), normals(5, length, 11).data, length),
  'random Fourier': (length) => cosines(length, normals(length, 6, 13).data, normals(1, 6, 14).data),
  whitened: (length) => whitenedFeatures(pixels(length), normals(length, length, 15).data, false),
  'whitened to length 1, inverse polynomial': (length) =>
    whitenedFeatures(
      kernelFeatures(inversePolynomial(), normals(4, length, 16, 0.1).data, length),
      normals(length, length, 17).data,
      true,
    ),
}

describe('toOnnx of a convolutional network answers in onnxruntime as the network does', () => {
  const X = normals(4, 60, 31)
  X.data.fill(0, 0, 30) // patches of zeros, which normalisation leaves alone
  const cases = Object.keys(maps).flatMap((name, k) =>
    patches.map((patch, p) => [name, patch, pools[(k + p) % 3]] as const),
  )
  // Cos of a float64 has some nine digits in this runtime.
  const toleranceOf = (name: string): number => (name === 'random Fourier' ? 1e-7 : 1e-10)
  it.each(cases)('%s, patches %o, pool %o', (name, patch, pool) =>
    expectSame(cnnOf(maps[name]!, patch, pool), X, 'float64', toleranceOf(name)),
  )

  it.each([
    ['ReLU', false, 4],
    ['gated', true, 4],
    ['of no filter', true, 0],
  ] as const)('rectified filters, %s', (_, gated, r) => {
    const grid = patchGrid(shape, patches[1])
    const { count } = averagePooling(grid.rows, grid.columns, { size: 2 })
    return expectSame(
      rectifiedCnn({
        ...{ shape, patch: patches[1], pool: { size: 2 }, filters: normals(r, grid.length, 41) },
        ...(gated && { gates: normals(r, grid.length, 42) }),
        linear: normals(r, 2 * count, 43),
        intercept: normals(1, 2, 44).data,
      }),
      X,
    )
  })

  it('one network on the other', () => {
    const first = cnnOf(maps['rbf at landmarks, mixed']!, patches[2], { size: 2 })
    const patch = { size: 2, normalize: 'l2' } as const
    const grid = patchGrid(first.convolved, patch)
    const last = convexCnn({
      ...{ shape: first.convolved, patch, features: pixels(grid.length) },
      filters: normals(grid.length, 3, 51),
      linear: normals(3, 2 * grid.count, 52),
      intercept: normals(1, 2, 53).data,
    })
    return expectSame(stackedCnn([first, last]), X)
  })

  it('a circular convolution', () =>
    expectSame(
      circularCnn({ filter: normals(1, 7, 61).data, linear: normals(1, 7, 62).data, intercept: 0.3 }),
      normals(5, 7, 63),
    ))
})

describe('toOnnx of an estimator', () => {
  const X = normals(40, 3, 71, 5)
  const texts = Array.from({ length: 40 }, (_, i) => (X.data[3 * i]! * X.data[3 * i + 1]! > 0 ? 'same' : 'other'))
  const numbers = Array.from({ length: 40 }, (_, i) => 3 + (i % 3))
  const quick = { lambda: 0.05, gates: 30 }

  it('of targets reads raw rows and answers in raw units', async () => {
    const y = Array.from({ length: 40 }, (_, i) => 100 + 7 * X.data[3 * i]!)
    for (const estimator of [
      new ReluRegressor(quick).train(X, y),
      new ReluRegressor({ ...quick, program: 'relu' }).train(X, y),
      new LiftedRegressor({ hidden: [5], maxSweeps: 5 }).train(X, y),
    ]) {
      const { Y } = await runOnnx(toOnnx(estimator), X)
      const expected = estimator.network.predict(X).data
      Y!.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[k]!, 8)
      })
    }
  })

  it.each([
    ['two classes named by text', texts],
    ['three classes named by whole numbers', numbers],
    ['two classes named by fractions', texts.map((text) => (text === 'same' ? 0.5 : 1.5))],
  ])('of %s answers with labels and scores', async (_, labels) => {
    for (const estimator of [
      new ReluClassifier(quick).train(X, labels),
      new LiftedClassifier({ hidden: [5], maxSweeps: 5 }).train(X, labels),
    ]) {
      const { label, scores } = await runOnnx(toOnnx(estimator), X)
      expect(label).toEqual(estimator.predict(X))
      const expected = estimator.decisionFunction(X).data
      scores!.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[k]!, 8)
      })
    }
  })

  it('of images divides them as it did in training', async () => {
    const images = normals(12, 36, 81, 100)
    const estimator = new CcnnClassifier({
      shape: { height: 6, width: 6, channels: 1 },
      layers: [
        { patch: { size: 3, normalize: 'contrast' }, landmarks: 8 },
        { patch: { size: 2, normalize: 'l2' }, landmarks: 8, pool: { size: 1 } },
      ],
    }).train(images, numbers.slice(0, 12))
    const { label, scores } = await runOnnx(toOnnx(estimator), images)
    expect(label).toEqual(estimator.predict(images))
    const expected = estimator.decisionFunction(images).data
    scores!.forEach((value, k) => {
      expect(Math.abs((value as number) - expected[k]!)).toBeLessThan(1e-6)
    })
  })
})

describe('toOnnx', () => {
  it('in float32 answers to the precision of float32', async () => {
    await expectSame(reluNetwork(twoLayer(6, 4, 2, 5)), normals(9, 4, 6), 'float32', 1e-5)
    await expectSame(randomNetwork([4, 6, 2], activations.tanh(), 3), normals(9, 4, 8), 'float32', 1e-5)
    await expectSame(cnnOf(maps['rbf at landmarks, mixed']!, patches[2], pools[2]), normals(4, 60, 31), 'float32', 1e-5)
  })

  it('refuses a weight beyond float32, and keeps it in float64', async () => {
    const weights = { ...twoLayer(2, 2, 1, 7), intercept: Float64Array.of(1e300) }
    expect(() => toOnnx(reluNetwork(weights), { type: 'float32' })).toThrow(/intercept is 1e\+300, beyond what float32/)
    await expectSame(reluNetwork(weights), normals(3, 2, 6))
  })

  it('refuses what is no network, in a sentence', () => {
    for (const wrong of [null, {}, { kind: 'svm' }, new Map(), { network: {} }, 'text'])
      expect(() => toOnnx(wrong as never)).toThrow(/^toOnnx: the model is .*expected one of gated-relu-network/)
    expect(() => toOnnx(reluNetwork(twoLayer(1, 1, 1, 1)), { type: 'float16' as never })).toThrow(/expected float64 or/)
    expect(() => toOnnx(new ReluRegressor())).toThrow(/train/)
  })

  it('keeps metadata', () => {
    const text = new TextDecoder().decode(toOnnx(reluNetwork(twoLayer(1, 1, 1, 1)), { metadata: { columns: '["a"]' } }))
    expect(text).toContain('["a"]')
    expect(text).toContain('relu-network')
  })
})
