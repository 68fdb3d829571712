import type { Task } from '../data/dataset.ts'
import type { Label } from '../estimators/file.ts'
import { classificationData, regressionData, type TrainingData } from '../estimators/training-data.ts'
import type { MatrixLike } from '../numerics/interchange.ts'

/** What is swept over: a dataset as `readCsv` returns it, or X with targets or labels at hand. */
export interface SweepData {
  readonly X: MatrixLike
  /** Targets, one row each; or the labels. */
  readonly y: MatrixLike | ArrayLike<Label>
  /** Classes, where y encodes them. */
  readonly labels?: readonly Label[]
  /** Default: classification where there are labels, or y holds texts. */
  readonly task?: Task
}

/** Checked rows and encoded targets. */
export function sweepTrainingData({ X, y, labels, task }: SweepData, caller: string): TrainingData {
  const texts = isList(y) && typeof y[0] === 'string'
  if (task === 'regression' || (task === undefined && !labels && !texts))
    return regressionData(X, y as MatrixLike, caller)
  if (labels) return classificationData(X, labels, caller)
  if (!isList(y)) throw new TypeError(`${caller}: y is no list of labels, expected one a row; pass labels.`)
  return classificationData(X, y, caller)
}

function isList(y: SweepData['y']): y is ArrayLike<Label> {
  return 'length' in y && (y.length === 0 || typeof y[0] === 'string' || typeof y[0] === 'number')
}
