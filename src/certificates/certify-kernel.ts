import { kernelSpectrum } from '../numerics/kernel-spectrum.ts'
import { dot, norm, scaled } from '../numerics/vectors.ts'
import type { Certificate, KernelIterate, KernelProgram, Vector } from '../types.ts'
import { lowerBound } from './lower-bound.ts'

/**
 * How close a point of a kernel program is to optimal: any alpha, and any fit with the nuclear norm that made it.
 *
 * alpha is scaled by an s with |M(s alpha)| <= lambda, which makes -F*(-s alpha) a lower bound of the optimum;
 * F(fit) + lambda |A|_* is the upper one, Infinity without a fit. Residuals of the optimality conditions, relative:
 * stationarity |alpha + dF(fit)| to |dF(0)| (for a loss with a corner F(fit) + F*(-alpha) + alpha'fit to F(0)), dual feasibility
 * to lambda_max, complementarity |lambda |A|_* - alpha'fit| to F(0).
 *
 * Cost: one kernel pass, none where the iterate tells its dual norm.
 */
export function certifyKernel(program: KernelProgram, iterate: KernelIterate): Certificate {
  return kernelCertifier(program)(iterate).certificate
}

/** A certificate with the feasible alpha behind its bound. */
export interface CertifiedKernel {
  readonly certificate: Certificate
  readonly dual: Vector
}

/** `certifyKernel` for many points of one program. */
export function kernelCertifier(program: KernelProgram): (iterate: KernelIterate) => CertifiedKernel {
  const { loss, lambda, kernel, scope } = program
  const zero = new Float64Array(loss.size)
  const atZero = { loss: Math.abs(loss.value(zero)) || 1, gradient: norm(loss.gradient(zero)) || 1 }
  const most = kernelLambdaMax(program) || 1
  return ({ dual: alpha, dualNorm, fit, norm: size = 0 }) => {
    const largest = dualNorm ?? kernelSpectrum(kernel, alpha).values[0]!
    const { scale, value } = feasibleDual(program, alpha, largest)
    const dual = scaled(alpha, scale)
    const primal = fit ? loss.value(fit) + lambda * size : Number.POSITIVE_INFINITY
    const bound = lowerBound(value, primal, atZero.loss)
    const gap = primal - bound
    const along = fit ? dot(alpha, fit) : 0
    const certificate: Certificate = {
      primal,
      dual: bound,
      gap,
      relativeGap: gap === 0 ? 0 : fit ? gap / Math.max(Math.abs(primal), Math.abs(bound)) : Number.POSITIVE_INFINITY,
      stationarity: fit ? stationarity(program, alpha, fit, along, atZero) : Number.POSITIVE_INFINITY,
      primalFeasibility: 0,
      dualFeasibility: Math.max(0, largest - lambda) / most,
      complementarity: fit ? Math.abs(lambda * size - along) / atZero.loss : Number.POSITIVE_INFINITY,
      scope,
    }
    return { certificate, dual }
  }
}

/** The better of alpha itself, shortened where it is infeasible, and alpha on the boundary; `largest` is |M(alpha)|. */
export function feasibleDual(
  { loss, lambda }: KernelProgram,
  alpha: Vector,
  largest: number,
): { scale: number; value: number } {
  const limit = largest > 0 ? lambda / largest : 1
  const valueAt = (scale: number): number => 0 - loss.conjugate(scaled(alpha, -scale))
  const inside = Math.min(1, limit)
  const value = valueAt(inside)
  const outer = limit > 1 ? valueAt(limit) : value
  return outer > value ? { scale: limit, value: outer } : { scale: inside, value }
}

/** The smallest lambda for which zero is the solution: |M(dF(0))|. */
export function kernelLambdaMax({ kernel, loss }: KernelProgram): number {
  return kernelSpectrum(kernel, loss.gradient(new Float64Array(loss.size))).values[0]!
}

function stationarity(
  { loss }: KernelProgram,
  alpha: Vector,
  fit: Vector,
  along: number,
  atZero: { loss: number; gradient: number },
): number {
  if (!Number.isFinite(loss.smoothness))
    return Math.max(0, loss.value(fit) + loss.conjugate(scaled(alpha, -1)) + along) / atZero.loss
  const gradient = loss.gradient(fit)
  let total = 0
  for (let k = 0; k < alpha.length; k++) total += (alpha[k]! + gradient[k]!) ** 2
  return Math.sqrt(total) / atZero.gradient
}
