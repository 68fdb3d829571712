import tQuantile from '@stdlib/stats-base-dists-t-quantile'
import type { Task } from '../src/index.ts'

/** A metric over test rows, and half the width of its 95 % interval (Student's t). */
export interface Measured {
  /** Accuracy, or root mean squared error. */
  readonly metric: number
  readonly halfWidth: number
}

/** From one score a row: 1 where a class is right, or minus the squared error. */
export function measured(scores: readonly number[], task: Task): Measured {
  const n = scores.length
  const mean = scores.reduce((a, b) => a + b, 0) / n
  const variance = scores.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1)
  const spread = tQuantile(0.975, n - 1) * Math.sqrt(variance / n)
  if (task === 'classification') return { metric: mean, halfWidth: spread }
  // Delta method for the root.
  const root = Math.sqrt(-mean)
  return { metric: root, halfWidth: spread / (2 * root) }
}

/** How far a metric is ahead of a baseline, in its units; baselines are kept to six digits. */
export function ahead({ metric }: Measured, baseline: number, task: Task): number {
  const difference = task === 'classification' ? metric - baseline : baseline - metric
  return Math.abs(difference) < 2e-6 * baseline ? 0 : difference
}

export function standing(ours: Measured, baseline: number, task: Task): string {
  const difference = ahead(ours, baseline, task)
  if (difference > 0) return 'better'
  if (difference === 0) return 'level'
  return -difference <= ours.halfWidth ? 'within noise' : 'worse'
}
