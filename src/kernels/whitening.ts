import { requireOptions } from '../numerics/options.ts'
import { product, transposeProduct } from '../numerics/products.ts'
import { symmetricEigen } from '../numerics/symmetric-eigen.ts'
import type { Vector } from '../types.ts'
import type { FeatureChoice, FeatureMap, PatchSource } from './features.ts'

/** How patches are whitened. */
export interface WhiteningOptions {
  /** What is added to every eigenvalue of the patches' second moments (default 0.1), so that noise is not blown up. */
  floor?: number
  /** Divide every whitened patch by its length (default true). */
  unit?: boolean
}

/**
 * Patches z become U diag(1/sqrt(s + floor)) U'z, with U diag(s) U' the mean of zz' over the training patches (ZCA), before
 * they meet the features: neighbouring pixels say less of each other. Fitted on the training images alone.
 *
 * @throws RangeError when the floor is not a positive number.
 */
export function whitened(features: FeatureChoice, options: WhiteningOptions = {}): FeatureChoice {
  requireOptions(options, { floor: 'number', unit: 'boolean' }, 'whitened')
  const { floor = 0.1, unit = true } = options
  if (!(floor > 0) || !Number.isFinite(floor))
    throw new RangeError(`whitened: floor is ${floor}, expected a positive number; pass for example 0.1.`)
  return {
    name: `whitened ${features.name}`,
    fit(images, kernel) {
      const matrix = whiteningMatrix(images, floor)
      const { length } = images
      const turn = (patches: Vector): Vector => whiten(patches, matrix, length, unit)
      const inner = features.fit(
        { ...images, take: (numbers) => turn(images.take(numbers)), all: () => turn(images.all()) },
        kernel,
      )
      return whitenedFeatures(inner, matrix, unit)
    },
  }
}

/** A map on whitened patches. */
export function whitenedFeatures(inner: FeatureMap, matrix: Vector, unit: boolean): FeatureMap {
  const { length } = inner
  if (matrix.length !== length * length)
    throw new RangeError(
      `whitenedFeatures: the matrix has ${matrix.length} entries and patches ${length}, expected ${length} x ${length}; pass the matrix of these patches.`,
    )
  return {
    name: `whitened ${inner.name}`,
    length,
    width: inner.width,
    map: (patches, out) => inner.map(whiten(patches, matrix, length, unit), out),
    toJSON: () => ({ kind: 'whitened', matrix: Array.from(matrix), unit, of: inner.toJSON() }),
  }
}

/** How many patches the second moments are taken over: more than enough for any size of patch. */
const SAMPLE = 50_000

function whiteningMatrix(images: PatchSource, floor: number): Vector {
  const { count, length } = images
  // Evenly spread, so that every image has its share.
  const step = Math.max(1, count / SAMPLE)
  const numbers = Array.from({ length: Math.floor(count / step) }, (_, k) => Math.floor(k * step))
  const patches = images.take(numbers)
  const moments = transposeProduct(patches, length, patches, length, numbers.length)
  for (let k = 0; k < moments.length; k++) moments[k]! /= numbers.length
  const { values, vectors } = symmetricEigen(moments, length)
  const matrix = new Float64Array(length * length)
  for (let e = 0; e < length; e++) {
    const weight = 1 / Math.sqrt(Math.max(0, values[e]!) + floor)
    for (let i = 0; i < length; i++)
      for (let j = 0; j < length; j++)
        matrix[i * length + j]! += weight * vectors[e * length + i]! * vectors[e * length + j]!
  }
  return matrix
}

function whiten(patches: Vector, matrix: Vector, length: number, unit: boolean): Vector {
  const out = product(patches, patches.length / length, matrix, length, length)
  if (unit)
    for (let start = 0; start < out.length; start += length) {
      let square = 0
      for (let k = start; k < start + length; k++) square += out[k]! * out[k]!
      if (square > 0) for (let k = start; k < start + length; k++) out[k]! /= Math.sqrt(square)
    }
  return out
}
