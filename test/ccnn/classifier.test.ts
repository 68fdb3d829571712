import { describe, expect, it } from 'vitest'
import {
  CcnnClassifier,
  ccnnProgram,
  loadModel,
  type Matrix,
  matrix,
  nystrom,
  rbf,
  solveSync,
  strongestFilters,
  whitened,
} from '../../src/index.ts'
import { product } from '../../src/numerics/products.ts'
import { random } from '../../src/numerics/random.ts'
import { gaussianImages, gaussianTargets, largestDifference } from './images.ts'

const shape = { height: 10, width: 10, channels: 1 }

/**
 * Two copies of a class's 3 x 3 template at random places of a 10 x 10 image, with random sign and noise of 0.25: what a
 * convolution sees and a linear model on pixels does not.
 */
function templates(n: number, classes: number, seed: number): { X: Matrix; labels: string[] } {
  const shared = random(7)
  const drawn = Array.from({ length: classes }, () => Float64Array.from({ length: 9 }, () => shared.normal()))
  const source = random(seed)
  const X = matrix(n, 100)
  const labels: string[] = []
  for (let i = 0; i < n; i++) {
    const own = source.below(classes)
    labels.push(`class ${own}`)
    for (let k = 0; k < 100; k++) X.data[100 * i + k] = 0.25 * source.normal()
    for (let copy = 0; copy < 2; copy++) {
      const [top, left] = [source.below(8), source.below(8)]
      const sign = source.uniform() < 0.5 ? -1 : 1
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 3; x++) X.data[100 * i + (top + y) * 10 + left + x]! += sign * drawn[own]![3 * y + x]!
    }
  }
  return { X, labels }
}

const layer = {
  patch: { size: 3 },
  pool: { size: 2 },
  gamma: 0.2,
  landmarks: 100,
  whiten: false,
  lambdaRatio: 0.02,
}

describe('CcnnClassifier', () => {
  const train = templates(200, 2, 1)
  const test = templates(500, 2, 2)

  it('finds templates wherever they are and of whatever sign: at least 96 % of 500 images right', () => {
    // Sixteen positions, and one.
    for (const size of [2, 8]) {
      const layers = [{ ...layer, pool: { size } }]
      const classifier = new CcnnClassifier({ shape, layers, tolerance: 1e-3 }).train(train.X, train.labels)
      expect(classifier.status).toBe('solved')
      expect(classifier.classes).toEqual(['class 0', 'class 1'])
      expect(classifier.certificate.relativeGap).toBeLessThanOrEqual(1e-3)
      expect(classifier.score(test.X, test.labels)).toBeGreaterThanOrEqual(0.96)
    }
  })

  it('comes back from its file, alone and by loadModel, and predicts the same', () => {
    const layers = [
      { ...layer, whiten: true, landmarks: 40, filters: 3 },
      { ...layer, patch: { size: 2, normalize: 'l2' as const }, pool: { size: 1 }, landmarks: 30 },
    ]
    const classifier = new CcnnClassifier({ shape, layers }).train(train.X, train.labels)
    expect(classifier.layers.length).toBe(2)
    expect(classifier.network.layers[0]!.width).toBeLessThanOrEqual(3)
    const text = JSON.stringify(classifier)
    const expected = classifier.decisionFunction(test.X).data
    for (const again of [CcnnClassifier.load(text), loadModel(text) as CcnnClassifier]) {
      expect(again).toBeInstanceOf(CcnnClassifier)
      expect(largestDifference(again.decisionFunction(test.X).data, expected)).toBe(0)
      expect(again.predict(test.X)).toEqual(classifier.predict(test.X))
    }
    const network = loadModel(JSON.parse(JSON.stringify(classifier.network))) as typeof classifier.network
    expect(network.layers.length).toBe(2)
    const file = JSON.parse(text)
    const damaged = { ...file, options: { ...file.options, maxIterations: null } }
    expect(() => CcnnClassifier.load(damaged)).toThrow(
      'loadModel: the model is damaged (CcnnClassifier: maxIterations is null, expected a number; pass one.); save it again with toJSON().',
    )
  })

  it('takes numbers as labels and gives them back, more than two classes with softmax', () => {
    const { X, labels } = templates(60, 3, 5)
    const numbers = labels.map((label) => 10 * Number(label.slice(6)))
    const classifier = new CcnnClassifier({ shape, layers: [{ ...layer, landmarks: 60 }] }).train(X, numbers)
    expect(classifier.classes).toEqual([0, 10, 20])
    expect(classifier.score(X, numbers)).toBeGreaterThan(0.8)
    expect(classifier.decisionFunction(X).columns).toBe(3)
  })

  it('aborts with the best point so far, and says how training goes', async () => {
    const layers: number[] = []
    const stop = new AbortController()
    const classifier = new CcnnClassifier({ shape, layers: [layer], tolerance: 1e-12 })
    await classifier.trainAsync(train.X, train.labels, {
      signal: stop.signal,
      onProgress: ({ layer: at, iteration }) => {
        layers.push(at)
        if (iteration >= 10) stop.abort()
      },
    })
    expect(classifier.status).toBe('aborted')
    expect(new Set(layers)).toEqual(new Set([1]))
    expect(classifier.predict(test.X).length).toBe(500)
  })

  it('refuses what does not fit, each in a sentence', () => {
    expect(() => new CcnnClassifier({ shape }).predict(train.X)).toThrow(/has not been trained/)
    expect(() => new CcnnClassifier({ shape, layers: [] })).toThrow(/no layer/)
    expect(() => new CcnnClassifier({ shape, layers: [{ filters: 0 }] })).toThrow(/filters is 0/)
    expect(() => new CcnnClassifier({ shape, tolerance: 0 })).toThrow(/tolerance is 0/)
    const made = (...options: unknown[]) => Reflect.construct(CcnnClassifier, options)
    expect(() => made()).toThrow('CcnnClassifier: the options are undefined, expected an object; pass one with shape, ')
    expect(() => made({})).toThrow(/there is no shape/)
    expect(() => made({ shape, patch: { size: 3 } })).toThrow(
      'CcnnClassifier: there is no option patch; the options are shape, layers, tolerance, maxIterations, timeLimit, seed.',
    )
    expect(() => made({ shape, layers: [layer, { ...layer, landmark: 10 }] })).toThrow(
      'CcnnClassifier: layer 2: there is no option landmark; did you mean landmarks?',
    )
    expect(() => made({ shape }).train(train.X)).toThrow('CcnnClassifier: the labels are undefined, expected an array')
    expect(() => new CcnnClassifier({ shape }).train(train.X, ['a'])).toThrow(/1 labels and X has 200 rows/)
    expect(() => new CcnnClassifier({ shape: { ...shape, width: 9 } }).train(train.X, train.labels)).toThrow(
      /X has 100 columns and the shape 10 x 9 x 1 has 90/,
    )
    const blind = { ...layer, lambdaRatio: 2 }
    expect(() => new CcnnClassifier({ shape, layers: [blind, layer] }).train(train.X, train.labels)).toThrow(
      /found no filter for the next one/,
    )
    const normalized = { ...layer, patch: { size: 3, normalize: 'contrast' as const } }
    const alike: ((image: number, pixel: number) => number)[] = [() => 0, () => 3, (_, k) => Math.sin(k)]
    for (const [pixel, whiten] of [
      ...alike.flatMap((pixel) => [[pixel, false] as const, [pixel, true] as const]),
      // Of one colour each.
      [(i: number) => i % 5, false] as const,
    ]) {
      const X = matrix(200, 100)
      for (let k = 0; k < X.data.length; k++) X.data[k] = pixel(Math.floor(k / 100), k % 100)
      expect(() => new CcnnClassifier({ shape, layers: [{ ...normalized, whiten }] }).train(X, train.labels)).toThrow(
        new RangeError(
          'CcnnClassifier: layer 1 sees nothing by which the classes differ: the images are all alike, or each is of one colour throughout; pass images that differ.',
        ),
      )
    }
    expect(() => CcnnClassifier.load({ format: 'cvxnn', kind: 'relu-network' })).toThrow(/expected "ccnn-classifier"/)
    expect(() => CcnnClassifier.load('{')).toThrow(/the text is no JSON/)
  })
})

describe('whitening', () => {
  it('makes the second moments of the training patches s / (s + floor), and is fitted on them alone', () => {
    const X = gaussianImages(60, { height: 4, width: 4, channels: 1 }, 1)
    // Neighbours are alike.
    for (let i = 0; i < X.data.length; i++) if (i % 16 > 0) X.data[i]! += 0.9 * X.data[i - 1]!
    const program = ccnnProgram({
      X,
      y: gaussianTargets(60, 1, 1),
      shape: { height: 4, width: 4, channels: 1 },
      patch: { size: 2 },
      kernel: rbf({ gamma: 0.5 }),
      features: whitened(nystrom({ count: 10 }), { floor: 1e-9, unit: false }),
      lambdaRatio: 0.5,
    })
    const { features } = solveSync(program, { tolerance: 1e-2 }).model
    const json = features.toJSON()
    if (json.kind !== 'whitened') throw new Error(`the features are ${json.kind}`)
    const patches: number[] = []
    for (let i = 0; i < 60; i++)
      for (let p = 0; p < 9; p++)
        for (const at of [0, 1, 4, 5]) patches.push(X.data[16 * i + 4 * Math.floor(p / 3) + (p % 3) + at]!)
    const white = product(Float64Array.from(patches), 540, Float64Array.from(json.matrix), 4, 4)
    for (let a = 0; a < 4; a++)
      for (let b = 0; b < 4; b++) {
        let total = 0
        for (let k = 0; k < 540; k++) total += white[4 * k + a]! * white[4 * k + b]!
        expect(total / 540).toBeCloseTo(a === b ? 1 : 0, 6)
      }
  })

  it('refuses a floor that is not positive', () => {
    expect(() => whitened(nystrom(), { floor: 0 })).toThrow(/floor is 0/)
  })
})

describe('strongestFilters', () => {
  it('keeps the network when there are fewer, and otherwise the first of its filters', () => {
    const program = ccnnProgram({
      X: gaussianImages(8, { height: 5, width: 5, channels: 1 }, 3),
      y: gaussianTargets(8, 2, 3),
      shape: { height: 5, width: 5, channels: 1 },
      patch: { size: 3, normalize: 'l2' },
      lambdaRatio: 0.05,
    })
    const { model } = solveSync(program, { tolerance: 1e-8 })
    expect(model.width).toBeGreaterThan(1)
    expect(strongestFilters(model, 100)).toBe(model)
    const one = strongestFilters(model, 1)
    const X = gaussianImages(2, { height: 5, width: 5, channels: 1 }, 4)
    const [all, some] = [model.convolve(X, { orthonormal: true }), one.convolve(X, { orthonormal: true })]
    for (let k = 0; k < some.data.length; k++) expect(some.data[k]).toBeCloseTo(all.data[k * model.width]!, 12)
  })
})
