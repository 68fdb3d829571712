import { gradientAtZero } from '../src/certificates/gradient-at-zero.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { norm, plus, scaled, squaredDistance, squaredNorm } from '../src/numerics/vectors.ts'
import type { ConvexProgram, Solver } from '../src/types.ts'

/** Settings of `proximalGradient`. */
export interface ProximalGradientOptions {
  /** First step; default 1 over an estimate of the gradient's Lipschitz constant from a few power iterations. */
  step?: number
  /** Factor of the step when the quadratic bound fails (default 0.8). */
  shrink?: number
  /** Factor of the step when the bound is loose (default 1.25). */
  grow?: number
  /** How loose the bound must be for the step to grow (default 5). */
  looseness?: number
}

/**
 * R-FISTA, accelerated proximal gradient with restart:  minimise F(Au) + lambda R(u).
 *
 * One product with A and one with A' per iterate, and one more with A per backtrack: fits are extrapolated, not
 * recomputed. The line search compares Bregman divergences, so that it does not lose digits near the optimum.
 *
 * Beck and Teboulle 2009, SIAM J. Imaging Sci. 2(1). Restart on the gradient mapping: O'Donoghue and Candès 2015,
 * Found. Comput. Math. 15. Growing step: Mishkin, Sahiner and Pilanci, ICML 2022.
 */
export function proximalGradient(options: ProximalGradientOptions = {}): Solver {
  requireOptions(options, { step: 'number', shrink: 'number', grow: 'number', looseness: 'number' }, 'proximalGradient')
  const { shrink = 0.8, grow = 1.25, looseness = 5 } = options
  if (!(shrink > 0 && shrink < 1))
    throw new RangeError(`proximalGradient: shrink is ${shrink}, expected between 0 and 1; pass for example 0.8.`)
  if (!(grow >= 1 && Number.isFinite(grow)))
    throw new RangeError(`proximalGradient: grow is ${grow}, expected at least 1; pass for example 1.25.`)
  if (!(looseness >= 1))
    throw new RangeError(`proximalGradient: looseness is ${looseness}, expected at least 1; pass for example 5.`)
  if (options.step !== undefined && !(options.step > 0 && Number.isFinite(options.step)))
    throw new RangeError(`proximalGradient: step is ${options.step}, expected above 0; leave it out for an estimate.`)
  return {
    name: 'proximal-gradient',
    supports: ({ name, loss }) =>
      Number.isFinite(loss.smoothness) ||
      `proximal-gradient needs a smooth loss and ${name} has ${loss.name}; pass smoothHinge().`,
    *iterate(program, start) {
      const { loss, operator, penalty, lambda } = program
      const m = operator.columns
      const n = operator.rows
      // u, next: last and new iterate · v: extrapolated point · each with its fit · t: momentum · step: 1 / curvature
      let u: Float64Array = start ? start.coefficients.slice() : new Float64Array(m)
      let fit: Float64Array = start?.fit ? start.fit.slice() : operator.apply(u)
      let next: Float64Array = new Float64Array(m)
      let nextFit: Float64Array = new Float64Array(n)
      const v = u.slice()
      const fitV = fit.slice()
      const slope = new Float64Array(n)
      const gradient = new Float64Array(m)
      const point = new Float64Array(m)
      let step = options.step ?? firstStep(program)
      let t = 1
      for (;;) {
        operator.adjoint(loss.gradient(fitV, slope), gradient)
        let bend: number
        let moved: number
        for (;;) {
          penalty.prox(plus(v, -step, gradient, point), step * lambda, next)
          operator.apply(next, nextFit)
          bend = loss.divergence(nextFit, fitV)
          moved = squaredDistance(next, v)
          // F(next) <= F(v) + dF(v)'(next - v) + |next - v|^2 / (2 step), up to the rounding of the two sides;
          // a NaN is let through for the driver to report.
          if (!(2 * step * bend > moved * (1 + 1e-12)) || moved === 0) break
          // Near a fixed point the divergence is that of the fits' rounding, which no step makes smaller.
          if (bend <= (loss.smoothness / 2) * ROUNDING * squaredNorm(nextFit)) break
          step *= shrink
        }
        // Going uphill, in the direction of the step just taken, means too much momentum.
        let against = 0
        for (let k = 0; k < m; k++) against += (v[k]! - next[k]!) * (next[k]! - u[k]!)
        const ahead = against > 0 ? 1 : (1 + Math.sqrt(1 + 4 * t * t)) / 2
        const momentum = against > 0 ? 0 : (t - 1) / ahead
        t = ahead
        for (let k = 0; k < m; k++) v[k] = next[k]! + momentum * (next[k]! - u[k]!)
        for (let k = 0; k < n; k++) fitV[k] = nextFit[k]! + momentum * (nextFit[k]! - fit[k]!)
        ;[u, next] = [next, u]
        ;[fit, nextFit] = [nextFit, fit]
        if (moved > looseness * 2 * step * bend) step *= grow
        yield { coefficients: u, fit }
      }
    },
  }
}

/** Square of the relative rounding of a fit. */
const ROUNDING = 1e-30

/** 1 / (L |A|^2), with |A|^2 from below by four power iterations started at the gradient; backtracking does the rest. */
export function firstStep(program: ConvexProgram): number {
  const { loss, operator } = program
  const direction = gradientAtZero(program)
  let length = norm(direction)
  if (!(length > 0) || !(loss.smoothness > 0)) return 1
  const image = new Float64Array(operator.rows)
  let stretch = 0
  for (let k = 0; k < 4 && length > 0; k++) {
    scaled(direction, 1 / length, direction)
    operator.apply(direction, image)
    stretch = squaredNorm(image)
    operator.adjoint(image, direction)
    length = norm(direction)
  }
  return stretch > 0 ? 1 / (loss.smoothness * stretch) : 1
}
