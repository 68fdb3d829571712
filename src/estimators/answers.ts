import { decodeLabels } from '../data/dataset.ts'
import { toRows } from '../numerics/matrix.ts'
import { unitScale } from '../numerics/unit.ts'
import type { Matrix } from '../types.ts'
import type { Label } from './file.ts'

/** What a network says of each row: a number, or a row of numbers where it has several outputs. */
export function predictionsOf(outputs: Matrix): number[] | number[][] {
  return outputs.columns === 1 ? Array.from(outputs.data) : toRows(outputs)
}

/** The class of every row as the caller named it: numbers stay numbers. */
export function labelsOf(outputs: Matrix, classes: readonly Label[]): Label[] {
  const names = classes.map(String)
  const byName = new Map(names.map((name, k) => [name, classes[k]!]))
  return decodeLabels(outputs, names).map((name) => byName.get(name)!)
}

/**
 * R^2 = 1 - |y - f|^2 / |y - mean|^2, over all targets together. Where no target varies that is no ratio: then it is 1 if
 * every prediction is right and 0 otherwise, both within rounding.
 */
export function explainedVariation(outputs: Matrix, Y: Matrix): number {
  if (outputs.columns !== Y.columns)
    throw new RangeError(
      `score: y has ${Y.columns} columns and the network ${outputs.columns} outputs; pass the same targets.`,
    )
  let residual = 0
  let variation = 0
  let furthest = 0
  const scale = unitScale(Y.data)
  for (let k = 0; k < Y.columns; k++) {
    const target = moments(Y, k)
    for (let e = k; e < Y.data.length; e += Y.columns) {
      const error = Math.abs(Y.data[e]! - outputs.data[e]!)
      residual += (error * scale) ** 2
      furthest = Math.max(furthest, error / (target.size || Number.MIN_VALUE))
      if (target.varies) variation += ((Y.data[e]! - target.mean) * scale) ** 2
    }
  }
  if (variation > 0) return 1 - residual / variation
  return furthest <= EXACT ? 1 : 0
}

/** Whether some target differs from row to row by more than rounding: without that R^2 measures nothing. */
export function targetsVary(Y: Matrix): boolean {
  return Array.from({ length: Y.columns }, (_, k) => moments(Y, k)).some(({ varies }) => varies)
}

/** Relative to the largest target: the rounding of a network's sums, which is more than that of numbers read twice. */
const EXACT = 1e-12
const EQUAL = 4 * Number.EPSILON

/** Mean and largest absolute value of a column, and whether its entries differ by more than rounding. */
function moments({ rows, columns, data }: Matrix, k: number): { mean: number; size: number; varies: boolean } {
  let mean = 0
  let smallest = Number.POSITIVE_INFINITY
  let largest = Number.NEGATIVE_INFINITY
  for (let e = k; e < data.length; e += columns) {
    mean += data[e]! / rows
    smallest = Math.min(smallest, data[e]!)
    largest = Math.max(largest, data[e]!)
  }
  const size = Math.max(Math.abs(smallest), Math.abs(largest))
  return { mean, size, varies: largest - smallest > EQUAL * size }
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
