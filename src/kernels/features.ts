import { requireOptions } from '../numerics/options.ts'
import { product } from '../numerics/products.ts'
import { random } from '../numerics/random.ts'
import { symmetricEigen } from '../numerics/symmetric-eigen.ts'
import type { Vector } from '../types.ts'
import { kernelMatrix } from './kernel-matrix.ts'
import type { PatchKernel, PatchKernelJson } from './kernels.ts'

/** phi: a patch of `length` entries -> `width` features. Filters are vectors of that width. */
export interface FeatureMap {
  readonly name: string
  readonly length: number
  readonly width: number
  /** out <- phi of every patch of a list, row by row. */
  map(patches: Vector, out?: Vector): Vector
  /** What a network's file keeps of it. */
  toJSON(): FeatureMapJson
}

/** A map of patches to features, as a network's file keeps it. */
export type FeatureMapJson =
  | { kind: 'pixels'; length: number }
  | { kind: 'kernel'; kernel: PatchKernelJson; length: number; landmarks: number[]; mix?: number[] }
  | { kind: 'fourier'; length: number; directions: number[]; phases: number[] }
  | { kind: 'whitened'; matrix: number[]; unit: boolean; of: FeatureMapJson }

/** phi(z) = z: the features of the linear kernel. */
export function pixels(length: number): FeatureMap {
  return {
    name: 'pixels',
    length,
    width: length,
    map(patches, out = new Float64Array(patches.length)) {
      out.set(patches)
      return out
    },
    toJSON: () => ({ kind: 'pixels', length }),
  }
}

/**
 * phi(z) = B' [k(l_1, z), k(l_2, z), ...]: the kernel against landmark patches, mixed by B (landmarks x width). Without a
 * mix the width is the number of landmarks, and a filter is a combination of kernels at them.
 */
export function kernelFeatures(kernel: PatchKernel, landmarks: Vector, length: number, mix?: Vector): FeatureMap {
  const count = landmarks.length / length
  const width = mix ? mix.length / count : count
  if (!(length >= 1 && count >= 1 && width >= 1) || !Number.isInteger(count) || !Number.isInteger(width))
    throw new RangeError(
      `kernelFeatures: ${landmarks.length} entries of landmarks${mix ? ` and ${mix.length} of their mix` : ''} do not make patches of ${length}; pass whole patches, one row of the mix each.`,
    )
  return {
    name: `${kernel.name} at ${count} landmarks`,
    length,
    width,
    map(patches, out = new Float64Array((patches.length / length) * width)) {
      if (!mix) return kernelMatrix(kernel, patches, landmarks, length, out)
      return product(kernelMatrix(kernel, patches, landmarks, length), patches.length / length, mix, count, width, out)
    },
    toJSON: () => ({
      kind: 'kernel',
      kernel: kernel.toJSON(),
      length,
      landmarks: Array.from(landmarks),
      ...(mix && { mix: Array.from(mix) }),
    }),
  }
}

/**
 * phi(z) = K_mm^{-1/2} k_m(z), the symmetric root, eigenvalues no smaller than 1e-10 of the largest: the kernel seen
 * through its landmarks. Williams and Seeger, NIPS 2000.
 */
export function nystromFeatures(kernel: PatchKernel, landmarks: Vector, length: number): FeatureMap {
  const count = landmarks.length / length
  const { values, vectors } = symmetricEigen(kernelMatrix(kernel, landmarks, landmarks, length), count)
  const least = EIGENVALUE_FLOOR * values[0]!
  const root = new Float64Array(count * count)
  for (let e = 0; e < count; e++) {
    const weight = 1 / Math.sqrt(Math.max(values[e]!, least))
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) root[i * count + j]! += weight * vectors[e * count + i]! * vectors[e * count + j]!
  }
  return kernelFeatures(kernel, landmarks, length, root)
}

const EIGENVALUE_FLOOR = 1e-10

/**
 * phi(z) = sqrt(2/m) cos(W'z + b) with W ~ N(0, 2 gamma) and b ~ U[0, 2 pi): E phi(a)'phi(b) = exp(-gamma |a - b|^2).
 * Rahimi and Recht, NIPS 2007.
 */
export function fourierFeatures(length: number, options: { count: number; gamma: number; seed: number }): FeatureMap {
  const { count, gamma, seed } = options
  const source = random(seed)
  const spread = Math.sqrt(2 * gamma)
  const directions = Float64Array.from({ length: length * count }, () => spread * source.normal())
  const phases = Float64Array.from({ length: count }, () => 2 * Math.PI * source.uniform())
  return cosines(length, directions, phases)
}

/** `directions` is length x count. */
export function cosines(length: number, directions: Vector, phases: Vector): FeatureMap {
  const count = phases.length
  if (!(length >= 1 && count >= 1) || directions.length !== length * count)
    throw new RangeError(
      `cosines: ${directions.length} entries of directions and ${count} phases do not belong to patches of ${length}; pass one direction a phase.`,
    )
  const scale = Math.sqrt(2 / count)
  return {
    name: `${count} random Fourier features`,
    length,
    width: count,
    map(patches, out = new Float64Array((patches.length / length) * count)) {
      const rows = patches.length / length
      product(patches, rows, directions, length, count, out)
      for (let i = 0; i < rows; i++)
        for (let k = 0; k < count; k++) out[i * count + k] = scale * Math.cos(out[i * count + k]! + phases[k]!)
      return out
    },
    toJSON: () => ({ kind: 'fourier', length, directions: Array.from(directions), phases: Array.from(phases) }),
  }
}

/** What a program takes as `features`: how to make the map once the images are known. */
export interface FeatureChoice {
  readonly name: string
  /** The features of a kernel, fitted to the patches of the training images. */
  fit(images: PatchSource, kernel: PatchKernel): FeatureMap
}

/** All patches of the training images, cut as they are asked for. */
export interface PatchSource {
  /** How many patches there are in all. */
  readonly count: number
  readonly length: number
  /** The patches of these numbers (image i's patch p has number i P + p), row by row. */
  take(numbers: ArrayLike<number>): Vector
  /** Every patch. */
  all(): Vector
  /** Averages rows that belong to patches over the pooling windows of each image: n P x width -> n P' x width. */
  pooled(rows: Vector, width: number): Vector
  /** The adjoint: n P' x width -> n P x width. */
  spread(rows: Vector, width: number): Vector
}

/** Landmarks drawn from the training patches, or given by their numbers. */
export interface NystromOptions {
  /** How many landmarks to draw (default 100). */
  count?: number
  seed?: number
  /** Numbers of the patches (image i's patch p has number i P + p) instead of drawing. */
  landmarks?: ArrayLike<number>
}

/**
 * Features of a kernel through landmarks among the training patches: the choice for more than a few hundred images.
 *
 * @throws RangeError when the count is not a positive whole number or a landmark is no patch.
 */
export function nystrom(options: NystromOptions = {}): FeatureChoice {
  requireOptions(options, { count: 'number', seed: 'number', landmarks: true }, 'nystrom')
  const { count = 100, seed = 1, landmarks } = options
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`nystrom: count is ${count}, expected a positive whole number; pass for example 100.`)
  return {
    name: 'nystrom',
    fit(images, kernel) {
      const numbers = landmarks ? Array.from(landmarks) : drawn(Math.min(count, images.count), images.count, seed)
      for (const number of numbers)
        if (!(number >= 0 && number < images.count))
          throw new RangeError(
            `nystrom: landmark ${number} was given, expected numbers from 0 to ${images.count - 1}; pass numbers of training patches.`,
          )
      return nystromFeatures(kernel, images.take(numbers), images.length)
    },
  }
}

function drawn(count: number, of: number, seed: number): number[] {
  const source = random(seed)
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(source.below(of))
  return [...chosen]
}

/**
 * Random Fourier features of the rbf kernel.
 *
 * @throws RangeError when the count is not a positive whole number, or the kernel is another one.
 */
export function randomFourier(options: { count?: number; seed?: number } = {}): FeatureChoice {
  requireOptions(options, { count: 'number', seed: 'number' }, 'randomFourier')
  const { count = 500, seed = 1 } = options
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`randomFourier: count is ${count}, expected a positive whole number; pass for example 500.`)
  return {
    name: 'random-fourier',
    fit(images, kernel) {
      const json = kernel.toJSON()
      if (json.name !== 'rbf')
        throw new RangeError(`randomFourier: the kernel is ${kernel.name}, expected rbf; pass features: nystrom().`)
      return fourierFeatures(images.length, { count, gamma: json.gamma, seed })
    },
  }
}

/**
 * All of the kernel: features whose products are the pooled kernel of the training images themselves. Costs (n P')^3; the
 * linear kernel has its pixels and pays nothing.
 */
export function exactFeatures(): FeatureChoice {
  return {
    name: 'exact',
    fit(images, kernel) {
      const { length } = images
      if (kernel.name === 'linear') return pixels(length)
      const l = images.count
      const landmarks = images.all()
      // G K G', one side at a time; a kernel matrix is symmetric.
      const half = images.pooled(kernelMatrix(kernel, landmarks, landmarks, length), l)
      const size = half.length / l
      const other = new Float64Array(l * size)
      for (let i = 0; i < size; i++) for (let j = 0; j < l; j++) other[j * size + i] = half[i * l + j]!
      const { values, vectors } = symmetricEigen(images.pooled(other, size), size)
      let m = 0
      while (m < size && values[m]! > NULL_SPACE * values[0]!) m++
      const scaled = new Float64Array(size * m)
      for (let e = 0; e < m; e++)
        for (let i = 0; i < size; i++) scaled[i * m + e] = vectors[e * size + i]! / Math.sqrt(values[e]!)
      return kernelFeatures(kernel, landmarks, length, images.spread(scaled, m))
    },
  }
}

/** Directions of the kernel below this share of the largest are rounding. */
const NULL_SPACE = 1e-13
