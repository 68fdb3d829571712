import { norm, scaled } from '../src/numerics/vectors.ts'
import type { LinearOperator, Solver, Vector } from '../src/types.ts'

/**
 * minimise c/2 |Au - y|^2 + lambda/2 |u|^2 by LSMR, for ridge penalties and for lambda = 0 with any penalty.
 *
 * At lambda = 0 and without a start it tends to the solution of least norm. Works on A and A' alone: one product with
 * each per iterate. Where a run has reached the limit of its recurrence it starts anew from there, which refines the
 * answer as iterative refinement does.
 *
 * Fong and Saunders 2011, SIAM J. Sci. Comput. 33(5).
 */
export function leastSquares(): Solver {
  return {
    name: 'least-squares',
    supports(program) {
      if (program.penalty.domain)
        return `least-squares takes no constraint and ${program.name} has one; use proximalGradient().`
      if (!program.loss.quadratic)
        return `least-squares needs the squared loss without an unpenalised intercept and ${program.name} has another; use proximalGradient().`
      if (program.lambda > 0 && !program.penalty.quadratic)
        return `least-squares takes ridge() or lambda = 0 and ${program.name} has ${program.penalty.name} with lambda ${program.lambda}; use proximalGradient().`
      return true
    },
    *iterate(program, start) {
      const { operator, lambda, penalty } = program
      const { curvature, target } = program.loss.quadratic!
      const damp = lambda > 0 ? Math.sqrt((lambda * penalty.quadratic!.curvature) / curvature) : 0
      const A = damp > 0 ? stacked(operator, damp) : operator
      const x = start ? start.coefficients.slice() : new Float64Array(operator.columns)
      const b = new Float64Array(A.rows)
      for (;;) {
        // The right-hand side for the correction: [y - A x; -damp x].
        A.apply(x, b)
        for (let k = 0; k < b.length; k++) b[k] = (k < target.length ? target[k]! : 0) - b[k]!
        yield* correct(A, b, x)
      }
    },
  }
}

/** One run of LSMR on min |A dx - b|, adding to x as it goes; ends when |A'r| has fallen to rounding level. */
function* correct(A: LinearOperator, b: Vector, x: Vector): Generator<{ coefficients: Vector }, void> {
  // u, v: Golub-Kahan vectors with alpha, beta · h, hbar: search directions · zetabar: |A'r|, up to sign
  const u = b
  let beta = norm(u)
  if (beta > 0) scaled(u, 1 / beta, u)
  const v = A.adjoint(u)
  let alpha = norm(v)
  if (alpha > 0) scaled(v, 1 / alpha, v)
  let zetabar = alpha * beta
  const initial = Math.abs(zetabar)
  if (!(initial > 0)) {
    yield { coefficients: x }
    return
  }
  let alphabar = alpha
  let rho = 1
  let rhobar = 1
  let cbar = 1
  let sbar = 0
  const h = v.slice()
  const hbar = new Float64Array(v.length)
  const image = new Float64Array(A.rows)
  const back = new Float64Array(A.columns)
  for (;;) {
    A.apply(v, image)
    for (let k = 0; k < u.length; k++) u[k] = image[k]! - alpha * u[k]!
    beta = norm(u)
    if (beta > 0) scaled(u, 1 / beta, u)
    A.adjoint(u, back)
    for (let k = 0; k < v.length; k++) v[k] = back[k]! - beta * v[k]!
    alpha = norm(v)
    if (alpha > 0) scaled(v, 1 / alpha, v)

    const rhoOld = rho
    rho = Math.hypot(alphabar, beta)
    const c = alphabar / rho
    const s = beta / rho
    const theta = s * alpha
    alphabar = c * alpha
    const rhobarOld = rhobar
    const thetabar = sbar * rho
    rhobar = Math.hypot(cbar * rho, theta)
    cbar = (cbar * rho) / rhobar
    sbar = theta / rhobar
    const zeta = cbar * zetabar
    zetabar = -sbar * zetabar

    const turn = (thetabar * rho) / (rhoOld * rhobarOld)
    const stride = zeta / (rho * rhobar)
    for (let k = 0; k < x.length; k++) {
      hbar[k] = h[k]! - turn * hbar[k]!
      x[k]! += stride * hbar[k]!
      h[k] = v[k]! - (theta / rho) * h[k]!
    }
    yield { coefficients: x }
    if (!(Math.abs(zetabar) > 1e-15 * initial) || !(alpha > 0)) return
  }
}

/** [A; damp I] */
function stacked(A: LinearOperator, damp: number): LinearOperator {
  const n = A.rows
  return {
    rows: n + A.columns,
    columns: A.columns,
    apply(u, out = new Float64Array(n + A.columns)) {
      A.apply(u, out.subarray(0, n))
      scaled(u, damp, out.subarray(n))
      return out
    },
    adjoint(p, out = new Float64Array(A.columns)) {
      A.adjoint(p.subarray(0, n), out)
      for (let k = 0; k < out.length; k++) out[k]! += damp * p[n + k]!
      return out
    },
  }
}
