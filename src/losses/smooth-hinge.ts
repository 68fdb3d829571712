import { given } from '../numerics/given.ts'
import { requireOptions } from '../numerics/options.ts'
import type { LossChoice, Matrix, Vector } from '../types.ts'
import { type Rootable, separableWithIntercept } from './column-root.ts'
import { BOUNDARY } from './exponential.ts'
import { requireBothSigns, requireSigns } from './labels.ts'
import { separable } from './separable.ts'
import { type ClassWeights, classWeightNames, entryWeights, signedRowWeights } from './weights.ts'

/** How round the corner is, and what rows and classes count. */
export interface SmoothHingeOptions extends ClassWeights {
  /** Width of the rounded corner below the margin of 1 (default 1); the smaller, the closer to the hinge. */
  gamma?: number
}

/**
 * F(Z) = (1/n) sum_{r,k} w_r h(1 - y_rk z_rk), h(m) = 0 for m <= 0, m^2 / (2 gamma) up to gamma, m - gamma/2 beyond;
 * targets -1 and 1.
 *
 * Smoothness max w / (gamma n). With t = -n y p / w, F*(P) = (1/n) sum_{r,k} w_r (gamma t^2/2 - t) where every t is in [0, 1],
 * Infinity elsewhere.
 *
 * @throws RangeError when gamma is not a positive number.
 */
export function smoothHinge(options: SmoothHingeOptions = {}): LossChoice {
  requireOptions(options, { ...classWeightNames, gamma: 'number' }, 'smoothHinge')
  const { gamma = 1, ...weights } = options
  if (!(gamma > 0) || !Number.isFinite(gamma))
    throw new RangeError(`smoothHinge: gamma is ${given(gamma)}, expected a positive number; pass for example 1.`)
  return {
    name: 'smooth-hinge',
    over(targets, options = {}) {
      requireSigns(targets, 'smoothHinge')
      const entries = smoothHingeEntries(targets, signedRowWeights(targets, weights, 'smoothHinge'), gamma)
      if (!options.intercept) return separable(entries)
      requireBothSigns(targets, entries.weights, 'smoothHinge')
      return separableWithIntercept(entries, targets.columns)
    },
  }
}

function smoothHingeEntries({ rows, columns, data: y }: Matrix, weights: Vector, gamma: number): Rootable {
  const entries = entryWeights(weights, columns, rows)
  /** The margin's shortfall in units of gamma. */
  const short = (z: number, k: number): number => (1 - y[k]! * z) / gamma
  const clip = (e: number): number => Math.max(0, Math.min(1, e))
  return {
    name: 'smooth-hinge',
    weights: entries,
    curvature: 1 / gamma,
    value(z, k) {
      const e = short(z, k)
      const c = clip(e)
      return gamma * c * (e - c / 2)
    },
    slope: (z, k) => -y[k]! * clip(short(z, k)),
    conjugate(p, k) {
      const t = -y[k]! * p
      return t >= -BOUNDARY && t <= 1 + BOUNDARY ? t * ((gamma * t) / 2 - 1) : Number.POSITIVE_INFINITY
    },
    second(z, k) {
      const e = short(z, k)
      return e > 0 && e < 1 ? 1 / gamma : 0
    },
    // The margin is 1.
    own: (z, k) => y[k]! - z,
    settled: 2 ** -52,
    magnitude: entries.reduce((total, weight) => total + weight, 0),
    divergence(to, at, k) {
      const before = short(at, k)
      const after = short(to, k)
      const [b, a] = [clip(before), clip(after)]
      if (b === before && a === after) return (to - at) ** 2 / (2 * gamma)
      return gamma * (a - b) * (after - (a + b) / 2)
    },
    linearAtEnds: true,
    dual: signDual(y, gamma),
  }
}

/** The conjugate of a hinge rounded by gamma, in detail: on p with -y p in [0, 1] it is y p + gamma p^2 / 2. */
export function signDual(y: Vector, gamma: number): NonNullable<Rootable['dual']> {
  return {
    low: (k) => Math.min(0, -y[k]!),
    high: (k) => Math.max(0, -y[k]!),
    slope: (p, k) => y[k]! + gamma * p,
    second: () => gamma,
  }
}
