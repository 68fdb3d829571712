import { squared } from '../../losses/squared.ts'
import { type CircularCnn, circularCnn } from '../../models/circular-cnn.ts'
import { asMatrix, type MatrixLike } from '../../numerics/interchange.ts'
import { matrix, requireFinite } from '../../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../../numerics/options.ts'
import { squaredNorm } from '../../numerics/vectors.ts'
import { denseOperator } from '../../operators/dense.ts'
import { groupL1 } from '../../penalties/group-l1.ts'
import type { ConvexProgram, Iterate, LossChoice, Matrix, Vector } from '../../types.ts'
import { requireBias, requireKind, requireLambda, requireLoss } from '../require-parts.ts'

/** What `circularCnnProgram` is made from. */
export interface CircularCnnOptions {
  /** n x d. */
  X: MatrixLike
  /** n targets. */
  y: MatrixLike
  lambda: number
  /** Default `squared()`. */
  loss?: LossChoice
  /** `'unpenalised'`: a free intercept. Default false. */
  bias?: false | 'unpenalised'
}

/**
 * The two-layer linear network of circular convolutions with full-size filters, which is l1 in the Fourier domain:
 *
 *     minimise over z   F(X z) + lambda / sqrt(d) |F z|_1 ,   F the unitary Fourier transform,
 *
 * equal to min F(sum_j X circ(u_j) w_j) + lambda/2 sum_j (|u_j|^2 + |w_j|^2); one filter is enough. Coefficients are a pair
 * (cosine, sine) per frequency 0 .. d/2, scaled so that each pair's length is what its frequencies cost, the sine of a
 * frequency that is its own mirror left at zero. Ergen and Pilanci, ICLR 2021.
 *
 * @throws RangeError or TypeError naming what does not fit.
 */
export function circularCnnProgram(options: CircularCnnOptions): ConvexProgram<CircularCnn> {
  requireOptions(options, optionNames, 'circularCnnProgram')
  const X = asMatrix(options.X, 'circularCnnProgram', 'X')
  const y = asMatrix(options.y, 'circularCnnProgram', 'y')
  const { lambda, loss: choice = squared(), bias = false } = options
  if (X.rows === 0 || X.columns === 0 || y.rows !== X.rows || y.columns !== 1)
    throw new RangeError(
      `circularCnnProgram: X is ${X.rows} x ${X.columns} and y ${y.rows} x ${y.columns}; pass rows and one target for each.`,
    )
  requireFinite(X, 'circularCnnProgram', 'X')
  requireFinite(y, 'circularCnnProgram', 'y')
  requireLambda(lambda, 'circularCnnProgram')
  requireLoss(choice, 'circularCnnProgram')
  requireBias(bias, [false, 'unpenalised'], 'circularCnnProgram')
  const d = X.columns
  const waves = wavesOf(d)
  const features = matrix(X.rows, waves.rows)
  for (let i = 0; i < X.rows; i++)
    for (let k = 0; k < waves.rows; k++)
      for (let t = 0; t < d; t++) features.data[i * waves.rows + k]! += X.data[i * d + t]! * waves.data[k * d + t]!
  const loss = choice.over(y, { intercept: bias === 'unpenalised' })
  const ownLoss = choice.over(y)
  const operator = denseOperator(features)
  return Object.freeze({
    name: 'circular-cnn',
    loss,
    operator,
    penalty: groupL1({ size: 2 }),
    lambda,
    scope: 'network',
    recover({ coefficients, fit }: Iterate) {
      const intercept = loss.intercept?.(fit ?? operator.apply(coefficients))[0] ?? 0
      return circularCnn({ ...balanced(synthesis(waves, coefficients)), intercept })
    },
    embed(model: CircularCnn) {
      requireKind(model, 'circular-cnn', 'circular-cnn')
      return { coefficients: analysis(waves, convolved(model.filter, model.linear)) }
    },
    networkObjective(this: ConvexProgram, { predict, filter, linear }: CircularCnn) {
      const decay = squaredNorm(filter) + squaredNorm(linear)
      return ownLoss.value(predict(X).data) + (this.lambda / 2) * decay
    },
  } satisfies ConvexProgram<CircularCnn>)
}

const optionNames: OptionKinds<CircularCnnOptions> = { X: true, y: true, lambda: 'number', loss: true, bias: true }

/**
 * Rows 2k and 2k + 1: the cosine and sine of frequency k, divided by their share of |F z|_1 / sqrt(d). A coefficient pair of
 * length 1 is then a z with a penalty of 1.
 */
function wavesOf(d: number): Matrix {
  const count = Math.floor(d / 2) + 1
  const waves = matrix(2 * count, d)
  for (let k = 0; k < count; k++) {
    const own = k === 0 || 2 * k === d
    for (let t = 0; t < d; t++) {
      const angle = (2 * Math.PI * k * t) / d
      // z = c cos has |F z|_1 = sqrt(d) |c| in all, whether at one frequency or at two with half of it each.
      waves.data[2 * k * d + t] = Math.cos(angle)
      waves.data[(2 * k + 1) * d + t] = own ? 0 : Math.sin(angle)
    }
  }
  return waves
}

/** z from its coefficients. */
function synthesis(waves: Matrix, coefficients: Vector): Vector {
  const z = new Float64Array(waves.columns)
  for (let k = 0; k < waves.rows; k++)
    for (let t = 0; t < z.length; t++) z[t]! += coefficients[k]! * waves.data[k * waves.columns + t]!
  return z
}

/** And back: waves of different frequencies are orthogonal. */
function analysis(waves: Matrix, z: Vector): Vector {
  return Float64Array.from({ length: waves.rows }, (_, k) => {
    const wave = waves.data.subarray(k * z.length, (k + 1) * z.length)
    const square = squaredNorm(wave)
    return square > 0 ? wave.reduce((total, value, t) => total + value * z[t]!, 0) / square : 0
  })
}

/** circ(u) w */
function convolved(u: Vector, w: Vector): Vector {
  const d = u.length
  return Float64Array.from({ length: d }, (_, t) => {
    let total = 0
    for (let s = 0; s < d; s++) total += u[(t - s + d) % d]! * w[s]!
    return total
  })
}

/** u and w with circ(u) w = z and |u_k| = |w_k| at every frequency: w has the phases, u none. */
function balanced(z: Vector): { filter: Vector; linear: Vector } {
  const d = z.length
  const filter = new Float64Array(d)
  const linear = new Float64Array(d)
  for (let k = 0; k < d; k++) {
    let real = 0
    let imaginary = 0
    for (let t = 0; t < d; t++) {
      real += z[t]! * Math.cos((2 * Math.PI * k * t) / d)
      imaginary -= z[t]! * Math.sin((2 * Math.PI * k * t) / d)
    }
    const size = Math.hypot(real, imaginary)
    if (!(size > 0)) continue
    const root = Math.sqrt(size)
    for (let t = 0; t < d; t++) {
      const angle = (2 * Math.PI * k * t) / d
      filter[t]! += (root * Math.cos(angle)) / d
      linear[t]! += (real * Math.cos(angle) - imaginary * Math.sin(angle)) / root / d
    }
  }
  return { filter, linear }
}
