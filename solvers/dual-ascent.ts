import { fitOfImages, gramOf, kernelSpectrum } from '../src/numerics/kernel-spectrum.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { product } from '../src/numerics/products.ts'
import { symmetricEigen } from '../src/numerics/symmetric-eigen.ts'
import { norm, plus, scaled, squaredDistance } from '../src/numerics/vectors.ts'
import type { KernelMap, KernelSolver, Vector } from '../src/types.ts'

/** Settings of `dualAscent`. */
export interface DualAscentOptions {
  /** Weight of the proximal term in the first round, relative to |M|^2 and the loss's curvature (default 1e-2). */
  start?: number
  /** The weight is divided by 10 a round, down to this (default 1e-4). */
  least?: number
}

/**
 * The augmented Lagrangian of the dual, which is the proximal point method on A; kernel only, any loss whose dual has an
 * interior, with corners or without. Each round minimises over alpha
 *
 *     F*(-alpha) + 1/(2 rho) sum_j (s_j(X) - lambda)_+^2 ,    X = M(alpha) + rho A ,
 *
 * by accelerated proximal gradient with restart, one kernel pass a step, and then A <- X shortened by lambda, over rho: of A
 * only A'Z_i', A'A and its filters are kept. One iterate a round, with a primal point and a bound.
 *
 * The first round alone is the dual of the elastic net lambda |A|_* + rho/2 |A|^2. Rockafellar 1976, Math. Oper. Res. 1(2).
 */
export function dualAscent(options: DualAscentOptions = {}): KernelSolver {
  requireOptions(options, { start: 'number', least: 'number' }, 'dualAscent')
  const { start = 1e-2, least = 1e-4 } = options
  if (!(start >= least && least > 0))
    throw new RangeError(`dualAscent: start is ${start} and least ${least}, expected start >= least > 0.`)
  return {
    name: 'dual-ascent',
    supports: ({ name, loss }) =>
      loss.dual !== undefined ||
      `dual-ascent needs a dual with an interior and the ${loss.name} loss of ${name} has none; use columnGeneration().`,
    *iterate({ kernel, loss, lambda }) {
      const dual = loss.dual!
      const q = kernel.outputs * kernel.size
      const rows = kernel.count * kernel.size
      const stretch = squaredNormOf(kernel)
      const curvature = Number.isFinite(loss.smoothness) ? loss.smoothness : 1 / kernel.count
      // seen: A'[Z_1' .. Z_n'] (q x rows) · square: A'A · filters: A = Z' filters (rows x q) · alpha, images: the dual point
      let seen: Vector = new Float64Array(q * rows)
      let square: Vector = new Float64Array(q * q)
      let filters: Vector = new Float64Array(rows * q)
      let alpha: Vector = loss.gradient(new Float64Array(loss.size)).map((value) => -value)
      let images = kernel.images(alpha)

      for (let round = 0; ; round++) {
        const rho = Math.max(least, start * 10 ** -round) * stretch * curvature
        const step = rho / stretch

        /** J and the singular values of X at a dual point with its images. */
        const shortened = (at: Vector, itsImages: Vector): { J: Vector; values: Vector; gram: Vector } => {
          const gram = gramOf(kernel, at, itsImages)
          const cross = gramOf(kernel, at, seen)
          for (let a = 0; a < q; a++)
            for (let b = 0; b < q; b++)
              gram[a * q + b]! += rho * (cross[a * q + b]! + cross[b * q + a]!) + rho * rho * square[a * q + b]!
          const { values, vectors } = symmetricEigen(gram, q)
          const sizes = values.map((value) => Math.sqrt(Math.max(0, value)))
          const J = new Float64Array(q * q)
          for (let e = 0; e < q && sizes[e]! > lambda; e++)
            for (let a = 0; a < q; a++)
              for (let b = 0; b < q; b++)
                J[a * q + b]! += (1 - lambda / sizes[e]!) * vectors[e * q + a]! * vectors[e * q + b]!
          return { J, values: sizes, gram }
        }
        /** The fit of the A that a dual point asks for: the gradient of the smooth part. */
        const fitAt = (
          at: Vector,
          itsImages: Vector,
        ): { fit: Vector; images: Vector } & ReturnType<typeof shortened> => {
          const parts = shortened(at, itsImages)
          const moved = product(parts.J, q, plus(itsImages, rho, seen), q, rows)
          scaled(moved, 1 / rho, moved)
          return { ...parts, images: moved, fit: fitOfImages(kernel, moved) }
        }

        // y: extrapolated point with its images · t: momentum
        let y: Vector = alpha
        let yImages: Vector = images
        let t = 1
        const enough = ROUGH * 0.1 ** round
        for (let inner = 0; inner < MOST; inner++) {
          const { fit } = fitAt(y, yImages)
          const next = dual.prox(plus(y, -step, fit), step)
          const nextImages = kernel.images(next)
          const moved = Math.sqrt(squaredDistance(next, y))
          let against = 0
          for (let k = 0; k < next.length; k++) against += (y[k]! - next[k]!) * (next[k]! - alpha[k]!)
          const ahead = against > 0 ? 1 : (1 + Math.sqrt(1 + 4 * t * t)) / 2
          const momentum = against > 0 ? 0 : (t - 1) / ahead
          t = ahead
          y = next.map((value, k) => value + momentum * (value - alpha[k]!))
          yImages = nextImages.map((value, k) => value + momentum * (value - images[k]!))
          alpha = next
          images = nextImages
          if (moved <= Math.max(enough, 1e-13) * norm(next)) break
        }
        const { J, values, gram, fit, images: newSeen } = fitAt(alpha, images)
        // A <- X J / rho, and what is kept of it.
        const next = new Float64Array(rows * q)
        for (let i = 0; i < kernel.count; i++)
          for (let l = 0; l < kernel.outputs; l++)
            for (let p = 0; p < kernel.size; p++)
              next[(i * kernel.size + p) * q + l * kernel.size + p] = alpha[i * kernel.outputs + l]!
        plus(next, rho, filters, next)
        filters = scaled(product(next, rows, J, q, q), 1 / rho)
        square = scaled(product(product(J, q, gram, q, q), q, J, q, q), 1 / (rho * rho))
        seen = newSeen
        const size = values.reduce((total, value) => total + Math.max(0, value - lambda), 0) / rho
        yield {
          dual: alpha,
          dualNorm: kernelSpectrum(kernel, alpha, images).values[0]!,
          fit,
          norm: size,
          filters: { filters: matrix(rows, q, filters), linear: identity(q) },
        }
      }
    },
  }
}

/** Steps of one round at most, and how far its last may move alpha in the first round; a tenth of it in the next. */
const MOST = 2000
const ROUGH = 1e-4

function identity(size: number): ReturnType<typeof matrix> {
  const I = matrix(size, size)
  for (let k = 0; k < size; k++) I.data[k * size + k] = 1
  return I
}

/** |M|^2 by power iterations on M*M, a hair above what they find. */
function squaredNormOf(kernel: KernelMap): number {
  let v: Vector = Float64Array.from({ length: kernel.count * kernel.outputs }, (_, k) => 1 + (k % 7) / 10)
  let value = 0
  for (let k = 0; k < 60; k++) {
    v = scaled(v, 1 / norm(v))
    v = fitOfImages(kernel, kernel.images(v))
    const next = norm(v)
    if (!(next > 0) || Math.abs(next - value) <= 1e-4 * next) return 1.01 * next || 1
    value = next
  }
  return 1.05 * value
}
