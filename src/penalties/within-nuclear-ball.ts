import { svd } from '../numerics/svd.ts'
import { norm } from '../numerics/vectors.ts'
import { nuclearBall, type SpectralBall } from '../sets/spectral-balls.ts'
import type { Penalty } from '../types.ts'
import { distanceToFace, nearestHeight, splitAtFace } from './spectral.ts'

/**
 * R(U) = 0 where |U|_* <= radius and Infinity elsewhere, one row-major matrix: the constrained form, which has the same
 * solution as lambda |U|_* for radius = the norm of that solution.
 *
 * R*(V) = radius times the largest singular value. The prox is the projection whatever the step.
 *
 * @throws RangeError when a size is not a positive whole number, or the radius not a positive one.
 */
export function withinNuclearBall({ rows, columns, radius }: SpectralBall): Penalty {
  const ball = nuclearBall({ rows, columns, radius })
  return {
    name: 'within-nuclear-ball',
    domain: ball,
    value: () => 0,
    prox: (v, _step, out) => ball.project(v, out),
    polar: (v) => (v.some((entry) => entry !== 0) ? Number.POSITIVE_INFINITY : 0),
    conjugate: (v) => ball.support(v),
    subdifferentialDistance(u, v) {
      const at = svd(u, rows, columns)
      const inside = at.values.reduce((total, value) => total - value, radius)
      if (inside > 1e-10 * radius) return norm(v)
      // The normal cone: every multiple t >= 0 of the nuclear norm's subdifferential.
      const split = splitAtFace(at, v, { rows, columns })
      return distanceToFace(split, nearestHeight(split))
    },
  }
}
