import { matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { listed, shown, sortTexts } from './cells.ts'

/** What is predicted: numbers, or classes. */
export type Task = 'regression' | 'classification'

/** Rows to learn from: one row of X and of y each. */
export interface Dataset {
  /** rows x features, finite. */
  readonly X: Matrix
  /** rows x targets for regression; what `encodeLabels` gives for classification. */
  readonly y: Matrix
  /** The names of the columns of X. */
  readonly features: readonly string[]
  /** The names of the target columns. */
  readonly target: readonly string[]
  readonly task: Task
  /** Classification: the classes, in the order of the columns of y. */
  readonly classes?: readonly string[]
  /** Classification: the label of each row, as text. */
  readonly labels?: readonly string[]
}

/** Labels as targets, with the classes in the order of the columns. */
export interface EncodedLabels {
  readonly y: Matrix
  readonly classes: readonly string[]
}

/**
 * Labels as targets of -1 and +1 for one-vs-all training.
 *
 * Two classes give one column, +1 for the second class. K > 2 classes give K columns, +1 in the column of the row's
 * class and -1 elsewhere, so that each column is a two-class problem of its own. (0/1 targets are (y + 1) / 2.)
 * Without `classes` they are the distinct labels, sorted as numbers when all are numbers and by code unit otherwise.
 *
 * @throws RangeError when there are fewer than two classes or a label is none of the classes given.
 */
export function encodeLabels(labels: ArrayLike<string | number>, classes?: readonly string[]): EncodedLabels {
  const texts = Array.from(labels, String)
  const known = classes ?? sortTexts(new Set(texts))
  if (known.length < 2)
    throw new RangeError(
      `encodeLabels: there ${known.length === 1 ? `is the one class ${shown(known[0]!)}` : 'are no labels'}, expected two classes or more; pass labels of each class.`,
    )
  const index = new Map(known.map((name, k) => [name, k]))
  const outputs = known.length === 2 ? 1 : known.length
  const y = matrix(texts.length, outputs)
  y.data.fill(-1)
  texts.forEach((label, i) => {
    const k = index.get(label)
    if (k === undefined)
      throw new RangeError(
        `encodeLabels: row ${i} (counted from 0) has the label ${shown(label)}, expected one of ${listed(known)}; pass the classes of every row.`,
      )
    if (outputs > 1) y.data[i * outputs + k] = 1
    else if (k === 1) y.data[i] = 1
  })
  return { y, classes: known }
}

/**
 * The class that each row of scores is for: the sign of one column, or the largest of K (the first of equals).
 *
 * @throws RangeError when the columns do not fit the classes or a score is NaN.
 */
export function decodeLabels(scores: Matrix, classes: readonly string[]): string[] {
  const { rows, columns, data } = scores
  if (classes.length < 2 || columns !== (classes.length === 2 ? 1 : classes.length))
    throw new RangeError(
      `decodeLabels: scores have ${columns} ${columns === 1 ? 'column' : 'columns'} and there are ${classes.length} classes; pass one column for two classes, one per class for more.`,
    )
  return Array.from({ length: rows }, (_, i) => {
    let best = 0
    for (let k = 0; k < columns; k++) {
      const score = data[i * columns + k]!
      if (Number.isNaN(score))
        throw new RangeError(
          `decodeLabels: scores have NaN in row ${i}, column ${k} (counted from 0), expected numbers; check the model and its rows.`,
        )
      if (score > data[i * columns + best]!) best = k
    }
    return classes[columns === 1 ? (data[i]! > 0 ? 1 : 0) : best]!
  })
}
