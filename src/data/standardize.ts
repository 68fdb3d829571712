import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'

/** Column by column, x was replaced by (x - mean) / scale. Plain JSON. */
export interface Standardization {
  readonly mean: readonly number[]
  readonly scale: readonly number[]
}

/** Standardised columns, and what undoes it. */
export interface Standardized extends Standardization {
  readonly X: Matrix
  /** The columns (counted from 0) that have one value only: all zero now, with a scale of 1. */
  readonly constant: readonly number[]
}

/**
 * Columns of mean 0 and standard deviation 1: (x - mean) / scale, with the population's deviation (divided by n, not
 * n - 1). A constant column becomes zero and keeps a scale of 1.
 *
 * Two passes, the second correcting the first, so that a large mean costs no digits of a small deviation.
 *
 * @throws RangeError when X has no rows or an entry that is not finite.
 */
export function standardize(X: MatrixLike): Standardized {
  const rows = asMatrix(X, 'standardize', 'X')
  requireFinite(rows, 'standardize', 'X')
  if (rows.rows === 0) throw new RangeError('standardize: X has no rows, so no means; pass at least one row.')
  const mean: number[] = []
  const scale: number[] = []
  const constant: number[] = []
  for (let j = 0; j < rows.columns; j++) {
    const column = moments(rows, j)
    if (column.scale === 0) constant.push(j)
    mean.push(column.mean)
    scale.push(column.scale === 0 ? 1 : column.scale)
  }
  return { X: applyStandardization(rows, { mean, scale }), mean, scale, constant }
}

/** Mean and population deviation of one column; the deviation is exactly 0 when all entries are equal. */
function moments({ rows: n, columns, data }: Matrix, j: number): { mean: number; scale: number } {
  let mean = 0
  let smallest = Number.POSITIVE_INFINITY
  let largest = Number.NEGATIVE_INFINITY
  for (let k = j; k < data.length; k += columns) {
    const x = data[k]!
    mean += x / n
    if (x < smallest) smallest = x
    if (x > largest) largest = x
  }
  if (smallest === largest) return { mean: smallest, scale: 0 }
  // In units of the largest deviation, so that no square overflows or vanishes.
  const unit = Math.max(largest - mean, mean - smallest)
  if (!Number.isFinite(unit))
    throw new RangeError(
      `standardize: column ${j} (counted from 0) runs from ${smallest} to ${largest}, too far for float64; rescale it.`,
    )
  let drift = 0
  let squares = 0
  for (let k = j; k < data.length; k += columns) {
    const deviation = (data[k]! - mean) / unit
    drift += deviation
    squares += deviation * deviation
  }
  drift /= n
  return { mean: mean + drift * unit, scale: unit * Math.sqrt(Math.max(0, squares / n - drift * drift)) }
}

/**
 * (x - mean) / scale for other rows of the same columns.
 *
 * @throws RangeError when the columns differ in number or an entry is not finite.
 */
export function applyStandardization(X: MatrixLike, standardization: Standardization): Matrix {
  return eachColumn('applyStandardization', X, standardization, (x, mean, scale) => (x - mean) / scale)
}

/**
 * x scale + mean: back to the units that were standardised.
 *
 * @throws RangeError when the columns differ in number or an entry is not finite.
 */
export function undoStandardization(X: MatrixLike, standardization: Standardization): Matrix {
  return eachColumn('undoStandardization', X, standardization, (x, mean, scale) => x * scale + mean)
}

function eachColumn(
  caller: string,
  X: MatrixLike,
  { mean, scale }: Standardization,
  change: (x: number, mean: number, scale: number) => number,
): Matrix {
  const given = asMatrix(X, caller, 'X')
  const { rows, columns, data } = given
  if (mean.length !== columns || scale.length !== columns)
    throw new RangeError(
      `${caller}: X has ${columns} columns and the standardization ${mean.length} means and ${scale.length} scales; pass the columns it was made from.`,
    )
  requireFinite(given, caller, 'X')
  const changed = matrix(rows, columns)
  for (let i = 0, k = 0; i < rows; i++)
    for (let j = 0; j < columns; j++, k++) changed.data[k] = change(data[k]!, mean[j]!, scale[j]!)
  return changed
}
