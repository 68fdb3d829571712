import { decodeLabels } from '../data/dataset.ts'
import type { Model } from '../types.ts'
import type { Rows } from './table-data.ts'
import { brief } from './terminal.ts'

/** How well a network does on some rows. */
export type Metrics = { readonly accuracy: number } | { readonly rmse: number; readonly r2: number }

/** Accuracy where there are classes, root mean squared error and R^2 (not finite for equal targets) otherwise. */
export function metricsOf(network: Model, { X, y, labels }: Rows, classes?: readonly string[]): Metrics {
  const predicted = network.predict(X)
  if (classes && labels) {
    const names = decodeLabels(predicted, classes)
    return { accuracy: names.filter((name, r) => name === labels[r]).length / names.length }
  }
  const means = Array.from({ length: y.columns }, (_, k) => {
    let total = 0
    for (let r = 0; r < y.rows; r++) total += y.data[r * y.columns + k]!
    return total / y.rows
  })
  let residual = 0
  let variation = 0
  for (let k = 0; k < y.data.length; k++) {
    residual += (y.data[k]! - predicted.data[k]!) ** 2
    variation += (y.data[k]! - means[k % y.columns]!) ** 2
  }
  return { rmse: Math.sqrt(residual / y.data.length), r2: 1 - residual / variation }
}

export function metricsText(metrics: Metrics): string {
  return 'accuracy' in metrics
    ? `accuracy ${(100 * metrics.accuracy).toFixed(2)} %`
    : `RMSE ${brief(metrics.rmse)}${Number.isFinite(metrics.r2) ? `, R² ${metrics.r2.toFixed(4)}` : ''}`
}
