import { Matrix as MlMatrix } from 'ml-matrix'
import type { Matrix, Vector } from '../types.ts'
import { fromRows, matrix } from './matrix.ts'

/** What is accepted wherever a matrix is: ours, ml-matrix's, rows of numbers, or one column as a vector of numbers. */
export type MatrixLike = Matrix | MlMatrixLike | ArrayLike<ArrayLike<number>> | ArrayLike<number>

/** The part of ml-matrix's `AbstractMatrix` that is read here, so that any copy of that package is accepted. */
export interface MlMatrixLike {
  readonly rows: number
  readonly columns: number
  /** The entry at a place. */
  get(row: number, column: number): number
}

/** ml-matrix to ours, copied. */
export function fromMlMatrix(M: MlMatrixLike): Matrix {
  const copy = matrix(M.rows, M.columns)
  // ml-matrix keeps one Float64Array per row in `data`; views and wrappers have only `get`.
  const rows = (M as { data?: unknown }).data
  const byRow = Array.isArray(rows) && rows.length === M.rows && rows.every((row) => row instanceof Float64Array)
  for (let i = 0; i < M.rows; i++)
    if (byRow) copy.data.set(rows[i] as Vector, i * M.columns)
    else for (let j = 0; j < M.columns; j++) copy.data[i * M.columns + j] = M.get(i, j)
  return copy
}

/** Ours to ml-matrix, copied. */
export function toMlMatrix(M: Matrix): MlMatrix {
  const copy = new MlMatrix(M.rows, M.columns)
  for (let i = 0; i < M.rows; i++) for (let j = 0; j < M.columns; j++) copy.set(i, j, M.data[i * M.columns + j]!)
  return copy
}

/**
 * Any accepted form of a matrix as ours; ours is passed through, a plain vector becomes one column.
 *
 * @throws TypeError naming `caller` and `name` when it is none of the accepted forms.
 */
export function asMatrix(value: MatrixLike, caller: string, name: string): Matrix {
  if (isMatrix(value)) {
    if (value.data.length !== value.rows * value.columns)
      throw new RangeError(
        `${caller}: ${name} is ${value.rows} x ${value.columns} and has ${value.data.length} entries; pass a matrix made by matrix() or fromRows().`,
      )
    return value
  }
  if (isMlMatrix(value)) return fromMlMatrix(value)
  if (isArrayLike(value)) {
    if (value.length === 0) return matrix(0, 0)
    const first = value[0]
    if (typeof first === 'number') return matrix(value.length, 1, column(value as ArrayLike<number>, caller, name))
    if (typeof first === 'string' || first === null || typeof first === 'boolean')
      throw new TypeError(`${caller}: ${name} has ${describe(first)} at row 0, expected a number; pass numbers only.`)
    if (isArrayLike(first)) return rowsOf(value as ArrayLike<ArrayLike<number>>, caller, name)
  }
  throw new TypeError(
    `${caller}: ${name} is ${describe(value)}, expected a matrix; pass rows of numbers, an ml-matrix Matrix, or matrix(rows, columns, data).`,
  )
}

function isMatrix(value: unknown): value is Matrix {
  const M = value as Partial<Matrix> | null
  return typeof M === 'object' && M !== null && M.data instanceof Float64Array && typeof M.rows === 'number'
}

function isMlMatrix(value: unknown): value is MlMatrixLike {
  const M = value as Partial<MlMatrixLike> | null
  return typeof M === 'object' && M !== null && typeof M.get === 'function' && typeof M.columns === 'number'
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}

function column(values: ArrayLike<number>, caller: string, name: string): Vector {
  for (let i = 0; i < values.length; i++)
    if (typeof values[i] !== 'number')
      throw new TypeError(
        `${caller}: ${name} has ${describe(values[i])} at row ${i}, expected a number; pass numbers only.`,
      )
  return Float64Array.from(values)
}

function rowsOf(rows: ArrayLike<ArrayLike<number>>, caller: string, name: string): Matrix {
  const columns = rows[0]!.length
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!isArrayLike(row) || row.length !== columns)
      throw new RangeError(
        `${caller}: ${name} has ${isArrayLike(row) ? `${row.length} entries` : describe(row)} in row ${i} and ${columns} in row 0; pass rows of equal length.`,
      )
    for (let j = 0; j < columns; j++)
      if (typeof row[j] !== 'number')
        throw new TypeError(
          `${caller}: ${name} has ${describe(row[j])} in row ${i}, column ${j}, expected a number; pass numbers only.`,
        )
  }
  return fromRows(rows)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the text ${JSON.stringify(value)}`
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no prototype'})` : `a ${typeof value}`
}
