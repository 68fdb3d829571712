import * as v from 'valibot'
import { fromRows, matrix } from '../numerics/matrix.ts'
import type { Matrix, Vector } from '../types.ts'

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

/** The weights that every two-layer network's file has, checked against the sizes it states. */
export function weightsFromJson(fields: {
  features: number
  outputs: number
  W1: number[][]
  b1: number[]
  W2: number[][]
  intercept: number[]
}): { W1: Matrix; b1: Vector; W2: Matrix; intercept: Vector } {
  if (fields.intercept.length !== fields.outputs)
    throw new RangeError(`intercept has ${fields.intercept.length} entries and outputs is ${fields.outputs}`)
  return {
    W1: matrixFromRows(fields.W1, fields.features),
    b1: Float64Array.from(fields.b1),
    W2: matrixFromRows(fields.W2, fields.outputs),
    intercept: Float64Array.from(fields.intercept),
  }
}
