import { requireOptions } from '../numerics/options.ts'
import type { Vector } from '../types.ts'

/** Averaging over windows of a grid of positions. */
export interface PoolOptions {
  /** Side of the square window. */
  readonly size: number
  /** Positions between two windows (default: the size). */
  readonly stride?: number
}

/**
 * A linear map from values at the positions of a grid to values at fewer: window w averages the positions
 * `members[starts[w]] .. members[starts[w + 1] - 1]`.
 */
export interface Pooling {
  /** Positions in and out. */
  readonly positions: number
  readonly count: number
  /** The grid that comes out. */
  readonly rows: number
  readonly columns: number
  readonly starts: Int32Array
  readonly members: Int32Array
}

/**
 * Averages over size x size windows, `stride` apart, of a rows x columns grid: floor(rows / stride) of them below each
 * other, at least one, cut off at the border. Without options every position stays its own.
 *
 * @throws RangeError when a size is not a positive whole number.
 */
export function averagePooling(rows: number, columns: number, options?: PoolOptions): Pooling {
  if (options !== undefined) requireOptions(options, { size: 'number', stride: 'number' }, 'pool')
  const size = options?.size ?? 1
  const stride = options?.stride ?? size
  for (const [name, value] of [
    ['size', size],
    ['stride', stride],
  ] as const)
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`pooling: ${name} is ${value}, expected a positive whole number; pass for example 2.`)
  const down = Math.max(1, Math.floor(rows / stride))
  const across = Math.max(1, Math.floor(columns / stride))
  const entries = covered(rows, size, stride, down) * covered(columns, size, stride, across)
  if (!(Math.max(entries, rows * columns, down * across) <= MOST_ENTRIES))
    throw new RangeError(
      `pooling: windows of ${size}, ${stride} apart, over ${rows} x ${columns} positions have ${entries} entries in all, expected at most ${MOST_ENTRIES}; pass a larger stride.`,
    )
  const starts = new Int32Array(down * across + 1)
  const members = new Int32Array(entries)
  let filled = 0
  for (let i = 0; i < down; i++)
    for (let j = 0; j < across; j++) {
      for (let y = i * stride; y < Math.min(i * stride + size, rows); y++)
        for (let x = j * stride; x < Math.min(j * stride + size, columns); x++) members[filled++] = y * columns + x
      starts[i * across + j + 1] = filled
    }
  return {
    positions: rows * columns,
    count: down * across,
    rows: down,
    columns: across,
    starts,
    members,
  }
}

/** Entries of all windows along one side. */
function covered(positions: number, size: number, stride: number, windows: number): number {
  // Windows that the border does not cut off, then those that it does.
  const whole = Math.max(0, Math.min(windows, Math.floor((positions - size) / stride) + 1))
  const cut = windows - whole
  return whole * size + cut * positions - (stride * (windows * (windows - 1) - whole * (whole - 1))) / 2
}

/** 512 MiB of whole numbers. */
const MOST_ENTRIES = 2 ** 27

/** Whether every position stays its own. */
export function keepsAll({ positions, count }: Pooling): boolean {
  return positions === count
}

/** out <- G V for values V at the positions (positions x width): count x width. */
export function pool(
  { count, starts, members }: Pooling,
  V: Vector,
  width: number,
  out: Vector = new Float64Array(count * width),
  at = 0,
): Vector {
  out.fill(0, at, at + count * width)
  for (let w = 0; w < count; w++) {
    const share = 1 / (starts[w + 1]! - starts[w]!)
    for (let m = starts[w]!; m < starts[w + 1]!; m++) {
      const from = members[m]! * width
      for (let k = 0; k < width; k++) out[at + w * width + k]! += share * V[from + k]!
    }
  }
  return out
}

/** out <- G'V for values V at the windows (count x width): positions x width. */
export function spread(
  { positions, count, starts, members }: Pooling,
  V: Vector,
  width: number,
  out: Vector = new Float64Array(positions * width),
): Vector {
  out.fill(0)
  for (let w = 0; w < count; w++) {
    const share = 1 / (starts[w + 1]! - starts[w]!)
    for (let m = starts[w]!; m < starts[w + 1]!; m++) {
      const to = members[m]! * width
      for (let k = 0; k < width; k++) out[to + k]! += share * V[w * width + k]!
    }
  }
  return out
}
