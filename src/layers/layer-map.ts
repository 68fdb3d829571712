import { matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'

/**
 * Which entries of an input row the units of a layer see, the linear part of a layer but for its weights:
 *
 *     Z = unfold(X) W' + 1 b'
 *
 * A dense layer sees the whole row once. A convolution sees every window of an image; the same weights meet each of
 * them, so an input row becomes `positions` rows, and `positions` rows of Z are, read on, one row of the next layer.
 */
export interface LayerMap {
  /** Entries of an input row. */
  readonly inputs: number
  /** How many windows a row has. */
  readonly positions: number
  /** Entries of a window. */
  readonly fanIn: number
  /** Rows of X to windows: rows x inputs to (rows positions) x fanIn. A dense map returns X itself. */
  unfold(X: Matrix, out?: Matrix): Matrix
  /** The adjoint of `unfold`. A dense map returns A itself. */
  fold(A: Matrix, out?: Matrix): Matrix
  readonly json: LayerMapJson
}

/** A linear map, as a network's file keeps it. */
export type LayerMapJson =
  | { readonly kind: 'dense'; readonly inputs: number }
  | ({ readonly kind: 'convolution' } & Required<ConvolutionOptions>)

/** Every unit sees the whole row. */
export function dense(inputs: number): LayerMap {
  if (!Number.isInteger(inputs) || inputs < 1)
    throw new RangeError(`dense: inputs is ${inputs}, expected a positive whole number; pass the entries of a row.`)
  return {
    inputs,
    positions: 1,
    fanIn: inputs,
    unfold: (X) => X,
    fold: (A) => A,
    json: { kind: 'dense', inputs },
  }
}

/** An image of height x width x channels, channels last, and the windows that are read off it. */
export interface ConvolutionOptions {
  height: number
  width: number
  channels: number
  /** A window is size x size, at every place where it lies inside. */
  size: number
  /** The image is first averaged over tiles of pool x pool (default 1: not at all). */
  pool?: number
}

/** Of an image and of all its windows: 1 GiB. */
const MOST_ENTRIES = 2 ** 27

/**
 * Windows of an image whose pixels are first averaged over tiles: a convolution behind average pooling is one linear map.
 *
 * A row is an image row by row, channels last. Units are channels of the next image, which is as high and wide as there
 * are places for the window. A window of the size of the image makes a dense layer behind a pooling.
 *
 * @throws RangeError when a size is not a positive whole number, the tiles do not fill the image, or no window fits.
 */
export function convolution(options: ConvolutionOptions): LayerMap {
  const { height, width, channels, size, pool = 1 } = options
  for (const [name, value] of Object.entries({ height, width, channels, size, pool }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(
        `convolution: ${name} is ${value}, expected a positive whole number; pass the sizes of image and window.`,
      )
  const down = height / pool
  const across = width / pool
  if (!Number.isInteger(down) || !Number.isInteger(across))
    throw new RangeError(
      `convolution: tiles of ${pool} x ${pool} do not fill an image of ${height} x ${width}; pass a pool that divides both.`,
    )
  if (size > Math.min(down, across))
    throw new RangeError(
      `convolution: a window of ${size} x ${size} does not fit into ${down} x ${across}; pass a size of at most ${Math.min(down, across)}.`,
    )
  const [places, columns] = [down - size + 1, across - size + 1]
  const most = Math.max(height * width * channels, places * columns * size * size * channels)
  if (!(most <= MOST_ENTRIES))
    throw new RangeError(
      `convolution: an image of ${height} x ${width} x ${channels} with windows of ${size} x ${size} has ${most} entries, expected at most ${MOST_ENTRIES}; pass a smaller image or a pool.`,
    )
  const positions = places * columns
  const inputs = height * width * channels
  const span = size * channels
  const fanIn = size * span
  const pooled = new Float64Array(down * across * channels)

  return {
    inputs,
    positions,
    fanIn,
    json: { kind: 'convolution', height, width, channels, size, pool },
    unfold(X, out = matrix(X.rows * positions, fanIn)) {
      for (let r = 0; r < X.rows; r++) {
        let image = X.data.subarray(r * inputs, (r + 1) * inputs)
        if (pool > 1) image = average(image)
        let at = r * positions * fanIn
        for (let p = 0; p < places; p++)
          for (let q = 0; q < columns; q++)
            for (let i = 0; i < size; i++) {
              const from = ((p + i) * across + q) * channels
              for (let j = 0; j < span; j++) out.data[at++] = image[from + j]!
            }
      }
      return out
    },
    fold(A, out = matrix(A.rows / positions, inputs)) {
      for (let r = 0; r < out.rows; r++) {
        const image = out.data.subarray(r * inputs, (r + 1) * inputs)
        const target = pool > 1 ? pooled : image
        target.fill(0)
        let at = r * positions * fanIn
        for (let p = 0; p < places; p++)
          for (let q = 0; q < columns; q++)
            for (let i = 0; i < size; i++) {
              const to = ((p + i) * across + q) * channels
              for (let j = 0; j < span; j++) target[to + j]! += A.data[at++]!
            }
        if (pool > 1) spread(image)
      }
      return out
    },
  }

  function average(image: Float64Array): Float64Array {
    pooled.fill(0)
    each((pixel, tile) => {
      pooled[tile]! += image[pixel]! / (pool * pool)
    })
    return pooled
  }

  function spread(image: Float64Array): void {
    each((pixel, tile) => {
      image[pixel] = pooled[tile]! / (pool * pool)
    })
  }

  /** Every entry of the image with that of its tile. */
  function each(visit: (pixel: number, tile: number) => void): void {
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) {
        const tile = (Math.floor(i / pool) * across + Math.floor(j / pool)) * channels
        for (let c = 0; c < channels; c++) visit((i * width + j) * channels + c, tile + c)
      }
  }
}

/** The map of a file's description. */
export function layerMapFromJson(json: LayerMapJson): LayerMap {
  return json.kind === 'dense' ? dense(json.inputs) : convolution(json)
}
