import { requireOptions } from '../numerics/options.ts'
import type { Loss, LossChoice, LossHessian, Matrix } from '../types.ts'
import { BOUNDARY, entropyTerm, expExcess, exponentials, largest } from './exponential.ts'
import { classesOf, requireEveryClass } from './labels.ts'
import { softmaxWithIntercept } from './softmax-intercept.ts'
import { type ClassWeights, classRowWeights, classWeightNames, entryWeights } from './weights.ts'

/**
 * F(Z) = (1/n) sum_r w_r (log(sum_k exp(z_rk)) - z_r,class): cross-entropy of K >= 2 classes, one column each.
 *
 * Targets are 1 in the column of the row's class and 0 or -1 elsewhere. Only differences within a row of the fit matter:
 * they are the log-odds between classes. Smoothness max w / (2n). With q_r = n p_r / w_r + y_r (0/1 coding),
 * F*(P) = (1/n) sum_{r,k} w_r q log q where every q_r is a probability vector, Infinity elsewhere. The weights w are 1
 * unless given.
 */
export function softmax(options: ClassWeights = {}): LossChoice {
  requireOptions(options, classWeightNames, 'softmax')
  return {
    name: 'softmax',
    over(targets, { intercept = false } = {}) {
      if (targets.columns < 2)
        throw new RangeError(
          `softmax: the targets have ${targets.columns} column, expected one per class; use logistic() for targets -1 and 1.`,
        )
      const classes = classesOf(targets, 'softmax')
      const weights = classRowWeights(classes, targets.columns, options, 'softmax')
      const loss = crossEntropy(targets, classes, entryWeights(weights, 1, targets.rows))
      if (!intercept) return loss
      requireEveryClass(classes, targets.columns, weights, 'softmax')
      return softmaxWithIntercept(loss, entryWeights(weights, 1, targets.rows), targets.columns)
    },
  }
}

function crossEntropy({ columns }: Matrix, classes: Int32Array, weights: Float64Array): Loss {
  const rows = classes.length
  const size = rows * columns
  // Probabilities of one row at `at`, and the step there.
  const p = new Float64Array(columns)
  const h = new Float64Array(columns)

  return {
    name: 'softmax',
    size,
    smoothness: weights.reduce((most, weight) => Math.max(most, weight), 0) / 2,
    rowShifts: true,
    ...(weights.some((weight) => !(weight > 0)) && {
      flat: () => Uint8Array.from({ length: size }, (_, k) => Number(!(weights[Math.floor(k / columns)]! > 0))),
    }),
    value(fit) {
      let total = 0
      for (let r = 0; r < rows; r++) {
        if (!(weights[r]! > 0)) continue
        const start = r * columns
        const top = largest(fit, start, columns)
        let others = 0
        for (let k = 0; k < columns; k++) if (k !== top) others += Math.exp(fit[start + k]! - fit[start + top]!)
        total += weights[r]! * (fit[start + top]! - fit[start + classes[r]!]! + Math.log1p(others))
      }
      return total
    },
    gradient(fit, out = new Float64Array(size)) {
      for (let r = 0; r < rows; r++) {
        const start = r * columns
        if (!(weights[r]! > 0)) {
          out.fill(0, start, start + columns)
          continue
        }
        const total = exponentials(fit, start, columns, p)
        // The class's own entry is minus the sum of the others: p - 1 would cancel, and the row would not add up to 0.
        let others = 0
        for (let k = 0; k < columns; k++) {
          if (k === classes[r]) continue
          others += p[k]!
          out[start + k] = (weights[r]! * p[k]!) / total
        }
        out[start + classes[r]!] = (-weights[r]! * others) / total
      }
      return out
    },
    hessian: (fit) => softmaxHessian(fit, weights, columns),
    conjugate(P) {
      let total = 0
      for (let r = 0; r < rows; r++) {
        let sum = 0
        let entropy = 0
        for (let k = 0; k < columns; k++) {
          const entry = P[r * columns + k]!
          if (!(weights[r]! > 0)) {
            if (entry !== 0) return Number.POSITIVE_INFINITY
            continue
          }
          const q = entry / weights[r]! + (k === classes[r] ? 1 : 0)
          if (!(q >= -BOUNDARY)) return Number.POSITIVE_INFINITY
          sum += entry / weights[r]!
          entropy += entropyTerm(q)
        }
        // A sum of K roundings.
        if (!(Math.abs(sum) <= BOUNDARY * (1 + columns / 8))) return Number.POSITIVE_INFINITY
        total += weights[r]! * entropy
      }
      return total
    },
    intoDomain(P, out = new Float64Array(size)) {
      for (let r = 0; r < rows; r++) {
        const start = r * columns
        let total = 0
        for (let k = 0; k < columns; k++) {
          const q = weights[r]! > 0 ? P[start + k]! / weights[r]! + (k === classes[r] ? 1 : 0) : 0
          h[k] = Math.max(0, q)
          total += h[k]!
        }
        // The class's own entry is minus the sum of the others, as in the gradient.
        let others = 0
        for (let k = 0; k < columns; k++) {
          if (k === classes[r]) continue
          out[start + k] = total > 0 ? (weights[r]! * h[k]!) / total : 0
          others += out[start + k]!
        }
        out[start + classes[r]!] = -others
      }
      return out
    },
    divergence(to, at) {
      let total = 0
      for (let r = 0; r < rows; r++)
        if (weights[r]! > 0) total += weights[r]! * rowDivergence(to, at, r * columns, p, h)
      return total
    },
  }
}

/** A row's w (diag(p) - p p') = S S' with S = sqrt(w) diag(q) (I - q q') for q = sqrt(p), a unit vector; its diagonal is w p (1 - p). */
function softmaxHessian(fit: Float64Array, weights: Float64Array, columns: number): LossHessian {
  const q = new Float64Array(fit.length)
  const diagonal = new Float64Array(fit.length)
  const p = new Float64Array(columns)
  for (let r = 0; r < weights.length; r++) {
    const start = r * columns
    const total = exponentials(fit, start, columns, p)
    const top = largest(fit, start, columns)
    for (let k = 0; k < columns; k++) {
      q[start + k] = Math.sqrt(p[k]! / total)
      // 1 - p would cancel for the likeliest class.
      let others = 1 - p[k]! / total
      if (k === top) {
        others = 0
        for (let j = 0; j < columns; j++) if (j !== k) others += p[j]! / total
      }
      diagonal[start + k] = weights[r]! * (p[k]! / total) * others
    }
  }
  /** out <- sqrt(w) (diag(q) v) less its part along q, before or after diag(q). */
  const times = (v: Float64Array, out: Float64Array, adjoint: boolean): Float64Array => {
    for (let r = 0; r < weights.length; r++) {
      const start = r * columns
      const root = Math.sqrt(weights[r]!)
      let along = 0
      for (let k = start; k < start + columns; k++) along += q[k]! * (adjoint ? q[k]! * v[k]! : v[k]!)
      for (let k = start; k < start + columns; k++)
        out[k] = root * (adjoint ? q[k]! * v[k]! - along * q[k]! : q[k]! * (v[k]! - along * q[k]!))
    }
    return out
  }
  return {
    diagonal,
    root: (v, out = new Float64Array(v.length)) => times(v, out, false),
    rootAdjoint: (v, out = new Float64Array(v.length)) => times(v, out, true),
    project(v) {
      for (let start = 0; start < v.length; start += columns) {
        let along = 0
        for (let k = start; k < start + columns; k++) along += q[k]! * v[k]!
        for (let k = start; k < start + columns; k++) v[k]! -= along * q[k]!
      }
      return v
    },
  }
}

/**
 * The divergence of log sum exp: with the probabilities p at `at` and the step h less its mean p'h, it is
 * log(sum_k p_k e^{h_k}) = log(1 + sum_k p_k (e^{h_k} - 1 - h_k)), a sum where nothing cancels.
 */
function rowDivergence(to: Float64Array, at: Float64Array, start: number, p: Float64Array, h: Float64Array): number {
  const columns = p.length
  const top = largest(at, start, columns)
  const total = exponentials(at, start, columns, p)
  // Steps are counted from that of the likeliest class: its own, less the mean, then keeps its digits as p_top nears 1.
  const origin = to[start + top]! - at[start + top]!
  let mean = 0
  for (let k = 0; k < columns; k++) {
    p[k]! /= total
    h[k] = to[start + k]! - at[start + k]! - origin
    mean += p[k]! * h[k]!
  }
  let excess = 0
  let highest = Number.NEGATIVE_INFINITY
  for (let k = 0; k < columns; k++) {
    h[k]! -= mean
    if (h[k]! < 40) excess += p[k]! * expExcess(h[k]!)
    else {
      // p e^h with one exponential: p alone may vanish and e^h overflow.
      const exponent = h[k]! + at[start + k]! - at[start + top]! - Math.log(total)
      h[k] = exponent
      highest = Math.max(highest, exponent)
      excess += Math.exp(exponent)
    }
  }
  if (highest <= 700) return Math.log1p(excess)
  // What is not a large step is below e^40 in all.
  let sum = 0
  for (let k = 0; k < columns; k++) if (h[k]! > highest - 600) sum += Math.exp(h[k]! - highest)
  return highest + Math.log(sum)
}
