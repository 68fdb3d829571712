import { given } from '../numerics/given.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Vector } from '../types.ts'

/** An image of height x width x channels numbers, row-major: pixel (y, x), channel c is at (y width + x) channels + c. */
export interface ImageShape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** How patches are cut out of an image. */
export interface PatchOptions {
  /** Side of the square patch. */
  readonly size: number
  /** Pixels between two patches (default 1). */
  readonly stride?: number
  /** Zeros around the image (default 0). */
  readonly padding?: number
  /**
   * What is done to every patch: `l2` divides it by its length, `contrast` subtracts its mean and divides by its length
   * plus 0.1 (local contrast normalisation). A patch of zeros stays one. Default `none`.
   */
  readonly normalize?: PatchNormalization
}

/** What is done to every patch: see `PatchOptions`. */
export type PatchNormalization = 'none' | 'l2' | 'contrast'

/** Where the patches of an image are: `count` of `length` entries each, row by row of the image. */
export interface PatchGrid {
  readonly shape: ImageShape
  readonly size: number
  readonly stride: number
  readonly padding: number
  readonly normalize: PatchNormalization
  /** Patches below and beside each other. */
  readonly rows: number
  readonly columns: number
  readonly count: number
  /** Entries of a patch, size x size x channels: row, column, channel. */
  readonly length: number
}

/**
 * The patches of images of one shape.
 *
 * @throws RangeError when a size is not a whole number, or no patch fits.
 */
export function patchGrid(shape: ImageShape, options: PatchOptions): PatchGrid {
  requireOptions(options, { size: 'number', stride: 'number', padding: 'number', normalize: true }, 'patch')
  const { size, stride = 1, padding = 0, normalize = 'none' } = options
  if (typeof shape !== 'object' || shape === null)
    throw new TypeError(
      `patches: the shape of the images is ${given(shape)}, expected their height, width and channels; pass shape: { height: 28, width: 28, channels: 1 }.`,
    )
  const { height, width, channels } = shape
  for (const [name, value, least] of [
    ['height', height, 1],
    ['width', width, 1],
    ['channels', channels, 1],
    ['size', size, 1],
    ['stride', stride, 1],
    ['padding', padding, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new RangeError(`patches: ${name} is ${value}, expected a whole number of at least ${least}.`)
  if (normalize !== 'none' && normalize !== 'l2' && normalize !== 'contrast')
    throw new RangeError(`patches: normalize is '${String(normalize)}', expected none, l2 or contrast.`)
  const rows = Math.floor((height + 2 * padding - size) / stride) + 1
  const columns = Math.floor((width + 2 * padding - size) / stride) + 1
  if (!(rows >= 1 && columns >= 1))
    throw new RangeError(
      `patches: size is ${size} and the image is ${height} x ${width} with padding ${padding}; pass a smaller size.`,
    )
  const length = size * size * channels
  const most = Math.max(height * width * channels, rows * columns * length)
  if (!(most <= MOST_ENTRIES))
    throw new RangeError(
      `patches: the image is ${height} x ${width} x ${channels} and its ${rows} x ${columns} patches have ${length} entries, expected at most ${MOST_ENTRIES} in all; pass a smaller image or a larger stride.`,
    )
  return { shape, size, stride, padding, normalize, rows, columns, count: rows * columns, length }
}

/** Of an image and of all its patches: 1 GiB. */
const MOST_ENTRIES = 2 ** 27

/** out <- all patches of the image at `start` of `images`, normalised: count x length, row-major. */
export function cutPatches(grid: PatchGrid, images: Vector, start: number, out: Vector, at = 0): Vector {
  const { shape, size, stride, padding, rows, columns, length } = grid
  const { height, width, channels } = shape
  let place = at
  for (let py = 0; py < rows; py++)
    for (let px = 0; px < columns; px++) {
      const first = place
      for (let dy = 0; dy < size; dy++) {
        const y = py * stride + dy - padding
        for (let dx = 0; dx < size; dx++) {
          const x = px * stride + dx - padding
          const inside = y >= 0 && y < height && x >= 0 && x < width
          const pixel = start + (y * width + x) * channels
          for (let c = 0; c < channels; c++) out[place++] = inside ? images[pixel + c]! : 0
        }
      }
      normalizePatch(out, first, length, grid.normalize)
    }
  return out
}

function normalizePatch(patch: Vector, start: number, length: number, how: PatchNormalization): void {
  if (how === 'none') return
  const end = start + length
  if (how === 'contrast') {
    let mean = 0
    for (let k = start; k < end; k++) mean += patch[k]! / length
    for (let k = start; k < end; k++) patch[k]! -= mean
  }
  let square = 0
  for (let k = start; k < end; k++) square += patch[k]! * patch[k]!
  const by = Math.sqrt(square) + (how === 'contrast' ? CONTRAST_FLOOR : 0)
  if (square > 0) for (let k = start; k < end; k++) patch[k]! /= by
}

/** What keeps a patch of one colour from being blown up: the figure of Zhang, Liang and Wainwright's software. */
export const CONTRAST_FLOOR = 0.1
