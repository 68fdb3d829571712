import { requireOptions } from '../numerics/options.ts'
import type { LossChoice, Matrix, Vector } from '../types.ts'
import { type Rootable, separableWithIntercept } from './column-root.ts'
import { BOUNDARY, entropyTerm, expExcess, softplus } from './exponential.ts'
import { requireBothSigns, requireSigns } from './labels.ts'
import { separable } from './separable.ts'
import { type ClassWeights, classWeightNames, entryWeights, signedRowWeights } from './weights.ts'

/**
 * F(Z) = (1/n) sum_{r,k} w_r log(1 + exp(-y_rk z_rk)), targets -1 and 1; several columns are one-vs-all.
 *
 * The fit is the log-odds of the class 1. Smoothness max w / (4n). With t = -n y p / w, the probability given to the wrong class,
 * F*(P) = (1/n) sum_{r,k} w_r (t log t + (1 - t) log(1 - t)) where every t is in [0, 1], Infinity elsewhere. The weights w are 1
 * unless given.
 */
export function logistic(weights: ClassWeights = {}): LossChoice {
  requireOptions(weights, classWeightNames, 'logistic')
  return {
    name: 'logistic',
    over(targets, options = {}) {
      requireSigns(targets, 'logistic')
      const entries = logisticEntries(targets, signedRowWeights(targets, weights, 'logistic'))
      if (!options.intercept) return separable(entries)
      requireBothSigns(targets, entries.weights, 'logistic')
      return separableWithIntercept(entries, targets.columns)
    },
  }
}

function logisticEntries({ rows, columns, data: y }: Matrix, weights: Vector): Rootable {
  const entries = entryWeights(weights, columns, rows)
  // The log-odds of each column's classes: the best intercept of a fit of zeros.
  const positive = new Float64Array(columns)
  const negative = new Float64Array(columns)
  for (let k = 0; k < y.length; k++) (y[k]! > 0 ? positive : negative)[k % columns]! += entries[k]!
  const odds = positive.map((weight, column) => Math.log(weight / negative[column]!))
  return {
    name: 'logistic',
    weights: entries,
    curvature: 1 / 4,
    value: (z, k) => softplus(-y[k]! * z),
    slope: (z, k) => -y[k]! / (1 + Math.exp(y[k]! * z)),
    conjugate(p, k) {
      const t = -y[k]! * p
      if (!(t >= -BOUNDARY && t <= 1 + BOUNDARY)) return Number.POSITIVE_INFINITY
      return entropyTerm(t) + (t < 1 ? (1 - t) * Math.log1p(-t) : 0)
    },
    second(z) {
      const e = Math.exp(-Math.abs(z))
      return e / (1 + e) ** 2
    },
    own: (z, k) => odds[k % columns]! - z,
    // Convergence is quadratic: the next step would be of the size of this one's square.
    settled: 2 ** -28,
    magnitude: entries.reduce((total, weight) => total + weight, 0),
    divergence: (to, at, k) => logisticDivergence(y[k]! * to, y[k]! * at),
    dual: {
      low: (k) => Math.min(0, -y[k]!),
      high: (k) => Math.max(0, -y[k]!),
      slope(p, k) {
        const t = Math.abs(p)
        return y[k]! * Math.log((1 - t) / t)
      },
      second: (p) => 1 / (Math.abs(p) * (1 - Math.abs(p))),
    },
  }
}

/**
 * The divergence of log(1 + exp(-m)): with the probabilities p and q = 1 - p of the two classes at `at`, and the step h
 * less its mean, log(p e^{qh} + q e^{-ph}) = log(1 + p (e^{qh} - 1 - qh) + q (e^{-ph} - 1 + ph)), where nothing cancels.
 */
function logisticDivergence(to: number, at: number): number {
  // The same for both signs of the step: 1 is the class that gains.
  const h = Math.abs(to - at)
  const m = to < at ? at : -at
  const p = 1 / (1 + Math.exp(m))
  const q = 1 / (1 + Math.exp(-m))
  const rest = q * expExcess(-p * h)
  if (q * h < 40) return Math.log1p(p * expExcess(q * h) + rest)
  // p e^{qh} with one exponential: p alone may vanish and e^{qh} overflow.
  const exponent = q * h - softplus(m)
  return exponent > 700 ? exponent : Math.log1p(Math.exp(exponent) + rest)
}
