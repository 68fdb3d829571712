import { bitColumns, countSet, selectColumns } from '../numerics/bits.ts'
import { isZeroBlock } from '../numerics/blocks.ts'
import { isCompact, type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import { given } from '../numerics/given.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { type Random, random } from '../numerics/random.ts'
import type { ImageShape } from '../operators/patches.ts'
import type { CompactMatrix } from '../types.ts'
import { type Gates, gateValue, patternKey, patternsOf } from './gates.ts'
import { mostPatterns } from './most-patterns.ts'

/** How many gates are drawn, and how. */
export interface SampleGatesOptions {
  /** How many distinct patterns are wanted; fewer come back when the data have fewer (default 100). */
  count?: number
  /** Seed of the draws (default 1). */
  seed?: number
  /** At most this many features enter one gate, drawn anew for each gate (default: all of them). */
  order?: number
  /** Only these columns of X enter a gate (default: all). */
  features?: readonly number[]
  /** How the entries of a gate are drawn (default `normal`): see `GateDraw`. */
  draw?: GateDraw
  /** The rows of X are images: a gate reads one window of them, drawn anew for each gate (default: all of the image). */
  window?: GateWindow
  /** Give every gate an offset, drawn so that the boundary crosses the data (default false). */
  bias?: boolean
  /** With `bias`: place every offset so that this share of the rows is on, between 0 and 1. */
  activeProportion?: number
}

const optionNames: OptionKinds<SampleGatesOptions> = {
  count: 'number',
  seed: 'number',
  order: 'number',
  features: true,
  draw: true,
  window: true,
  bias: 'boolean',
  activeProportion: 'number',
}

/**
 * Where gates come from: `normal`, g ~ N(0, I); or `differences`, g = x_a - x_b for two rows of X drawn at random, which
 * point the way the data vary: the constrained random weights of Zhu, Miao and Qing, IJCNN 2014, without labels.
 */
export type GateDraw = 'normal' | 'differences'

/** The ways to draw gates, the default first. */
export const gateDraws: readonly GateDraw[] = ['normal', 'differences']

/** A square window of images, at a place drawn at random: the receptive field of McDonnell et al., PLoS ONE 10(8), 2015. */
export interface GateWindow {
  /** Of the images in the rows of X. */
  readonly shape: ImageShape
  /** Pixels of its side, or the least and the most of them: then each side is drawn by itself. */
  readonly size: number | readonly [number, number]
}

/**
 * Distinct activation patterns of X from random gates, g ~ N(0, I) unless `draw` says otherwise, restricted to some features or to
 * windows of images on request.
 *
 * On the pixels of images, differences within windows of a quarter of the side make fewer errors at the same number of gates
 * than normal ones (bench/README.md, images.ts).
 *
 * A draw whose pattern is already there, or is off on every row, is drawn again, for up to 20 count + 1000 draws: data
 * of low rank have few patterns (2 sum_{k<r} C(n-1, k) at rank r, Cover 1965), and then fewer gates come back; once as many
 * are there as the data can have, no more are drawn. Cost 2 n d flops a draw. Mishkin, Sahiner and Pilanci, ICML 2022, sample the same way.
 *
 * @throws RangeError when an option is out of range, the gates would not fit in memory, or X has an entry that is not finite.
 */
export function sampleGates(X: MatrixLike | CompactMatrix, options: SampleGatesOptions = {}): Gates {
  requireOptions(options, optionNames, 'sampleGates')
  const rows = isCompact(X) ? X : asMatrix(X, 'sampleGates', 'X')
  if (!isCompact(rows)) requireFinite(rows, 'sampleGates', 'X')
  const { count = 100, seed = 1, bias = false, activeProportion, draw: how = 'normal' } = options
  check(rows, options, count)
  const draws = random(seed)
  const d = rows.columns
  const vectors = matrix(count, bias ? d + 1 : d)
  const patterns = bitColumns(rows.rows, count)
  const seen = new Set<string>()
  const support = supportDrawer(d, options, draws)
  const pairs = new Set<number>()
  const entries = how === 'normal' ? () => () => draws.normal() : differenceDrawer(rows, draws, pairs)
  let found = 0
  let off = 0
  // What the data have at most is asked for only when the first batch leaves some to be found.
  let limits: Limits | undefined
  for (let draw = 0; draw < 20 * count + 1000 && found < count; ) {
    if (draw > 0) {
      limits ??= limitsOf(rows, options, count)
      if (found + off >= limits.patterns || pairs.size >= limits.pairs) break
    }
    // As many as are still wanted are drawn together, and their patterns made in one pass over X.
    const batch = matrix(Math.min(count - found, 20 * count + 1000 - draw), vectors.columns)
    for (let i = 0; i < batch.rows; i++, draw++) {
      const start = i * batch.columns
      const entry = entries()
      for (const j of support()) batch.data[start + j] = entry(j)
      if (bias) batch.data[start + d] = offset(rows, batch.data, start, draws, activeProportion)
    }
    const drawn = patternsOf(batch, rows)
    for (let i = 0; i < batch.rows; i++) {
      if (isZeroBlock(batch.data, i * batch.columns, d)) continue
      if (countSet(drawn, i) === 0) {
        off = 1
        continue
      }
      const key = patternKey(drawn, i)
      if (seen.has(key)) continue
      seen.add(key)
      const pattern = drawn.words.subarray(i * drawn.stride, (i + 1) * drawn.stride)
      patterns.words.set(pattern, found * patterns.stride)
      vectors.data.set(batch.data.subarray(i * batch.columns, (i + 1) * batch.columns), found * vectors.columns)
      found++
    }
  }
  if (found === 0 && how === 'differences')
    throw new RangeError(
      `sampleGates: no gate was on for any of the ${rows.rows} rows of X and made of different rows; pass rows that differ, or draw: 'normal'.`,
    )
  if (found === 0)
    throw new RangeError(
      `sampleGates: no gate was on for any of the ${rows.rows} rows of X; check the features and activeProportion given.`,
    )
  const columns = Int32Array.from({ length: found }, (_, i) => i)
  return {
    vectors: matrix(found, vectors.columns, vectors.data.slice(0, found * vectors.columns)),
    patterns: found === count ? patterns : selectColumns(patterns, columns),
    count: found,
    bias,
    exhaustive: false,
  }
}

/** How much there is to be found at most. */
interface Limits {
  /** Patterns, the one that is off on every row included. */
  readonly patterns: number
  /** Pairs of two rows, where a pair settles the gate; Infinity elsewhere. */
  readonly pairs: number
}

function limitsOf(X: Rows, options: SampleGatesOptions, count: number): Limits {
  const { bias = false, activeProportion, draw = 'normal', order, features, window } = options
  const { rows: n, columns: d } = X
  const allowed = features ? [...new Set(features)] : Array.from({ length: d }, (_, j) => j)
  const whole = window === undefined && (order === undefined || order >= (features?.length ?? d))
  // An offset leaves at least one row on.
  const never = bias ? 1 : 0
  const any = { patterns: 2 ** n - never, pairs: Number.POSITIVE_INFINITY }
  if (!whole) return any
  if (draw === 'differences')
    return bias && activeProportion === undefined ? any : { patterns: any.patterns, pairs: n * (n - 1) }
  const some = activeProportion === undefined ? any.patterns : choose(n, rowsOn(activeProportion, n))
  return { patterns: Math.min(some, mostPatterns(X, allowed, bias, count + 1) - never), pairs: any.pairs }
}

/** C(n, k): rows that are equal are on together, which makes fewer patterns of at least k rows, not more. */
function choose(n: number, k: number): number {
  let total = 1
  for (let i = 1; i <= Math.min(k, n - k); i++) total = (total * (n + 1 - i)) / i
  return Math.round(total)
}

/** Draws the two rows that the next gate is the difference of, and notes which two. */
function differenceDrawer(X: Rows, draws: Random, pairs: Set<number>): () => (j: number) => number {
  return () => {
    const drawn = [draws.below(X.rows), draws.below(X.rows)]
    if (drawn[0] !== drawn[1]) pairs.add(drawn[0]! * X.rows + drawn[1]!)
    // Copied: what a block was read into may serve the next one.
    const [a, b] = drawn.map((r) => rowBlock(X, r, 1).slice())
    return (j) => a![j]! - b![j]!
  }
}

/** Draws the columns of the next window. */
function windowDrawer({ shape, size }: GateWindow, draws: Random): () => Iterable<number> {
  const { height, width, channels } = shape
  const [least, most] = typeof size === 'number' ? [size, size] : size
  return () => {
    const [rows, columns] = [least + draws.below(most - least + 1), least + draws.below(most - least + 1)]
    const [top, left] = [draws.below(height - rows + 1), draws.below(width - columns + 1)]
    return Int32Array.from({ length: rows * columns * channels }, (_, k) => {
      const row = top + Math.floor(k / (columns * channels))
      return (row * width + left) * channels + (k % (columns * channels))
    })
  }
}

/** Draws the features that enter the next gate. */
function supportDrawer(d: number, options: SampleGatesOptions, draws: Random): () => Iterable<number> {
  if (options.window) return windowDrawer(options.window, draws)
  const allowed = Int32Array.from(options.features ?? Array.from({ length: d }, (_, j) => j))
  const order = options.order ?? allowed.length
  if (order >= allowed.length) return () => allowed
  return () => {
    const size = 1 + draws.below(order)
    // The first `size` entries of a partial Fisher-Yates shuffle; the array stays a permutation for the next draw.
    for (let k = 0; k < size; k++) {
      const other = k + draws.below(allowed.length - k)
      const held = allowed[k]!
      allowed[k] = allowed[other]!
      allowed[other] = held
    }
    return allowed.subarray(0, size)
  }
}

/**
 * An offset that puts the boundary halfway between two rows, drawn at random or so that a share of the rows is on: no row
 * lies on it, so that rounding elsewhere cannot move one across.
 */
function offset(X: Rows, g: Float64Array, start: number, draws: Random, activeProportion?: number): number {
  const n = X.rows
  const values = new Float64Array(n)
  for (let first = 0; first < n; first += BLOCK) {
    const count = Math.min(BLOCK, n - first)
    const block = rowBlock(X, first, count)
    for (let r = 0; r < count; r++) values[first + r] = gateValue(block, r * X.columns, g, start, X.columns)
  }
  values.sort()
  // Rows first .. n - 1 of the sorted ones are to be on; equal ones go together.
  let first = activeProportion === undefined ? draws.below(n) : n - rowsOn(activeProportion, n)
  while (first > 0 && values[first - 1] === values[first]) first--
  if (first > 0) return -(values[first - 1]! + (values[first]! - values[first - 1]!) / 2)
  return -(values[0]! - ((values[n - 1]! - values[0]!) / n || 1))
}

function rowsOn(activeProportion: number, n: number): number {
  return Math.max(1, Math.round(activeProportion * n))
}

/** Rows of X that are read at a time. */
const BLOCK = 1024
/** Numbers of all gates, and words of their patterns, at most: 2 GiB each. */
const MOST_ENTRIES = 2 ** 28
const MOST_WORDS = 2 ** 29
/** Pixels of a window's side, where one is to be named. */
const SIDE = 7

function check(X: Rows, options: SampleGatesOptions, count: number): void {
  const { order, features, bias, activeProportion, draw, window } = options
  const d = X.columns
  if (X.rows === 0 || d === 0)
    throw new RangeError(`sampleGates: X is ${X.rows} x ${d}, expected at least one row and one column; pass the data.`)
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(
      `sampleGates: count is ${count}, expected a positive whole number; pass how many gates to sample.`,
    )
  const most = Math.floor(Math.min(MOST_ENTRIES / (bias ? d + 1 : d), MOST_WORDS / Math.ceil(X.rows / 32)))
  if (count > most)
    throw new RangeError(
      `sampleGates: count is ${count}, expected at most ${most} for ${X.rows} rows of ${d} columns, so that the gates fit in memory; pass fewer, for example ${Math.min(100, most)}.`,
    )
  if (order !== undefined && (!Number.isInteger(order) || order < 1))
    throw new RangeError(
      `sampleGates: order is ${order}, expected a positive whole number; pass how many features a gate may read.`,
    )
  if (features !== undefined && (typeof features !== 'object' || typeof features?.length !== 'number'))
    throw new TypeError(
      `sampleGates: features is ${given(features)}, expected an array of column numbers; pass the columns a gate may read.`,
    )
  if (
    features !== undefined &&
    (features.length === 0 || features.some((j) => !Number.isInteger(j) || j < 0 || j >= d))
  )
    throw new RangeError(
      `sampleGates: features is [${features.join(', ')}], expected column numbers from 0 to ${d - 1}; pass the columns a gate may read.`,
    )
  if (activeProportion !== undefined && !(bias && activeProportion > 0 && activeProportion <= 1))
    throw new RangeError(
      `sampleGates: activeProportion is ${activeProportion}${bias ? '' : ' without bias'}, expected a share above 0 and at most 1 together with bias: true.`,
    )
  if (draw !== undefined && draw !== 'normal' && draw !== 'differences')
    throw new RangeError(
      `sampleGates: draw is '${String(draw)}', expected 'normal' or 'differences'; pass one of them, or nothing.`,
    )
  if (draw === 'differences' && X.rows < 2)
    throw new RangeError(
      `sampleGates: draw is 'differences' and X has 1 row, expected at least two; pass more rows, or draw: 'normal'.`,
    )
  if (window !== undefined) checkWindow(window, options, d)
}

function checkWindow(window: GateWindow, { order, features }: SampleGatesOptions, d: number): void {
  if (typeof window?.shape !== 'object' || window.shape === null)
    throw new TypeError(
      `sampleGates: window is ${given(window)} without a shape, expected one of images; pass { shape: { height: 28, width: 28, channels: 1 }, size: ${SIDE} }.`,
    )
  const { shape, size } = window
  const { height, width, channels } = shape
  if (height * width * channels !== d)
    throw new RangeError(
      `sampleGates: the window is of images of ${height} x ${width} x ${channels} and X has ${d} columns; pass the shape of its images.`,
    )
  const [least, most] = typeof size === 'number' ? [size, size] : size
  if (
    !(
      Number.isInteger(least) &&
      Number.isInteger(most) &&
      1 <= least &&
      least <= most &&
      most <= Math.min(height, width)
    )
  )
    throw new RangeError(
      `sampleGates: the window's size is ${typeof size === 'number' ? size : `[${size.join(', ')}]`}, expected whole numbers from 1 to ${Math.min(height, width)}, the smaller first; pass for example ${Math.min(SIDE, height, width)}.`,
    )
  if (order !== undefined || features !== undefined)
    throw new RangeError(
      'sampleGates: both window and order or features are given, and each says which features a gate reads; pass one of them.',
    )
}
