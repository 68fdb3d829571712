import { decodeLabels } from '../data/dataset.ts'
import { explainedVariation, targetsVary } from '../estimators/answers.ts'
import { unitScale } from '../numerics/unit.ts'
import type { Model } from '../types.ts'
import type { Rows } from './table-data.ts'
import { brief } from './terminal.ts'

/** How well a network does on some rows. */
export type Metrics = { readonly accuracy: number } | { readonly rmse: number; readonly r2: number }

/** Accuracy where there are classes, root mean squared error and R^2 (NaN for equal targets) otherwise. */
export function metricsOf(network: Model, { X, y, labels }: Rows, classes?: readonly string[]): Metrics {
  const predicted = network.predict(X)
  if (classes && labels) {
    const names = decodeLabels(predicted, classes)
    return { accuracy: names.filter((name, r) => name === labels[r]).length / names.length }
  }
  const errors = y.data.map((target, k) => target - predicted.data[k]!)
  const scale = unitScale(errors)
  let residual = 0
  for (const error of errors) residual += (error * scale) ** 2
  return {
    rmse: Math.sqrt(residual / y.data.length) / scale,
    r2: targetsVary(y) ? explainedVariation(predicted, y) : Number.NaN,
  }
}

export function metricsText(metrics: Metrics): string {
  return 'accuracy' in metrics
    ? `accuracy ${(100 * metrics.accuracy).toFixed(2)} %`
    : `RMSE ${brief(metrics.rmse)}${Number.isFinite(metrics.r2) ? `, R² ${metrics.r2.toFixed(4)}` : ''}`
}
