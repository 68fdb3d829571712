import type { CompactMatrix, Matrix } from '../types.ts'
import { requireOptions } from './options.ts'

/** A matrix that is read through or a few rows at a time. */
export type Rows = Matrix | CompactMatrix

/** How the entries of a compact matrix are read. */
export interface CompactOptions {
  /** What every entry held is divided by when it is read, in float64 (default 1); 255 for pixels. */
  divisor?: number
}

/**
 * A rows x columns matrix held in one byte or in float32 an entry: entry (i, j) is `data[i * columns + j] / divisor`.
 *
 * The data are shared, not copied: change nothing in them afterwards. Divided in float64, so that the entries are those of
 * the same matrix held in full.
 *
 * @throws RangeError when a size is no whole number, `data` has another length or an entry that is not finite, or the
 * divisor is not above 0.
 */
export function compactMatrix(
  rows: number,
  columns: number,
  data: Uint8Array | Float32Array,
  options: CompactOptions = {},
): CompactMatrix {
  requireOptions(options, { divisor: 'number' }, 'compactMatrix')
  const { divisor = 1 } = options
  checkSize('compactMatrix', rows, columns, divisor)
  if (data.length !== rows * columns)
    throw new RangeError(
      `compactMatrix: data has ${data.length} entries and ${rows} x ${columns} needs ${rows * columns}; pass them row by row.`,
    )
  if (data instanceof Float32Array)
    for (let k = 0; k < data.length; k++)
      if (!Number.isFinite(data[k]!))
        throw new RangeError(
          `compactMatrix: data has ${data[k]} in row ${Math.floor(k / columns)}, column ${k % columns} (counted from 0); drop or impute the row.`,
        )
  return Object.freeze({
    rows,
    columns,
    streamed: false,
    read<T extends Float64Array | Float32Array>(from: number, out: T): T {
      const start = from * columns
      for (let k = 0; k < out.length; k++) out[k] = data[start + k]! / divisor
      return out
    },
  })
}

/** Refuses sizes and divisors that are none. */
export function checkSize(caller: string, rows: number, columns: number, divisor: number): void {
  if (!Number.isInteger(rows) || rows < 0 || !Number.isInteger(columns) || columns < 0)
    throw new RangeError(
      `${caller}: the size is ${rows} x ${columns}, expected two whole numbers; pass rows and columns.`,
    )
  if (!(divisor > 0 && divisor < Number.POSITIVE_INFINITY))
    throw new RangeError(`${caller}: divisor is ${divisor}, expected a number above 0; pass for example 255.`)
}

export function isCompact(value: unknown): value is CompactMatrix {
  return typeof (value as Partial<CompactMatrix> | null)?.read === 'function'
}

/** Rows `from` .. `from + count - 1` in float64; those of a matrix are shared, not copied. */
export function rowBlock(X: Rows, from: number, count: number, scratch?: Float64Array): Float64Array {
  if (!isCompact(X)) return X.data.subarray(from * X.columns, (from + count) * X.columns)
  const length = count * X.columns
  return X.read(from, scratch ? scratch.subarray(0, length) : new Float64Array(length))
}

/** A matrix of the rows `from` .. `to - 1`, in float64. */
export function expand(X: Rows, from = 0, to: number = X.rows): Matrix {
  const data = rowBlock(X, from, to - from)
  return { rows: to - from, columns: X.columns, data }
}

/** [X 1], made as it is read. */
export function withOnes(X: CompactMatrix): CompactMatrix {
  const columns = X.columns + 1
  return Object.freeze({
    rows: X.rows,
    columns,
    streamed: X.streamed,
    read<T extends Float64Array | Float32Array>(from: number, out: T): T {
      const count = out.length / columns
      const narrow = X.read(from, new Float64Array(count * X.columns))
      for (let r = 0; r < count; r++) {
        out.set(narrow.subarray(r * X.columns, (r + 1) * X.columns), r * columns)
        out[r * columns + X.columns] = 1
      }
      return out
    },
  })
}

/** The chosen rows, read one by one as they are asked for. */
export function someRows(X: Rows, chosen: Int32Array): CompactMatrix {
  const { columns } = X
  return Object.freeze({
    rows: chosen.length,
    columns,
    streamed: isCompact(X) && X.streamed,
    read<T extends Float64Array | Float32Array>(from: number, out: T): T {
      for (let k = 0; k < out.length / columns; k++) {
        const row = chosen[from + k]!
        const to = out.subarray(k * columns, (k + 1) * columns) as T
        if (isCompact(X)) X.read(row, to)
        else to.set(X.data.subarray(row * columns, (row + 1) * columns))
      }
      return out
    },
  })
}
