import { requireOptions } from '../numerics/options.ts'
import { squaredDistance, squaredNorm } from '../numerics/vectors.ts'
import type { Loss, LossChoice, Matrix, Vector } from '../types.ts'
import { huberOver } from './huber.ts'
import { separableDual } from './separable-dual.ts'
import { rowWeights, type SampleWeights, sampleWeightNames } from './weights.ts'

/**
 * F(Z) = |Z - Y|_F^2 / (2 n c) for n rows and c outputs, the scaling of Mishkin, Sahiner and Pilanci's software (ICML 2022).
 *
 * F*(P) = n c |P|^2 / 2 + P'Y. With an unpenalised intercept b the loss is min_b F(Z + 1b'), which removes the column
 * means of Z - Y; its conjugate is finite only where every column of P sums to zero, as every gradient does. With
 * `sampleWeights` row r of |Z - Y|^2 counts w_r times, F*(P) = sum_{r,k} n c p^2 / (2 w_r) + p y, and the loss is no longer
 * `quadratic`.
 */
export function squared(weights: SampleWeights = {}): LossChoice {
  requireOptions(weights, sampleWeightNames, 'squared')
  return {
    name: 'squared',
    over(targets, options = {}) {
      if (weights.sampleWeights === undefined) return options.intercept ? centred(targets) : plain(targets)
      const rows = rowWeights(targets.rows, weights, 'squared')
      return huberOver('squared', targets, rows, Number.POSITIVE_INFINITY, options.intercept === true)
    },
  }
}

function plain(targets: Matrix): Loss {
  const y = targets.data
  const curvature = 1 / (targets.rows * targets.columns)
  return {
    name: 'squared',
    size: y.length,
    smoothness: curvature,
    quadratic: { curvature, target: y },
    value: (fit) => (curvature / 2) * squaredDistance(fit, y),
    gradient(fit, out = new Float64Array(y.length)) {
      for (let k = 0; k < y.length; k++) out[k] = curvature * (fit[k]! - y[k]!)
      return out
    },
    conjugate(p) {
      let total = 0
      for (let k = 0; k < y.length; k++) total += p[k]! * (p[k]! / (2 * curvature) + y[k]!)
      return total
    },
    divergence: (to, at) => (curvature / 2) * squaredDistance(to, at),
    dual: separableDual(new Float64Array(y.length).fill(curvature), {
      low: () => Number.NEGATIVE_INFINITY,
      high: () => Number.POSITIVE_INFINITY,
      slope: (p, k) => p + y[k]!,
      second: () => 1,
      value: (p, k) => p * (p / 2 + y[k]!),
    }),
  }
}

function centred(targets: Matrix): Loss {
  const { columns } = targets
  // The loss does not see a shift of y; without it p'y keeps its digits when the mean is far above the spread.
  const shift = columnMeans(targets.data, columns)
  const y = targets.data.map((value, k) => value - shift[k % columns]!)
  const curvature = 1 / y.length
  const difference = new Float64Array(y.length)
  /** a - b without its column means, in `difference`; returns the means. */
  const centre = (a: Vector, b: Vector): Vector => {
    for (let k = 0; k < difference.length; k++) difference[k] = a[k]! - b[k]!
    const means = columnMeans(difference, columns)
    for (let k = 0; k < difference.length; k++) difference[k]! -= means[k % columns]!
    return means
  }
  return {
    name: 'squared',
    size: y.length,
    smoothness: curvature,
    value(fit) {
      centre(fit, y)
      return (curvature / 2) * squaredNorm(difference)
    },
    gradient(fit, out = new Float64Array(y.length)) {
      centre(fit, y)
      for (let k = 0; k < y.length; k++) out[k] = curvature * difference[k]!
      return out
    },
    conjugate(p) {
      const sums = new Float64Array(columns)
      let size = 0
      let total = 0
      for (let k = 0; k < y.length; k++) {
        sums[k % columns]! += p[k]!
        size += Math.abs(p[k]!)
        total += p[k]! * (p[k]! / (2 * curvature) + y[k]!)
      }
      // A gradient's columns sum to zero up to rounding; the sum of n roundings is what is allowed here.
      return sums.every((sum) => Math.abs(sum) <= 1e-12 * size) ? total : Number.POSITIVE_INFINITY
    },
    divergence(to, at) {
      centre(to, at)
      return (curvature / 2) * squaredNorm(difference)
    },
    intercept: (fit) => centre(y, fit).map((mean, k) => mean + shift[k]!),
  }
}

/** Column means, in two passes: the second corrects the first. */
function columnMeans(values: Vector, columns: number): Vector {
  const rows = values.length / columns
  const means = new Float64Array(columns)
  for (let pass = 0; pass < 2; pass++) {
    const drift = new Float64Array(columns)
    for (let k = 0; k < values.length; k++) drift[k % columns]! += (values[k]! - means[k % columns]!) / rows
    for (let k = 0; k < columns; k++) means[k]! += drift[k]!
  }
  return means
}
