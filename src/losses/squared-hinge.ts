import { requireOptions } from '../numerics/options.ts'
import type { LossChoice, Matrix, Vector } from '../types.ts'
import { type Rootable, separableWithIntercept } from './column-root.ts'
import { BOUNDARY } from './exponential.ts'
import { requireBothSigns, requireSigns } from './labels.ts'
import { separable } from './separable.ts'
import { type ClassWeights, classWeightNames, entryWeights, signedRowWeights } from './weights.ts'

/**
 * F(Z) = (1/2n) sum_{r,k} w_r (1 - y_rk z_rk)_+^2, targets -1 and 1; several columns are one-vs-all.
 *
 * Rows with a margin of at least 1 cost nothing. Smoothness max w / n. With t = -n y p / w,
 * F*(P) = (1/n) sum_{r,k} w_r (t^2/2 - t) where every t is at least 0, Infinity elsewhere. The weights w are 1 unless given.
 */
export function squaredHinge(weights: ClassWeights = {}): LossChoice {
  requireOptions(weights, classWeightNames, 'squaredHinge')
  return {
    name: 'squared-hinge',
    over(targets, options = {}) {
      requireSigns(targets, 'squaredHinge')
      const entries = hingeEntries(targets, signedRowWeights(targets, weights, 'squaredHinge'))
      if (!options.intercept) return separable(entries)
      requireBothSigns(targets, entries.weights, 'squaredHinge')
      return separableWithIntercept(entries, targets.columns)
    },
  }
}

function hingeEntries({ rows, columns, data: y }: Matrix, weights: Vector): Rootable {
  const entries = entryWeights(weights, columns, rows)
  return {
    name: 'squared-hinge',
    weights: entries,
    curvature: 1,
    value: (z, k) => Math.max(0, 1 - y[k]! * z) ** 2 / 2,
    slope: (z, k) => -y[k]! * Math.max(0, 1 - y[k]! * z),
    conjugate(p, k) {
      const t = -y[k]! * p
      return t >= -BOUNDARY ? t * (t / 2 - 1) : Number.POSITIVE_INFINITY
    },
    second: (z, k) => (y[k]! * z < 1 ? 1 : 0),
    // The margin is 1.
    own: (z, k) => y[k]! - z,
    settled: 2 ** -52,
    magnitude: entries.reduce((total, weight) => total + weight, 0),
    divergence(to, at, k) {
      const before = 1 - y[k]! * at
      const after = 1 - y[k]! * to
      if (after <= 0) return before > 0 ? before * (before / 2 - after) : 0
      return before > 0 ? (to - at) ** 2 / 2 : after ** 2 / 2
    },
    linearAtEnds: true,
    dual: {
      low: (k) => (y[k]! > 0 ? Number.NEGATIVE_INFINITY : 0),
      high: (k) => (y[k]! > 0 ? 0 : Number.POSITIVE_INFINITY),
      slope: (p, k) => p + y[k]!,
      second: () => 1,
    },
  }
}
