import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  convexCnn,
  type FeatureChoice,
  imageFeatures,
  imagePatches,
  type Matrix,
  matrix,
  nystrom,
  rbf,
  whitened,
} from '../../src/index.ts'
import { pixels } from '../../src/kernels/index.ts'
import { random } from '../../src/numerics/random.ts'

const shape = { height: 5, width: 6, channels: 2 }
const patch = { size: 2, normalize: 'contrast' as const }
const raw: FeatureChoice = { name: 'raw', fit: ({ length }) => pixels(length) }

describe('imageFeatures', () => {
  it('of raw patches without pooling are the patches, one after the other', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e6 }), fc.integer({ min: 1, max: 3 }), (seed, stride) => {
        const X = images(3, seed)
        const options = { X, shape, patch: { ...patch, stride } }
        const map = imageFeatures({ ...options, features: raw })
        const found = map.map(X)
        expect(found.columns).toBe(map.width)
        expect(found.data).toEqual(imagePatches(options).data)
      }),
      { numRuns: 20 },
    )
  })

  it('are what a convexified network with these features convolves by its single filters', () => {
    const X = images(8, 1)
    const options = { shape, patch, pool: { size: 2 } }
    const map = imageFeatures({ X, ...options, kernel: rbf({ gamma: 0.5 }), features: whitened(nystrom({ count: 6 })) })
    const r = map.patch.width
    const positions = map.width / r
    expect([r, positions]).toEqual([6, 4])
    const filters = matrix(r, r)
    for (let k = 0; k < r; k++) filters.data[k * (r + 1)] = 1
    const network = convexCnn({
      ...options,
      features: map.patch,
      filters,
      linear: matrix(r, positions),
      intercept: Float64Array.of(0),
    })
    const others = images(4, 2)
    const expected = network.convolve(others)
    map.map(others).data.forEach((entry, k) => {
      expect(entry).toBeCloseTo(expected.data[k]!, 10)
    })
  })

  it('are fitted on the images given, by their seed, and leave them as they are', () => {
    const X = images(6, 3)
    const before = X.data.slice()
    const made = (from: Matrix, seed: number): Matrix =>
      imageFeatures({ X: from, shape, patch, features: nystrom({ count: 4, seed }) }).map(X)
    expect(made(X, 1)).toEqual(made(X, 1))
    expect(made(X, 1)).not.toEqual(made(X, 2))
    expect(made(X, 1)).not.toEqual(made(images(6, 4), 1))
    expect(X.data).toEqual(before)
  })

  it('refuses images of another shape, no image, and entries that are not finite', () => {
    const X = images(3, 1)
    const options = { shape, patch, features: raw }
    const map = imageFeatures({ X, ...options })
    const sentence = 'imageFeatures: X has 7 columns and the shape 5 x 6 x 2 has 60 numbers; pass one image per row.'
    expect(() => imageFeatures({ X: matrix(3, 7), ...options })).toThrow(new RangeError(sentence))
    expect(() => map.map(matrix(3, 7))).toThrow(new RangeError(sentence))
    expect(() => imageFeatures({ X: matrix(0, 60), ...options })).toThrow(
      new RangeError('imageFeatures: X has no row, expected at least one image; pass the training images.'),
    )
    const broken = matrix(1, 60)
    broken.data[3] = Number.NaN
    expect(() => map.map(broken)).toThrow(
      new RangeError('imageFeatures: X has NaN in row 0, column 3 (counted from 0); drop or impute the row.'),
    )
  })
})

function images(count: number, seed: number): Matrix {
  const draws = random(seed)
  return matrix(
    count,
    60,
    Float64Array.from({ length: count * 60 }, () => draws.normal()),
  )
}
