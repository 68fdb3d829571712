import { exactFeatures, type FeatureChoice } from '../../kernels/features.ts'
import { type PatchKernel, rbf } from '../../kernels/kernels.ts'
import { patchSource } from '../../kernels/patch-source.ts'
import { squared } from '../../losses/squared.ts'
import { given } from '../../numerics/given.ts'
import { asMatrix, type MatrixLike } from '../../numerics/interchange.ts'
import { requireFinite } from '../../numerics/matrix.ts'
import type { OptionKinds } from '../../numerics/options.ts'
import { type ImageShape, type PatchGrid, type PatchOptions, patchGrid } from '../../operators/patches.ts'
import { averagePooling, type Pooling, type PoolOptions } from '../../operators/pooling.ts'
import type { LinearOperator, Loss, LossChoice, Matrix, Penalty } from '../../types.ts'
import { requireBias, requireLoss } from '../require-parts.ts'

/** What every convexified convolutional network is made from. */
export interface CcnnOptions {
  /** n images, one a row of height x width x channels numbers. */
  X: MatrixLike
  /** n x c targets, or n numbers. */
  y: MatrixLike
  shape: ImageShape
  patch: PatchOptions
  /** Average pooling of the patches' features (default none). */
  pool?: PoolOptions
  /** Default `rbf({ gamma: 1 })`, for patches with `normalize: 'l2'`. */
  kernel?: PatchKernel
  /** Default `squared()`. */
  loss?: LossChoice
  /** `'unpenalised'`: one free intercept per output. Default false. */
  bias?: false | 'unpenalised'
  /** Weight of the nuclear norm. */
  lambda?: number
  /** The weight as a share of the smallest one with the zero network as its solution (default 0.1). */
  lambdaRatio?: number
}

/** Every name of `CcnnOptions`. */
export const ccnnOptionNames: OptionKinds<CcnnOptions> = {
  X: true,
  y: true,
  shape: true,
  patch: true,
  pool: true,
  kernel: true,
  loss: true,
  bias: true,
  lambda: 'number',
  lambdaRatio: 'number',
}

/** The checked images and targets, the positions, and the loss. */
export interface CcnnParts {
  readonly images: Matrix
  readonly shape: ImageShape
  readonly patch: PatchOptions
  readonly pool: PoolOptions | undefined
  readonly grid: PatchGrid
  readonly pooling: Pooling
  readonly kernel: PatchKernel
  readonly loss: Loss
  /** The loss of a network's own predictions, intercept and all. */
  readonly ownLoss: Loss
  readonly outputs: number
}

/** @throws RangeError or TypeError naming what does not fit: sizes, NaN or Infinity by row and column, lambda. */
export function ccnnParts(options: CcnnOptions, caller: string): CcnnParts {
  const images = asMatrix(options.X, caller, 'X')
  const targets = asMatrix(options.y, caller, 'y')
  const { shape, patch, kernel = rbf(), loss = squared(), bias = false } = options
  requireLoss(loss, caller)
  requireBias(bias, [false, 'unpenalised'], caller)
  const grid = patchGrid(shape, patch)
  const pixels = shape.height * shape.width * shape.channels
  if (images.rows === 0 || targets.columns === 0)
    throw new RangeError(`${caller}: X has ${images.rows} rows and y ${targets.columns} columns; pass the data.`)
  if (images.columns !== pixels)
    throw new RangeError(
      `${caller}: X has ${images.columns} columns and the shape ${shape.height} x ${shape.width} x ${shape.channels} has ${pixels} numbers; pass one image per row.`,
    )
  if (targets.rows !== images.rows)
    throw new RangeError(`${caller}: y has ${targets.rows} rows and X has ${images.rows}; pass one target per image.`)
  requireFinite(images, caller, 'X')
  requireFinite(targets, caller, 'y')
  requireWeights(options, caller)
  return {
    images,
    shape,
    patch,
    pool: options.pool,
    grid,
    pooling: averagePooling(grid.rows, grid.columns, options.pool),
    kernel,
    loss: loss.over(targets, { intercept: bias === 'unpenalised' }),
    ownLoss: loss.over(targets),
    outputs: targets.columns,
  }
}

function requireWeights({ lambda, lambdaRatio }: CcnnOptions, caller: string): void {
  for (const [name, value] of [
    ['lambda', lambda],
    ['lambdaRatio', lambdaRatio],
  ] as const)
    if (value !== undefined && (!(value >= 0) || !Number.isFinite(value)))
      throw new RangeError(
        `${caller}: ${name} is ${given(value)}, expected a number of at least 0; pass for example 0.1.`,
      )
  if (lambda !== undefined && lambdaRatio !== undefined)
    throw new RangeError(`${caller}: both lambda and lambdaRatio were given; pass one of them.`)
}

/** The smallest lambda with the zero network as its solution. */
export function zeroFrom(loss: Loss, operator: LinearOperator, penalty: Penalty): number {
  return penalty.polar(operator.adjoint(loss.gradient(new Float64Array(loss.size))))
}

/** @throws RangeError when exact features would take a factorisation of more than 2000 pooled patches. */
export function featuresOf(
  parts: CcnnParts,
  choice: FeatureChoice = exactFeatures(),
): ReturnType<FeatureChoice['fit']> {
  if (choice.name === 'exact' && parts.kernel.name !== 'linear') {
    const size = parts.images.rows * parts.pooling.count
    if (size > LARGEST_EXACT)
      throw new RangeError(
        `ccnnProgram: exact features of ${size} pooled patches take a factorisation of that size, at most ${LARGEST_EXACT} is done; pass features: nystrom({ count: 200 }).`,
      )
  }
  return choice.fit(patchSource(parts), parts.kernel)
}

const LARGEST_EXACT = 2000
