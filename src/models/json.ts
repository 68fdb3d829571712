import * as v from 'valibot'
import { fromRows, matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'

/** An array of finite numbers, in a model's file. */
export const finiteNumbers: v.ArraySchema<
  v.SchemaWithPipe<readonly [v.NumberSchema<undefined>, v.FiniteAction<number, undefined>]>,
  undefined
> = v.array(v.pipe(v.number(), v.finite()))

/** Rows of a file as a matrix; an empty network has no rows to read its sizes from, so the columns are given. */
export function matrixFromRows(rows: number[][], columns: number): Matrix {
  const wrong = rows.findIndex((row) => row.length !== columns)
  if (wrong >= 0) throw new RangeError(`row ${wrong} has ${rows[wrong]!.length} entries, expected ${columns}`)
  return rows.length > 0 ? fromRows(rows) : matrix(0, columns)
}
