import { dot, norm, scaled } from '../numerics/vectors.ts'
import type { Certificate, ConvexProgram, Iterate, Vector } from '../types.ts'
import { atZero } from './gradient-at-zero.ts'
import { lowerBound } from './lower-bound.ts'

/** A certificate with the dual feasible point behind its bound. */
export interface Certified {
  readonly certificate: Certificate
  /** s r, dual feasible, for r = -dF(Au) or the iterate's own dual point. Lent: the next call overwrites it. */
  readonly dual: Vector
  /** s */
  readonly scale: number
  /** A'r, not scaled. Lent. */
  readonly correlation: Vector
  /** The point the certificate speaks of: the one given, or the nearest one in the penalty's domain. Lent. */
  readonly at: Iterate
  /** The certificate's stationarity, for whoever did not ask for it before: until the next call, or the iterate is written over. */
  stationarity(): number
}

/** What a dual point p bounds the optimum by, scaled by s. */
interface Bound {
  readonly point: Vector
  /** A'p */
  readonly images: Vector
  readonly s: number
  readonly bound: number
}

/**
 * How close a point of `minimise F(Au) + lambda R(u)` is to optimal, in float64.
 *
 * A point outside the penalty's domain (cone constraints) is first moved to the nearest point inside: `primal`, gap and
 * residuals are that point's, so that they are honest, and `primalFeasibility` says how far the given one was outside.
 *
 * The dual is `maximise over r: -F*(-r) - lambda R*(A'r / lambda)`; for a norm the last term says R°(A'r) <= lambda.
 * The dual point is r = -dF(Au), scaled by the s in [0, lambda / R°(A'r)] that maximises the dual value, so that
 * `dual` is a lower bound of the optimum at every point: dual <= optimum <= primal. At lambda = 0 only s = 0 is
 * feasible (unless A'r = 0): the bound is then the trivial -F*(0), and the KKT residuals decide.
 *
 * Where the iterate carries a dual point of its own, that is scaled likewise, and the better of the two bounds counts.
 *
 * Residuals are relative: stationarity and dual feasibility to the Euclidean norm of the gradient at zero,
 * complementarity to F(0). Cost: one product with A', another where there is a dual point, and one with A when the iterate
 * does not carry its fit.
 *
 * @throws RangeError when the point has another size than the program.
 */
export function certify(program: ConvexProgram, iterate: Iterate): Certificate {
  return certifier(program)(iterate).certificate
}

/** What a point may be outside its domain by rounding alone; projections leave less than this. */
const ROUNDING = 1e-12

/**
 * `certify` for many points of one program: buffers are allocated once.
 *
 * Stationarity is NaN where it is not asked for: on cones it takes a projection for every block, and no other figure needs it.
 */
export function certifier(program: ConvexProgram): (iterate: Iterate, stationarity?: boolean) => Certified {
  const { loss, penalty, lambda } = program
  // Where products are of float32, those of certificates are not, and no fit is taken on trust.
  const { exact } = program.operator
  const operator = exact ?? program.operator
  const zero = atZero(program)
  const gradientScale = zero.gradientNorm || 1
  const lossScale = Math.abs(zero.loss) || 1
  const fitBuffer = new Float64Array(operator.rows)
  const r = new Float64Array(operator.rows)
  const dual = new Float64Array(operator.rows)
  const correlation = new Float64Array(operator.columns)
  const slope = new Float64Array(operator.columns)

  const repaired = penalty.domain ? new Float64Array(operator.columns) : undefined

  let hintCorrelation: Vector | undefined

  /** The scale s >= 0 of a dual point p that makes the most of it, and its dual value -F*(-s p) - lambda R*(s A'p / lambda). */
  const bestBound = (point: Vector, images: Vector, polar: number): Bound => {
    const isNorm = Number.isFinite(polar)
    const dualValue = (s: number): number => {
      const value = 0 - loss.conjugate(scaled(point, -s, dual))
      return isNorm || s === 0 ? value : value - lambda * penalty.conjugate(scaled(images, s / lambda, slope))
    }
    const limit = isNorm
      ? polar > 0
        ? lambda / polar
        : Number.POSITIVE_INFINITY
      : lambda > 0
        ? Number.POSITIVE_INFINITY
        : 0
    const s = bestScale(dualValue, limit)
    return { point, images, s, bound: dualValue(s) }
  }

  return (iterate, stationarity = true) => {
    let { coefficients, fit: knownFit } = iterate
    if (coefficients.length !== operator.columns)
      throw new RangeError(
        `certify: the point has ${coefficients.length} coefficients and ${program.name} has ${operator.columns}; pass a point of this program.`,
      )
    const outside = penalty.domain?.violation(coefficients) ?? 0
    if (penalty.domain && repaired && outside > ROUNDING) {
      coefficients = penalty.domain.project(coefficients, repaired)
      knownFit = undefined
    }
    const fit = (exact ? undefined : knownFit) ?? operator.apply(coefficients, fitBuffer)
    const size = penalty.value(coefficients)
    const primal = loss.value(fit) + lambda * size
    loss.gradient(fit, r)
    for (let k = 0; k < r.length; k++) r[k] = -r[k]!
    operator.adjoint(r, correlation)
    const polar = penalty.polar(correlation)
    const isNorm = Number.isFinite(polar)
    let lower = bestBound(r, correlation, polar)
    if (iterate.dual) {
      // A solver's own dual point may bound better than the residual of a point that is not quite solved for.
      const images = operator.adjoint(iterate.dual, (hintCorrelation ??= new Float64Array(operator.columns)))
      const own = bestBound(iterate.dual, images, penalty.polar(images))
      if (own.bound > lower.bound) lower = own
    }
    const { s } = lower
    const bound = lowerBound(lower.bound, primal, zero.loss)
    scaled(lower.point, s, dual)

    const distance = (): number =>
      (lambda > 0
        ? lambda * penalty.subdifferentialDistance(coefficients, scaled(correlation, 1 / lambda, slope))
        : norm(correlation)) / gradientScale
    const conjugate = isNorm || lambda === 0 ? 0 : lambda * penalty.conjugate(scaled(correlation, 1 / lambda, slope))
    const gap = primal - bound
    const certificate: Certificate = {
      primal,
      dual: bound,
      gap,
      relativeGap: gap === 0 ? 0 : gap / Math.max(Math.abs(primal), Math.abs(bound)),
      stationarity: stationarity ? distance() : Number.NaN,
      primalFeasibility: outside,
      dualFeasibility: isNorm ? Math.max(0, polar - lambda) / gradientScale : 0,
      complementarity: Math.abs(lambda * size + conjugate - dot(coefficients, correlation)) / lossScale,
      scope: program.scope,
    }
    return {
      certificate,
      dual,
      scale: s,
      correlation: lower.images,
      stationarity: distance,
      at: coefficients === iterate.coefficients && !exact ? iterate : { ...iterate, coefficients, fit },
    }
  }
}

/**
 * The s in [0, limit] with (nearly) the largest value of a concave function: the best of 0, the unscaled point (or the
 * limit below it), the limit, and the vertex of the parabola through three points, which is exact for the squared loss.
 */
export function bestScale(value: (s: number) => number, limit: number): number {
  if (limit === 0) return 0
  // The unscaled point is in the domain of F*, and so is everything between it and zero.
  const inside = Math.min(1, limit)
  const low = value(0)
  const middle = value(inside / 2)
  const high = value(inside)
  let best = high >= low ? inside : 0
  let most = Math.max(high, low)
  const consider = (s: number): void => {
    const candidate = value(s)
    if (candidate > most) {
      most = candidate
      best = s
    }
  }
  const bend = low - 2 * middle + high
  if (bend < 0) {
    const vertex = (inside / 4) * ((3 * low - 4 * middle + high) / bend)
    consider(Math.min(limit, Math.max(0, vertex)))
  }
  if (Number.isFinite(limit)) consider(limit)
  return best
}

/**
 * Whether a certificate says `solved`: its relative gap is at most the tolerance, at a point that is feasible (repaired
 * where need be). At lambda = 0 there is no
 * finite bound to compare with, and every KKT residual must be at most the tolerance instead. A bound that is above the objective by
 * more than that says that one of the two is wrong, and solves nothing.
 */
export function isSolved(certificate: Certificate, lambda: number, tolerance: number): boolean {
  if (Math.abs(certificate.relativeGap) <= tolerance) return true
  return (
    lambda === 0 &&
    certificate.stationarity <= tolerance &&
    certificate.dualFeasibility <= tolerance &&
    certificate.complementarity <= tolerance
  )
}
