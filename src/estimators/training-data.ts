import { encodeLabels, type Task } from '../data/dataset.ts'
import { given } from '../numerics/given.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { requireFinite } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import type { Label } from './file.ts'

/** Rows and targets that have been checked: what a training starts from. */
export interface TrainingData {
  readonly task: Task
  readonly X: Matrix
  readonly Y: Matrix
  /** Of a classification: the class of every row as a text. */
  readonly labels?: readonly string[]
}

/** The same of a classification, with its class names in the order of the outputs. */
export interface LabelledData extends TrainingData {
  readonly classes: readonly Label[]
}

/** X as a matrix with something in it, and nothing that is no number. */
export function checkedRows(X: MatrixLike, caller: string): Matrix {
  const rows = asMatrix(X, caller, 'X')
  if (rows.rows === 0 || rows.columns === 0)
    throw new RangeError(
      `${caller}: X is ${rows.rows} x ${rows.columns}, expected at least one row and one column; pass the data.`,
    )
  requireFinite(rows, caller, 'X')
  return rows
}

/** Rows with the numbers to predict for them. */
export function regressionData(X: MatrixLike, y: MatrixLike, caller: string): TrainingData {
  const rows = checkedRows(X, caller)
  const Y = asMatrix(y, caller, 'y')
  if (Y.rows !== rows.rows)
    throw new RangeError(`${caller}: y has ${Y.rows} rows and X has ${rows.rows}; pass one target per row.`)
  requireFinite(Y, caller, 'y')
  return { task: 'regression', X: rows, Y }
}

/** @throws TypeError when they are no array. */
export function requireLabels(labels: ArrayLike<Label>, caller: string): void {
  if (typeof labels !== 'object' || typeof labels?.length !== 'number')
    throw new TypeError(
      `${caller}: the labels are ${given(labels)}, expected an array of texts or numbers; pass one label per row of X.`,
    )
}

/** Rows with their labels, encoded as -1 and +1; classes are numbers where every label is one. */
export function classificationData(X: MatrixLike, labels: ArrayLike<Label>, caller: string): LabelledData {
  const rows = checkedRows(X, caller)
  requireLabels(labels, caller)
  if (labels.length !== rows.rows)
    throw new RangeError(
      `${caller}: there are ${labels.length} labels and X has ${rows.rows} rows; pass one label per row.`,
    )
  const texts = Array.from(labels, (label, r) => {
    if (typeof label === 'string' || Number.isFinite(label)) return String(label)
    throw new RangeError(
      `${caller}: the label of row ${r} is ${label}, expected a text or a finite number; drop the row.`,
    )
  })
  const { y, classes } = encodeLabels(texts)
  const numeric = Array.from(labels).every((label) => typeof label === 'number')
  return { task: 'classification', X: rows, Y: y, labels: texts, classes: numeric ? classes.map(Number) : [...classes] }
}
