import { assemble, singularValues, svd } from '../numerics/svd.ts'
import type { ConvexSet, Vector } from '../types.ts'

/** The matrix that a set's vectors are, row-major, and the radius of the ball. */
export interface SpectralBall {
  readonly rows: number
  readonly columns: number
  readonly radius: number
}

/**
 * { U : |U|_* <= radius }, one row-major matrix. The projection shortens all singular values alike, to a sum of `radius`.
 *
 * `violation` is (|U|_* - radius) / radius. The support function is radius times the largest singular value.
 *
 * @throws RangeError when a size is not a positive whole number, or the radius not a positive one.
 */
export function nuclearBall({ rows, columns, radius }: SpectralBall): ConvexSet {
  requireBall({ rows, columns, radius }, 'nuclearBall')
  return {
    name: 'nuclear-ball',
    project(s, out = new Float64Array(s.length)) {
      const parts = svd(s, rows, columns)
      const height = excess(parts.values, radius)
      if (height === 0) out.set(s)
      else
        assemble(
          parts,
          parts.values.map((value) => Math.max(0, value - height)),
          rows,
          columns,
          out,
        )
      return out
    },
    support: (y) => radius * singularValues(y, rows, columns)[0]!,
    violation: (s) => beyond((sum(singularValues(s, rows, columns)) - radius) / radius),
  }
}

/**
 * { U : |U| <= radius } in the operator norm, one row-major matrix. The projection clips every singular value at the radius.
 *
 * `violation` is (|U| - radius) / radius. The support function is radius times the nuclear norm.
 *
 * @throws RangeError when a size is not a positive whole number, or the radius not a positive one.
 */
export function operatorBall({ rows, columns, radius }: SpectralBall): ConvexSet {
  requireBall({ rows, columns, radius }, 'operatorBall')
  return {
    name: 'operator-ball',
    project(s, out = new Float64Array(s.length)) {
      const parts = svd(s, rows, columns)
      if (parts.values[0]! <= radius) out.set(s)
      else
        assemble(
          parts,
          parts.values.map((value) => Math.min(value, radius)),
          rows,
          columns,
          out,
        )
      return out
    },
    support: (y) => radius * sum(singularValues(y, rows, columns)),
    violation: (s) => beyond((singularValues(s, rows, columns)[0]! - radius) / radius),
  }
}

/** What a sum of singular values is off by rounding is not outside. */
function beyond(excess: number): number {
  return excess > 1e-14 ? excess : 0
}

function sum(values: Vector): number {
  return values.reduce((total, value) => total + value, 0)
}

/**
 * The t with sum_i (values_i - t)_+ = radius, 0 when the sum is no larger: the step of the projection on the l1 ball.
 * `values` are nonnegative and descend. Duchi, Shalev-Shwartz, Singer and Chandra, ICML 2008.
 */
export function excess(values: ArrayLike<number>, radius: number): number {
  let total = 0
  for (let k = 0; k < values.length; k++) total += values[k]!
  if (total <= radius * (1 + 1e-15)) return 0
  let running = 0
  for (let k = 0; k < values.length; k++) {
    running += values[k]!
    const height = (running - radius) / (k + 1)
    if (k + 1 === values.length || values[k + 1]! <= height) return height
  }
  return 0
}

function requireBall({ rows, columns, radius }: SpectralBall, caller: string): void {
  for (const size of [rows, columns])
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(
        `${caller}: the matrix is ${rows} x ${columns}, expected two positive whole numbers; pass rows and columns.`,
      )
  if (!(radius > 0) || !Number.isFinite(radius))
    throw new RangeError(`${caller}: radius is ${radius}, expected a positive number; pass the largest norm allowed.`)
}
