import type { Matrix, Vector } from '../types.ts'

/**
 * A rows x columns matrix over `data` (row-major, shared, not copied), or of zeros.
 *
 * @throws RangeError when a size is not a whole number or `data` has another length.
 */
export function matrix(rows: number, columns: number, data?: Vector): Matrix {
  if (!Number.isInteger(rows) || rows < 0 || !Number.isInteger(columns) || columns < 0)
    throw new RangeError(`matrix: the size is ${rows} x ${columns}, expected two whole numbers; pass rows and columns.`)
  const entries = data ?? new Float64Array(rows * columns)
  if (entries.length !== rows * columns)
    throw new RangeError(
      `matrix: data has ${entries.length} entries and ${rows} x ${columns} needs ${rows * columns}; pass them row by row.`,
    )
  return { rows, columns, data: entries }
}

/**
 * A matrix from its rows, copied.
 *
 * @throws RangeError when the rows differ in length.
 */
export function fromRows(rows: ArrayLike<ArrayLike<number>>): Matrix {
  const columns = rows.length > 0 ? rows[0]!.length : 0
  const M = matrix(rows.length, columns)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row.length !== columns)
      throw new RangeError(
        `fromRows: row ${i} has ${row.length} entries and row 0 has ${columns}; pass rows of equal length.`,
      )
    M.data.set(row, i * columns)
  }
  return M
}

/** The rows as plain arrays, copied. */
export function toRows(M: Matrix): number[][] {
  return Array.from({ length: M.rows }, (_, i) => Array.from(M.data.subarray(i * M.columns, (i + 1) * M.columns)))
}

/** The chosen rows, in the order given, copied. */
export function selectRows(M: Matrix, indices: ArrayLike<number>): Matrix {
  const chosen = matrix(indices.length, M.columns)
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k]!
    chosen.data.set(M.data.subarray(i * M.columns, (i + 1) * M.columns), k * M.columns)
  }
  return chosen
}

/** [M 1]: a column of ones on the right, copied. */
export function appendOnes(M: Matrix): Matrix {
  const augmented = matrix(M.rows, M.columns + 1)
  for (let i = 0; i < M.rows; i++) {
    augmented.data.set(M.data.subarray(i * M.columns, (i + 1) * M.columns), i * augmented.columns)
    augmented.data[i * augmented.columns + M.columns] = 1
  }
  return augmented
}

/**
 * Refuses NaN and Infinity, naming row and column (both counted from 0).
 *
 * @throws RangeError at the first entry that is not finite.
 */
export function requireFinite(M: Matrix, caller: string, name: string): void {
  const { data, columns } = M
  for (let k = 0; k < data.length; k++)
    if (!Number.isFinite(data[k]!))
      throw new RangeError(
        `${caller}: ${name} has ${data[k]} in row ${Math.floor(k / columns)}, column ${k % columns} (counted from 0); drop or impute the row.`,
      )
}
