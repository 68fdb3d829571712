import { fitOfImages, gramOf, kernelSpectrum } from '../src/numerics/kernel-spectrum.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { product, rowProducts, transpose } from '../src/numerics/products.ts'
import { cholesky, choleskySolve, solveSymmetric } from '../src/numerics/solve-symmetric.ts'
import { symmetricEigen } from '../src/numerics/symmetric-eigen.ts'
import { dot, plus, scaled } from '../src/numerics/vectors.ts'
import type { DualLoss, KernelMap, KernelProgram, KernelSolver, Vector } from '../src/types.ts'

/** Settings of `interiorPoint`. */
export interface InteriorPointOptions {
  /** What the weight of the barrier is divided by between two centres (default 10). */
  factor?: number
}

/**
 * A barrier method on the dual, kernel only: for mu -> 0 minimise by Newton's method over alpha
 *
 *     F*(-alpha) + mu barrier(alpha) - mu log det(lambda^2 I - M(alpha)'M(alpha)) .
 *
 * One iterate per mu. On the central path A = 2 mu M(alpha) N, N = (lambda^2 I - S)^{-1}, is primal with a gap of at most
 * (q + barriers) mu. For reference: n c unknowns, (n c)^3 / 3 flops a step, hence at most 2000 of them; any loss whose dual
 * has an interior, with corners or without. Nesterov and Nemirovskii 1994.
 */
export function interiorPoint(options: InteriorPointOptions = {}): KernelSolver {
  requireOptions(options, { factor: 'number' }, 'interiorPoint')
  const { factor = 10 } = options
  if (!(factor > 1)) throw new RangeError(`interiorPoint: factor is ${factor}, expected above 1; pass for example 10.`)
  return {
    name: 'interior-point',
    supports({ name, loss, lambda, kernel }) {
      if (!loss.dual)
        return `interior-point needs a dual with an interior and the ${loss.name} loss of ${name} has none; use columnGeneration().`
      if (!(lambda > 0)) return `interior-point needs a positive lambda and that of ${name} is ${lambda}.`
      const unknowns = kernel.count * kernel.outputs
      return (
        unknowns <= LARGEST ||
        `interior-point factors a matrix of one row per target, ${name} has ${unknowns} and at most ${LARGEST} is done; use columnGeneration() or dualAscent().`
      )
    },
    *iterate(program) {
      const { kernel, lambda } = program
      const loss = program.loss.dual!
      const q = kernel.outputs * kernel.size
      const terms = q + loss.barriers
      // alpha: strictly feasible throughout · mu: weight of the barriers
      let alpha = loss.inside()
      const start = kernelSpectrum(kernel, alpha).values[0]!
      if (start > 0) alpha = scaled(alpha, Math.min(1, (0.5 * lambda) / start))
      let mu = (Math.abs(program.loss.value(new Float64Array(program.loss.size))) || 1) / terms
      for (;;) {
        alpha = center(program, loss, alpha, mu)
        const spectrum = kernelSpectrum(kernel, alpha)
        const inverse = inverseSlack(spectrum.gram, lambda, q)
        const seen = inverse && product(inverse, q, spectrum.images, q, spectrum.images.length / q)
        // |A|_* of the very N that made the fit: lambda^2 - s^2 has lost its digits by now, and the two must agree.
        const norm = inverse
          ? 2 * mu * rootTrace(product(product(inverse, q, spectrum.gram, q, q), q, inverse, q, q), q)
          : 0
        const fit = seen && scaled(fitOfImages(kernel, seen), 2 * mu)
        const filters = inverse && {
          filters: matrix(kernel.count * kernel.size, q, spread(kernel, alpha)),
          linear: matrix(q, q, scaled(inverse, 2 * mu)),
        }
        yield {
          dual: alpha,
          dualNorm: spectrum.values[0]!,
          recover: true,
          ...(fit && filters && { fit, norm, filters }),
        }
        if (mu * terms > SMALLEST * Math.abs(program.loss.conjugate(scaled(alpha, -1)))) mu /= factor
      }
    },
  }
}

/** tr sqrt(S): the sum of the singular values behind a Gram matrix. */
function rootTrace(S: Vector, q: number): number {
  return symmetricEigen(S, q).values.reduce((total, value) => total + Math.sqrt(Math.max(0, value)), 0)
}

/** M(alpha) as filters: (n size) x q. */
function spread({ count, size, outputs }: KernelMap, alpha: Vector): Vector {
  const q = outputs * size
  const filters = new Float64Array(count * size * q)
  for (let i = 0; i < count; i++)
    for (let l = 0; l < outputs; l++)
      for (let p = 0; p < size; p++) filters[(i * size + p) * q + l * size + p] = alpha[i * outputs + l]!
  return filters
}

const LARGEST = 2000
/** Below this share of the objective a gap is rounding. */
const SMALLEST = 1e-14

/** N = (lambda^2 I - S)^{-1}, or nothing outside. */
function inverseSlack(S: Vector, lambda: number, q: number): Vector | undefined {
  const slack = new Float64Array(q * q)
  for (let i = 0; i < q; i++)
    for (let j = 0; j < q; j++) slack[i * q + j] = (i === j ? lambda * lambda : 0) - S[i * q + j]!
  const L = cholesky(slack, q)
  if (!L) return undefined
  const N = new Float64Array(q * q)
  const unit = new Float64Array(q)
  for (let i = 0; i < q; i++) {
    unit.fill(0)
    unit[i] = 1
    N.set(choleskySolve(L, q, unit), i * q)
  }
  return N
}

/** -log det(lambda^2 I - S), Infinity outside. */
function barrier(S: Vector, lambda: number, q: number): number {
  const slack = new Float64Array(q * q)
  for (let i = 0; i < q; i++)
    for (let j = 0; j <= i; j++) slack[i * q + j] = (i === j ? lambda * lambda : 0) - S[i * q + j]!
  const L = cholesky(slack, q)
  if (!L) return Number.POSITIVE_INFINITY
  let total = 0
  for (let i = 0; i < q; i++) total -= 2 * Math.log(L[i * q + i]!)
  return total
}

/** Newton's method with halving from a strictly feasible alpha to where the decrement is rounding. */
function center(program: KernelProgram, loss: DualLoss, from: Vector, mu: number): Vector {
  const { kernel, lambda } = program
  const q = kernel.outputs * kernel.size
  let alpha = from
  let images = kernel.images(alpha)
  let value = loss.value(alpha, mu) + mu * barrier(gramOf(kernel, alpha, images), lambda, q)
  for (let step = 0; step < 60; step++) {
    const { gradient, hessian } = derivatives(program, loss, alpha, images, mu)
    const direction = solveSymmetric(hessian, alpha.length, gradient)
    const decrement = dot(gradient, direction)
    // Of a self-concordant function over mu: below this its value is as good as the centre's.
    if (!(decrement > 2 * Math.max(1e-10 * mu, 4e-16 * Math.abs(value)))) return alpha
    const toward = kernel.images(direction)
    let length = 1
    for (; length > 1e-14; length /= 2) {
      const trial = plus(alpha, -length, direction)
      const seen = plus(images, -length, toward)
      const there = loss.value(trial, mu) + mu * barrier(gramOf(kernel, trial, seen), lambda, q)
      if (there <= value - 0.1 * length * decrement) {
        alpha = trial
        images = seen
        value = there
        break
      }
    }
    if (length <= 1e-14) return alpha
  }
  return alpha
}

/**
 * With N = (lambda^2 I - S)^{-1}, T_i the images of point i and E_k the columns of output k, the barrier's derivatives are
 * 2 tr(E_k'N T_i) and 2 tr(N_kl K_ji) + 2 tr(N_kl T_j'N T_i) + 2 tr((E_k'N T_j)(E_l'N T_i)).
 */
function derivatives(
  { kernel, lambda }: KernelProgram,
  loss: DualLoss,
  alpha: Vector,
  images: Vector,
  mu: number,
): { gradient: Vector; hessian: Vector } {
  const { count: n, size, outputs: c } = kernel
  const q = c * size
  const width = n * size
  const N = inverseSlack(gramOf(kernel, alpha, images), lambda, q)!
  const NT = product(N, q, images, q, width)
  // T'N T: (n size) x (n size).
  const TNT = rowProducts(transpose(images, q, width), width, transpose(NT, q, width), width, q)
  const gradient = new Float64Array(n * c)
  const blocks = new Float64Array(n * c * loss.group)
  loss.value(alpha, mu, gradient, blocks)
  const fit = fitOfImages(kernel, NT)
  for (let k = 0; k < gradient.length; k++) gradient[k]! += 2 * mu * fit[k]!

  const unknowns = n * c
  const H = new Float64Array(unknowns * unknowns)
  const K = new Float64Array(size * size)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      kernel.block(j, i, K)
      for (let k = 0; k < c; k++)
        for (let l = 0; l < c; l++) {
          let total = 0
          for (let p = 0; p < size; p++)
            for (let r = 0; r < size; r++) {
              const slack = N[(k * size + p) * q + l * size + r]!
              total += slack * (K[r * size + p]! + TNT[(j * size + r) * width + i * size + p]!)
              total += NT[(k * size + p) * width + j * size + r]! * NT[(l * size + r) * width + i * size + p]!
            }
          H[(i * c + k) * unknowns + j * c + l] = 2 * mu * total
          H[(j * c + l) * unknowns + i * c + k] = 2 * mu * total
        }
    }
  const { group } = loss
  for (let k = 0; k < unknowns; k++) {
    const first = k - (k % group)
    for (let l = 0; l < group; l++) H[k * unknowns + first + l]! += blocks[k * group + l]!
  }
  return { gradient, hessian: H }
}
