import { requireOptions } from '../numerics/options.ts'
import type { LossChoice } from '../types.ts'
import { BOUNDARY } from './exponential.ts'
import { requireSigns } from './labels.ts'
import { separable } from './separable.ts'
import { signDual } from './smooth-hinge.ts'
import { type ClassWeights, classWeightNames, entryWeights, signedRowWeights } from './weights.ts'

/**
 * F(Z) = (1/n) sum_{r,k} w_r (1 - y_rk z_rk)_+, targets -1 and 1: the loss of support vector machines.
 *
 * It has a corner, so that `smoothness` is Infinity and `gradient` gives one subgradient (-y inside the margin, 0 from it
 * on): for solvers that work on the dual. With t = -n y p / w, F*(P) = -(1/n) sum_{r,k} w_r t where every t is in [0, 1],
 * Infinity elsewhere. For everything else there is `smoothHinge()`.
 */
export function hinge(weights: ClassWeights = {}): LossChoice {
  requireOptions(weights, classWeightNames, 'hinge')
  return {
    name: 'hinge',
    over(targets, options = {}) {
      requireSigns(targets, 'hinge')
      if (options.intercept)
        throw new RangeError(
          'hinge: an unpenalised intercept is minimised out of smooth losses only; use smoothHinge() or no intercept.',
        )
      const { data: y, rows, columns } = targets
      const slope = (z: number, k: number): number => (y[k]! * z < 1 ? -y[k]! : 0)
      return separable({
        name: 'hinge',
        weights: entryWeights(signedRowWeights(targets, weights, 'hinge'), columns, rows),
        curvature: Number.POSITIVE_INFINITY,
        value: (z, k) => Math.max(0, 1 - y[k]! * z),
        slope,
        conjugate(p, k) {
          const t = -y[k]! * p
          return t >= -BOUNDARY && t <= 1 + BOUNDARY ? -t : Number.POSITIVE_INFINITY
        },
        // On one side of the corner it is linear; across it, what the margin was overshot by.
        divergence: (to, at, k) => (y[k]! * at < 1 ? Math.max(0, y[k]! * to - 1) : Math.max(0, 1 - y[k]! * to)),
        linearAtEnds: true,
        dual: signDual(y, 0),
      })
    },
  }
}
