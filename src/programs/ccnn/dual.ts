import { kernelFeatures } from '../../kernels/features.ts'
import { patchSource } from '../../kernels/patch-source.ts'
import { type ConvexCnn, convexCnn } from '../../models/convex-cnn.ts'
import { filterFit } from '../../numerics/filter-fit.ts'
import { kernelSpectrum } from '../../numerics/kernel-spectrum.ts'
import { matrix } from '../../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../../numerics/options.ts'
import { product, transposeProduct } from '../../numerics/products.ts'
import { symmetricEigen } from '../../numerics/symmetric-eigen.ts'
import { denseOperator } from '../../operators/dense.ts'
import { pooledKernel } from '../../operators/pooled-kernel.ts'
import { sharedFeatures } from '../../operators/shared-features.ts'
import { nuclear } from '../../penalties/nuclear.ts'
import { psdTrace } from '../../penalties/psd-trace.ts'
import type { ConvexProgram, FilterPoint, Iterate, KernelMap, KernelProgram, Matrix } from '../../types.ts'
import { factored } from './ccnn.ts'
import { type CcnnOptions, type CcnnParts, ccnnOptionNames, ccnnParts } from './layer.ts'

/** What `ccnnDual` is made from. */
export interface CcnnDualOptions extends CcnnOptions {
  /** Bytes that the matrix of pooled kernels may take (default 256 MiB); above, every pass computes it again. */
  memory?: number
}

/**
 * The convexified convolutional network by its kernel alone, for `solveKernel`:
 *
 *     maximise over alpha (n x c)   -F*(-alpha)   subject to   |M(alpha)| <= lambda ,   M(alpha) = [sum_i alpha_ik Z(x_i)']_k ,
 *
 * the dual of `ccnnProgram` with exact features. It has n c unknowns, no features to choose and no factor of the kernel;
 * `recoverWeights` finds filters and linear weights from alpha and the kernel. The dual, its optimality conditions and the
 * recovery were derived here from the primal program, for the problem that Bai, Ke and Honorio state (TMLR 2024).
 *
 * @throws RangeError or TypeError naming what does not fit.
 */
export function ccnnDual(options: CcnnDualOptions): KernelProgram<ConvexCnn> {
  requireOptions(options, optionNames, 'ccnnDual')
  const parts = ccnnParts(options, 'ccnnDual')
  const { images, grid, pooling, kernel, outputs, loss } = parts
  const { memory, lambda, lambdaRatio = 0.1 } = options
  const map = pooledKernel({ images, grid, pooling, kernel, outputs, ...(memory !== undefined && { memory }) })
  const zeroFrom = (): number => kernelSpectrum(map, loss.gradient(new Float64Array(loss.size))).values[0]!
  return build(parts, map, lambda ?? lambdaRatio * zeroFrom())
}

const optionNames: OptionKinds<CcnnDualOptions> = { ...ccnnOptionNames, memory: 'number' }

function build(parts: CcnnParts, kernel: KernelMap, lambda: number): KernelProgram<ConvexCnn> {
  const { loss, outputs, images, pooling } = parts
  const q = outputs * pooling.count
  const network = (at: FilterPoint): ConvexCnn => networkOf(parts, kernel, at)
  return Object.freeze({
    name: 'ccnn-dual',
    loss,
    kernel,
    lambda,
    scope: 'network',
    onFilters(this: KernelProgram, H: Matrix): ConvexProgram {
      const r = H.columns / pooling.count
      return small(this, sharedFeatures([H], outputs), nuclear({ rows: q, columns: r }))
    },
    onCore(this: KernelProgram, G: Matrix): ConvexProgram {
      if (G.rows !== images.rows * outputs)
        throw new RangeError(`onCore: G has ${G.rows} rows, expected ${images.rows * outputs}, one per target.`)
      return small(this, denseOperator(G), psdTrace({ size: Math.round(Math.sqrt(G.columns)) }))
    },
    recover: network,
  } satisfies KernelProgram<ConvexCnn>)
}

/** A program of the same loss and lambda on another operator; its points stand for nothing but themselves. */
function small(
  { loss, lambda }: KernelProgram,
  operator: ConvexProgram['operator'],
  penalty: ConvexProgram['penalty'],
): ConvexProgram {
  return {
    name: 'ccnn-dual',
    loss,
    operator,
    penalty,
    lambda,
    scope: 'program',
    recover: (at: Iterate) => at,
    embed: (model: unknown) => model as Iterate,
  }
}

/** Filters on the training patches, cut down to the rank and balanced with the linear weights. */
function networkOf(parts: CcnnParts, map: KernelMap, { filters, linear }: FilterPoint): ConvexCnn {
  const { loss, outputs, kernel, shape, patch, pool, grid } = parts
  const r = filters.columns
  const rows = filters.rows
  // A = W L with W'W = Gram: an orthonormal basis of the filters first, then the singular vectors in it.
  const H = map.products(filters.data, r)
  const { values, vectors } = symmetricEigen(transposeProduct(filters.data, r, H, r, rows), r)
  let kept = 0
  while (kept < r && values[kept]! > 1e-14 * values[0]!) kept++
  const toBasis = new Float64Array(r * kept)
  const root = new Float64Array(kept * r)
  for (let e = 0; e < kept; e++)
    for (let j = 0; j < r; j++) {
      toBasis[j * kept + e] = vectors[e * r + j]! / Math.sqrt(values[e]!)
      root[e * r + j] = vectors[e * r + j]! * Math.sqrt(values[e]!)
    }
  const inBasis = product(root, kept, linear.data, r, linear.columns)
  const turned = new Float64Array(linear.columns * kept)
  for (let e = 0; e < kept; e++)
    for (let k = 0; k < linear.columns; k++) turned[k * kept + e] = inBasis[e * linear.columns + k]!
  const balanced = factored(turned, linear.columns, kept)
  const width = balanced.filters.columns
  const toFilters = product(toBasis, r, balanced.filters.data, kept, width)
  const coefficients = product(filters.data, rows, toFilters, r, width)
  const source = patchSource(parts)
  const landmarks = source.all()
  const intercept = loss.intercept?.(filterFit(map, H, linear)) ?? new Float64Array(outputs)
  return convexCnn({
    shape,
    patch,
    pool,
    features: kernelFeatures(kernel, landmarks, grid.length),
    filters: matrix(source.count, width, source.spread(coefficients, width)),
    linear: balanced.linear,
    intercept,
  })
}
