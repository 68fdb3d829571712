import { matrix } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Loss, LossChoice, Matrix, Vector } from '../types.ts'
import { classesOf } from './labels.ts'
import { softmax } from './softmax.ts'
import { softmaxDual } from './softmax-dual.ts'
import { type ClassWeights, classRowWeights, classWeightNames, entryWeights } from './weights.ts'

/**
 * F(Z) = (1/n) sum_r w_r (log(1 + sum_k exp(z_rk)) - z_r,class): cross-entropy of K classes with K - 1 columns, the logit of
 * the last class being 0.
 *
 * Targets are 1 in the column of the row's class and 0 elsewhere; a row of zeros is of the last class. No shift of a row is
 * left over, so that the dual has an interior; but the last class is told apart from the others by penalties. Smoothness
 * max w / (2n). The conjugate is that of `softmax` with the last column minus the sum of the others.
 */
export function softmaxReference(options: ClassWeights = {}): LossChoice {
  requireOptions(options, classWeightNames, 'softmaxReference')
  return {
    name: 'softmax-reference',
    over(targets, { intercept = false } = {}) {
      if (intercept)
        throw new RangeError(
          'softmaxReference: an unpenalised intercept is minimised out of softmax() only; use that, or no intercept.',
        )
      const { rows, columns } = targets
      const all = withReference(targets)
      const weights = classRowWeights(classesOf(all, 'softmaxReference'), columns + 1, options, 'softmaxReference')
      return {
        ...reduced(softmax(options).over(all), rows, columns),
        dual: softmaxDual(targets, entryWeights(weights, 1, rows)),
      }
    },
  }
}

/** Targets with a column for the reference class. */
function withReference({ rows, columns, data }: Matrix): Matrix {
  const full = matrix(rows, columns + 1)
  for (let r = 0; r < rows; r++) {
    let any = 0
    for (let k = 0; k < columns; k++) {
      full.data[r * (columns + 1) + k] = data[r * columns + k]!
      any ||= data[r * columns + k]! === 1 ? 1 : 0
    }
    full.data[r * (columns + 1) + columns] = 1 - any
  }
  return full
}

/** The loss on fits whose last column is 0 and left out. */
function reduced(full: Loss, rows: number, columns: number): Loss {
  const classes = columns + 1
  const a = new Float64Array(rows * classes)
  const b = new Float64Array(rows * classes)
  const widen = (z: Vector, out: Vector, last: (r: number) => number): Vector => {
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < columns; k++) out[r * classes + k] = z[r * columns + k]!
      out[r * classes + columns] = last(r)
    }
    return out
  }
  const none = (): number => 0
  return {
    name: 'softmax-reference',
    size: rows * columns,
    smoothness: full.smoothness,
    value: (z) => full.value(widen(z, a, none)),
    gradient(z, out = new Float64Array(rows * columns)) {
      full.gradient(widen(z, a, none), b)
      for (let r = 0; r < rows; r++) for (let k = 0; k < columns; k++) out[r * columns + k] = b[r * classes + k]!
      return out
    },
    conjugate(p) {
      return full.conjugate(
        widen(p, a, (r) => {
          let sum = 0
          for (let k = 0; k < columns; k++) sum += p[r * columns + k]!
          return -sum
        }),
      )
    },
    divergence: (to, at) => full.divergence(widen(to, a, none), widen(at, b, none)),
  }
}
