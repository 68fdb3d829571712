import type { Gates } from '../../gates/gates.ts'
import { patternsWithSlack } from '../../gates/gates-of.ts'
import { type RectifiedCnn, rectifiedCnn } from '../../models/rectified-cnn.ts'
import { blockNorm } from '../../numerics/blocks.ts'
import { matrix } from '../../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../../numerics/options.ts'
import { scaled, squaredNorm } from '../../numerics/vectors.ts'
import { coneRows } from '../../operators/cone-rows.ts'
import { averagePooling, type PoolOptions } from '../../operators/pooling.ts'
import { sharedFeatures } from '../../operators/shared-features.ts'
import { coneGroupL1 } from '../../penalties/cone-group-l1.ts'
import { groupL1 } from '../../penalties/group-l1.ts'
import { activationCones } from '../../sets/activation-cones.ts'
import { nonnegative } from '../../sets/nonnegative.ts'
import type { ConvexProgram, Iterate, Matrix } from '../../types.ts'
import { requireKind } from '../require-parts.ts'
import { type CcnnOptions, type CcnnParts, ccnnOptionNames, ccnnParts, zeroFrom } from './layer.ts'
import { gatedPatches, imagePatches, requirePatchGates } from './patches.ts'

/** What `reluCnnProgram` is made from. */
export interface ReluCnnOptions extends Omit<CcnnOptions, 'kernel' | 'pool'> {
  /** Gates of the patches: `sampleGates(imagePatches({ X, shape, patch }), { count, seed })`. */
  gates: Gates
}

/**
 * The convolutional network with ReLU filters and global average pooling as a convex program, a pair of vectors per gate:
 *
 *     minimise over v, w   F( sum_k Z_k (v_k - w_k) ) + lambda sum_k (|v_k|_2 + |w_k|_2) ,   row i of Z_k : mean over the patches of 1[z'g_k >= 0] z
 *     subject to           (2 D_k - I) Z v_k >= 0 ,  (2 D_k - I) Z w_k >= 0   on all patches Z of all images
 *
 * Equal to training f(x) = sum_j a_j mean_p (z_p'w_j)_+ with weight decay lambda/2 (|W|^2 + |a|^2) over networks with these
 * patterns. Several outputs are one-vs-all. The number of patterns is polynomial in the number of patches for a fixed size
 * of filter. Coefficients are gate-major: gate, sign, output, feature. Ergen and Pilanci, ICLR 2021.
 *
 * @throws RangeError or TypeError naming what does not fit.
 */
export function reluCnnProgram(options: ReluCnnOptions): ConvexProgram<RectifiedCnn> {
  requireOptions(options, optionNames, 'reluCnnProgram')
  const local = ccnnParts(options, 'reluCnnProgram')
  const { rows, columns } = local.grid
  const side = Math.max(rows, columns)
  const pool: PoolOptions = { size: side, stride: side }
  const parts = { ...local, pool, pooling: averagePooling(rows, columns, pool) }
  const { gates, lambda, lambdaRatio = 0.1 } = options
  const patches = imagePatches({ X: parts.images, shape: parts.shape, patch: parts.patch })
  requirePatchGates(gates, patches, 'reluCnnProgram')
  const features = gatedPatches(parts, patches, gates).flatMap((Z) => [
    Z,
    matrix(Z.rows, Z.columns, scaled(Z.data, -1)),
  ])
  const all = { ...parts, patches, gates }
  const unscaled = build(all, features, 0)
  const zero = (): number => zeroFrom(parts.loss, unscaled.operator, unscaled.penalty)
  return build(all, features, lambda ?? lambdaRatio * zero())
}

const { kernel: _, pool: __, ...shared } = ccnnOptionNames
const optionNames: OptionKinds<ReluCnnOptions> = { ...shared, gates: true }

interface Parts extends CcnnParts {
  readonly patches: Matrix
  readonly gates: Gates
}

function build(parts: Parts, features: readonly Matrix[], lambda: number): ConvexProgram<RectifiedCnn> {
  const { loss, ownLoss, outputs, gates, patches, grid, images } = parts
  const cones = activationCones(patches, gates.patterns)
  const perGate = 2 * outputs
  const operator = sharedFeatures(features, outputs)
  return Object.freeze({
    name: 'relu-cnn',
    loss,
    operator,
    penalty: coneGroupL1({ cones, perGate }),
    lambda,
    constraint: {
      operator: coneRows(cones, perGate),
      set: nonnegative(),
      penalty: groupL1({ size: grid.length }),
    },
    scope: gates.exhaustive && outputs === 1 ? 'network' : 'program',
    recover(at: Iterate) {
      return recover(parts, at, loss.intercept?.(at.fit ?? operator.apply(at.coefficients)))
    },
    embed: (model: RectifiedCnn, tolerance?: number) => embed(parts, model, tolerance),
    networkObjective(this: ConvexProgram, { predict, filters, linear }: RectifiedCnn) {
      const decay = squaredNorm(filters.data) + squaredNorm(linear.data)
      return ownLoss.value(predict(images).data) + (this.lambda / 2) * decay
    },
  } satisfies ConvexProgram<RectifiedCnn>)
}

/** v = w a with |w| = a = sqrt|v|, and the second of a pair with a negative: balanced filters, whose weight decay is |v|. */
function recover(parts: Parts, { coefficients: u }: Iterate, intercept?: Float64Array): RectifiedCnn {
  const { shape, patch, pool, outputs, grid } = parts
  const h = grid.length
  const found: { output: number; sign: number; start: number; length: number }[] = []
  for (let start = 0, b = 0; start < u.length; start += h, b++) {
    const length = blockNorm(u, start, h)
    if (length > 0) found.push({ output: b % outputs, sign: Math.floor(b / outputs) % 2 === 0 ? 1 : -1, start, length })
  }
  const filters = matrix(found.length, h)
  const linear = matrix(found.length, outputs)
  found.forEach(({ output, sign, start, length }, j) => {
    const root = Math.sqrt(length)
    for (let f = 0; f < h; f++) filters.data[j * h + f] = u[start + f]! / root
    linear.data[j * outputs + output] = sign * root
  })
  return rectifiedCnn({ shape, patch, pool, filters, linear, intercept: intercept ?? new Float64Array(outputs) })
}

/** Adds |a| w to the block of the filter's pattern on the patches and of the sign of a, per output. */
function embed(parts: Parts, model: RectifiedCnn, tolerance = 1e-9): Iterate {
  const { patches, gates, outputs, grid } = parts
  const h = grid.length
  requireKind(model, 'rectified-cnn', 'relu-cnn')
  if (model.filters.columns !== h || model.linear.columns !== outputs || model.gates)
    throw new RangeError(
      `embed: the network has ${model.gates ? 'gated ' : ''}filters of ${model.filters.columns} and ${model.linear.columns} linear weights each, the program ReLU filters of ${h} and ${outputs}; pass a network of these images.`,
    )
  const coefficients = new Float64Array(gates.count * 2 * outputs * h)
  for (let j = 0; j < model.width; j++) {
    const filter = model.filters.data.subarray(j * h, (j + 1) * h)
    const { on, free } = patternsWithSlack(
      patches,
      { W1: matrix(1, filter.length, filter), b1: new Float64Array(1) },
      tolerance,
    )
    const { words, stride } = gates.patterns
    let gate = 0
    for (; gate < gates.count; gate++) {
      let differs = 0
      for (let k = 0; k < stride && differs === 0; k++)
        differs = (words[gate * stride + k]! ^ on.words[k]!) & ~free.words[k]!
      if (differs === 0) break
    }
    if (gate === gates.count)
      throw new RangeError(
        `embed: filter ${j} has an activation pattern that is not among the ${gates.count} of the program; add it as a gate with gatesFrom().`,
      )
    for (let k = 0; k < outputs; k++) {
      const out = model.linear.data[j * outputs + k]!
      const start = ((gate * 2 + (out < 0 ? 1 : 0)) * outputs + k) * h
      for (let f = 0; f < h; f++) coefficients[start + f]! += Math.abs(out) * filter[f]!
    }
  }
  return { coefficients }
}
