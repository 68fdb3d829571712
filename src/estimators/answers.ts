import { decodeLabels } from '../data/dataset.ts'
import type { Matrix } from '../types.ts'
import type { Label } from './file.ts'

/**
 * A network's only output, one number per row.
 *
 * @throws RangeError when it has several.
 */
export function singleOutput(outputs: Matrix): number[] {
  if (outputs.columns > 1)
    throw new RangeError(
      `predict: the network has ${outputs.columns} outputs, expected one; use network.predict(X) for all.`,
    )
  return Array.from(outputs.data)
}

/** The class of every row as the caller named it: numbers stay numbers. */
export function labelsOf(outputs: Matrix, classes: readonly Label[]): Label[] {
  const names = classes.map(String)
  const byName = new Map(names.map((name, k) => [name, classes[k]!]))
  return decodeLabels(outputs, names).map((name) => byName.get(name)!)
}

/** R^2 = 1 - |y - f|^2 / |y - mean|^2, over all targets together. */
export function explainedVariation(outputs: Matrix, Y: Matrix): number {
  if (outputs.columns !== Y.columns)
    throw new RangeError(
      `score: y has ${Y.columns} columns and the network ${outputs.columns} outputs; pass the same targets.`,
    )
  let residual = 0
  let variation = 0
  for (let k = 0; k < Y.columns; k++) {
    let mean = 0
    for (let e = k; e < Y.data.length; e += Y.columns) mean += Y.data[e]! / Y.rows
    for (let e = k; e < Y.data.length; e += Y.columns) {
      residual += (Y.data[e]! - outputs.data[e]!) ** 2
      variation += (Y.data[e]! - mean) ** 2
    }
  }
  return 1 - residual / variation
}

/** Share of labels that are the given ones. */
export function shareRight(predicted: readonly Label[], labels: ArrayLike<Label>): number {
  if (predicted.length !== labels.length)
    throw new RangeError(
      `score: there are ${labels.length} labels and X has ${predicted.length} rows; pass one label per row.`,
    )
  let right = 0
  for (let r = 0; r < predicted.length; r++) if (String(predicted[r]) === String(labels[r])) right++
  return right / predicted.length
}
