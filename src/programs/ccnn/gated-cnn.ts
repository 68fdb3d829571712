import { type Gates, patternKey, patternsOf } from '../../gates/gates.ts'
import { type RectifiedCnn, rectifiedCnn } from '../../models/rectified-cnn.ts'
import { isZeroBlock } from '../../numerics/blocks.ts'
import { matrix } from '../../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../../numerics/options.ts'
import { squaredNorm } from '../../numerics/vectors.ts'
import { sharedFeatures } from '../../operators/shared-features.ts'
import { nuclear } from '../../penalties/nuclear.ts'
import type { ConvexProgram, Iterate, Matrix } from '../../types.ts'
import { requireKind } from '../require-parts.ts'
import { factored } from './ccnn.ts'
import { type CcnnOptions, type CcnnParts, ccnnOptionNames, ccnnParts, zeroFrom } from './layer.ts'
import { gatedPatches, imagePatches, requirePatchGates } from './patches.ts'

/** What `gatedCnnProgram` is made from. */
export interface GatedCnnOptions extends Omit<CcnnOptions, 'kernel'> {
  /** Gates of the patches: `sampleGates(imagePatches({ X, shape, patch }), { count, seed })`. */
  gates: Gates
}

/**
 * The convolutional network with gated filters, average pooling and a linear layer for all outputs, as a convex program, one
 * matrix per gate:
 *
 *     minimise over Z_k   F( [sum_k tr(P D_k^(i) X_i Z_k^(c))]_ic ) + lambda sum_k |Z_k|_* ,   D_k^(i) = diag(1[X_i g_k >= 0])
 *
 * with X_i the patches of image i, P the pooling. It is `ccnnProgram` with the linear kernel once per gate, and exact for
 * networks with these gates and weight decay lambda/2 (|W|^2 + |a|^2). Coefficients are gate-major: gate, output, position,
 * feature. Sahiner, Ergen, Pauly and Pilanci, ICLR 2021; Sahiner et al., ICLR 2024 (Burer-Monteiro), theorem 3.6.
 *
 * @throws RangeError or TypeError naming what does not fit.
 */
export function gatedCnnProgram(options: GatedCnnOptions): ConvexProgram<RectifiedCnn> {
  requireOptions(options, optionNames, 'gatedCnnProgram')
  const parts = ccnnParts(options, 'gatedCnnProgram')
  const { gates, lambda, lambdaRatio = 0.1 } = options
  const patches = imagePatches({ X: parts.images, shape: parts.shape, patch: parts.patch })
  requirePatchGates(gates, patches, 'gatedCnnProgram')
  const features = gatedPatches(parts, patches, gates)
  const sizes = { rows: parts.outputs * parts.pooling.count, columns: parts.grid.length }
  const zero = (): number => zeroFrom(parts.loss, sharedFeatures(features, parts.outputs), nuclear(sizes))
  return build({ ...parts, patches, gates, features }, lambda ?? lambdaRatio * zero())
}

const { kernel: _, ...shared } = ccnnOptionNames
const optionNames: OptionKinds<GatedCnnOptions> = { ...shared, gates: true }

interface Parts extends CcnnParts {
  readonly patches: Matrix
  readonly gates: Gates
  readonly features: readonly Matrix[]
}

function build(parts: Parts, lambda: number): ConvexProgram<RectifiedCnn> {
  const { loss, ownLoss, outputs, pooling, grid, gates, features, images } = parts
  const q = outputs * pooling.count
  const h = grid.length
  const operator = sharedFeatures(features, outputs)
  return Object.freeze({
    name: 'gated-cnn',
    loss,
    operator,
    penalty: nuclear({ rows: q, columns: h }),
    lambda,
    // Other gates than those given are other programs; all of them are rarely at hand.
    scope: gates.exhaustive ? 'network' : 'program',
    recover(at: Iterate) {
      return recover(parts, at, loss.intercept?.(at.fit ?? operator.apply(at.coefficients)))
    },
    embed: (model: RectifiedCnn) => embed(parts, model),
    networkObjective(this: ConvexProgram, { predict, filters, linear }: RectifiedCnn) {
      const decay = squaredNorm(filters.data) + squaredNorm(linear.data)
      return ownLoss.value(predict(images).data) + (this.lambda / 2) * decay
    },
  } satisfies ConvexProgram<RectifiedCnn>)
}

/** Every gate's matrix by its singular vectors: as many filters as its rank, balanced with their linear weights. */
function recover(parts: Parts, { coefficients }: Iterate, intercept?: Float64Array): RectifiedCnn {
  const { shape, patch, pool, outputs, pooling, grid, gates } = parts
  const q = outputs * pooling.count
  const h = grid.length
  const found: { gate: number; filter: Float64Array; linear: Float64Array }[] = []
  for (let k = 0; k < gates.count; k++) {
    const block = coefficients.subarray(k * q * h, (k + 1) * q * h)
    if (isZeroBlock(block, 0, q * h)) continue
    const { filters, linear } = factored(block, q, h)
    for (let j = 0; j < filters.columns; j++)
      found.push({
        gate: k,
        filter: Float64Array.from({ length: h }, (_, f) => filters.data[f * filters.columns + j]!),
        linear: linear.data.subarray(j * q, (j + 1) * q),
      })
  }
  const weights = { filters: matrix(found.length, h), gates: matrix(found.length, h), linear: matrix(found.length, q) }
  found.forEach(({ gate, filter, linear }, j) => {
    weights.filters.data.set(filter, j * h)
    weights.gates.data.set(gates.vectors.data.subarray(gate * h, (gate + 1) * h), j * h)
    weights.linear.data.set(linear, j * q)
  })
  return rectifiedCnn({ shape, patch, pool, ...weights, intercept: intercept ?? new Float64Array(outputs) })
}

/** Adds up, per gate with the filter's pattern on the patches, its filter times its linear weights. */
function embed({ patches, gates, outputs, pooling, grid }: Parts, model: RectifiedCnn): Iterate {
  const q = outputs * pooling.count
  const h = grid.length
  requireKind(model, 'rectified-cnn', 'gated-cnn')
  if (model.filters.columns !== h || model.linear.columns !== q)
    throw new RangeError(
      `embed: the network has filters of ${model.filters.columns} and ${model.linear.columns} linear weights each, the program ${h} and ${q}; pass a network of these images.`,
    )
  const place = new Map<string, number>()
  for (let k = gates.count - 1; k >= 0; k--) place.set(patternKey(gates.patterns, k), k)
  const used = patternsOf(model.gates ?? model.filters, patches)
  const coefficients = new Float64Array(gates.count * q * h)
  for (let j = 0; j < model.width; j++) {
    const gate = place.get(patternKey(used, j))
    if (gate === undefined)
      throw new RangeError(
        `embed: filter ${j} has an activation pattern that is not among the ${gates.count} of the program; add its gate with gatesFrom().`,
      )
    for (let k = 0; k < q; k++)
      for (let f = 0; f < h; f++)
        coefficients[(gate * q + k) * h + f]! += model.linear.data[j * q + k]! * model.filters.data[j * h + f]!
  }
  return { coefficients }
}
