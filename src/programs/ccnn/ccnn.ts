import type { FeatureChoice, FeatureMap } from '../../kernels/features.ts'
import { type ConvexCnn, convexCnn } from '../../models/convex-cnn.ts'
import { layerFeatures } from '../../models/convolution.ts'
import { matrix } from '../../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../../numerics/options.ts'
import { transposeProduct } from '../../numerics/products.ts'
import { svd } from '../../numerics/svd.ts'
import { squaredNorm } from '../../numerics/vectors.ts'
import { sharedFeatures } from '../../operators/shared-features.ts'
import { nuclear } from '../../penalties/nuclear.ts'
import { rankOf } from '../../penalties/spectral.ts'
import { withinNuclearBall } from '../../penalties/within-nuclear-ball.ts'
import type { ConvexProgram, Iterate, LinearOperator, Matrix, Vector } from '../../types.ts'
import { requireKind } from '../require-parts.ts'
import { type CcnnOptions, type CcnnParts, ccnnOptionNames, ccnnParts, featuresOf, zeroFrom } from './layer.ts'

/** What `ccnnProgram` is made from. */
export interface CcnnProgramOptions extends CcnnOptions {
  /**
   * Features whose products are the kernel: exact ones (the default, up to 2000 pooled patches), `nystrom()` or
   * `randomFourier()`, or a map at hand.
   */
  features?: FeatureChoice | FeatureMap
  /** The constrained form: the nuclear norm is at most this, instead of a lambda. */
  radius?: number
}

/**
 * The convexified convolutional network: one layer of filters over patches, average pooling and a linear layer, as one
 * matrix A = sum_j w_j a_j' of filters times what reads them,
 *
 *     minimise over A   F( [tr Z(x_i) A_k]_ik ) + lambda |A|_* ,     or  F subject to |A|_* <= radius ,
 *
 * where row p of Z(x) holds the pooled features of position p. Weight decay lambda/2 (|W|^2 + |a|^2) of any number of
 * filters is exactly lambda |A|_*: the optimum is that of the network. Coefficients are A', (c P') x m: output, position,
 * feature. Zhang, Liang and Wainwright, ICML 2017, who state the constrained form.
 *
 * @throws RangeError or TypeError naming what does not fit.
 */
export function ccnnProgram(options: CcnnProgramOptions): ConvexProgram<ConvexCnn> {
  requireOptions(options, optionNames, 'ccnnProgram')
  const parts = ccnnParts(options, 'ccnnProgram')
  const { features: given, radius, lambda, lambdaRatio = 0.1 } = options
  if (!Number.isFinite(parts.loss.smoothness))
    throw new RangeError(
      `ccnnProgram: the ${parts.loss.name} loss has a corner; pass smoothHinge(), or solve ccnnDual() with it.`,
    )
  if (radius !== undefined && (lambda !== undefined || options.lambdaRatio !== undefined))
    throw new RangeError('ccnnProgram: both a radius and a lambda were given; pass one of them.')
  const features = given && 'map' in given ? given : featuresOf(parts, given)
  if (features.length !== parts.grid.length)
    throw new RangeError(
      `ccnnProgram: the features read patches of ${features.length} numbers and these patches have ${parts.grid.length}; pass features of such patches.`,
    )
  const Z = layerFeatures({ ...parts, features }, parts.images)
  const operator = sharedFeatures([Z], parts.outputs)
  const sizes = { rows: parts.outputs * parts.pooling.count, columns: features.width }
  if (radius !== undefined) return build(parts, features, operator, withinNuclearBall({ ...sizes, radius }), 1)
  const penalty = nuclear(sizes)
  return build(parts, features, operator, penalty, lambda ?? lambdaRatio * zeroFrom(parts.loss, operator, penalty))
}

const optionNames: OptionKinds<CcnnProgramOptions> = { ...ccnnOptionNames, features: true, radius: 'number' }

function build(
  parts: CcnnParts,
  features: FeatureMap,
  operator: LinearOperator,
  penalty: ConvexProgram['penalty'],
  lambda: number,
): ConvexProgram<ConvexCnn> {
  const { loss, ownLoss, outputs, pooling, images } = parts
  const q = outputs * pooling.count
  const m = features.width
  return Object.freeze({
    name: 'ccnn',
    loss,
    operator,
    penalty,
    lambda,
    scope: 'network',
    recover({ coefficients, fit }: Iterate) {
      const { filters, linear } = factored(coefficients, q, m)
      const intercept = loss.intercept?.(fit ?? operator.apply(coefficients)) ?? new Float64Array(outputs)
      const { shape, patch, pool } = parts
      return convexCnn({ shape, patch, pool, features, filters, linear, intercept })
    },
    embed(model: ConvexCnn): Iterate {
      requireKind(model, 'convex-cnn', 'ccnn')
      if (model.filters.rows !== m || model.linear.columns !== q)
        throw new RangeError(
          `embed: the network has filters of ${model.filters.rows} and ${model.linear.columns} linear weights each, the program ${m} and ${q}; pass a network of these images and features.`,
        )
      const { filters, linear, width } = model
      const F = new Float64Array(width * m)
      for (let f = 0; f < m; f++) for (let j = 0; j < width; j++) F[j * m + f] = filters.data[f * width + j]!
      return { coefficients: transposeProduct(linear.data, q, F, m, width) }
    },
    ...(penalty.name === 'nuclear' && {
      networkObjective(this: ConvexProgram, { predict, filters, linear }: ConvexCnn) {
        const decay = squaredNorm(filters.data) + squaredNorm(linear.data)
        return ownLoss.value(predict(images).data) + (this.lambda / 2) * decay
      },
    }),
  } satisfies ConvexProgram<ConvexCnn>)
}

/** A' = sum_j s_j u_j v_j' as filters sqrt(s_j) v_j and linear weights sqrt(s_j) u_j: balanced, as weight decay leaves them. */
export function factored(coefficients: Vector, q: number, m: number): { filters: Matrix; linear: Matrix } {
  const parts = svd(coefficients, q, m)
  const rank = rankOf(parts)
  const filters = matrix(m, rank)
  const linear = matrix(rank, q)
  for (let j = 0; j < rank; j++) {
    const root = Math.sqrt(parts.values[j]!)
    for (let f = 0; f < m; f++) filters.data[f * rank + j] = root * parts.right[j * m + f]!
    for (let k = 0; k < q; k++) linear.data[j * q + k] = root * parts.left[j * q + k]!
  }
  return { filters, linear }
}
