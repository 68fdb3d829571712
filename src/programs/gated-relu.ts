import { patternKey, patternsOf } from '../gates/gates.ts'
import { type GatedReluNetwork, gatedReluNetwork } from '../models/gated-relu-network.ts'
import { countSet } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import { isCompact, type Rows } from '../numerics/compact-matrix.ts'
import { given } from '../numerics/given.ts'
import { matrix } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { compactGatedOperator } from '../operators/compact-gated.ts'
import { gatedOperator } from '../operators/gated.ts'
import { groupL1 } from '../penalties/group-l1.ts'
import type { CompactMatrix, ConvexProgram, Iterate, LinearOperator, Matrix, Penalty, PenaltyChoice } from '../types.ts'
import { requireKind, requirePenalty } from './require-parts.ts'
import {
  compactParts,
  networkObjective,
  requireFit,
  scopeOf,
  selectParts,
  type TwoLayerOptions,
  type TwoLayerParts,
  twoLayerOptionNames,
  twoLayerParts,
} from './two-layer.ts'

/** What `gatedReluProgram` is made from. */
export interface GatedReluOptions extends Omit<TwoLayerOptions, 'X'> {
  /** n x d, one row per sample; a compact matrix is solved in float32 and certified in float64. */
  X: TwoLayerOptions['X'] | CompactMatrix
  /** What iterations compute in (default: float64, and float32 for a compact matrix). Certificates are float64 always. */
  precision?: 'float32' | 'float64'
  /** Default `groupL1()`: one group per gate and output. */
  penalty?: PenaltyChoice | Penalty
}

/**
 * The two-layer gated ReLU network as a convex program, one vector per gate i and output k:
 *
 *     minimise over U   F( sum_i D_i X U_i ) + lambda sum_{i,k} |U_i[:, k]|_2 ,    D_i = diag(1[X g_i >= 0])
 *
 * Exact for gated networks with these gates and weight decay lambda/2 (|W1|^2 + |W2|^2). Coefficients are gate-major:
 * gate, output, feature (the bias last). Mishkin, Sahiner and Pilanci, ICML 2022.
 *
 * @throws RangeError or TypeError naming what does not fit: sizes, NaN or Infinity by row and column, lambda.
 */
export function gatedReluProgram(options: GatedReluOptions): ConvexProgram<GatedReluNetwork> {
  requireOptions(options, optionNames, 'gatedReluProgram')
  const { X, penalty = groupL1(), precision = isCompact(X) ? 'float32' : 'float64' } = options
  if (precision !== 'float32' && (precision !== 'float64' || isCompact(X)))
    throw new RangeError(
      `gatedReluProgram: precision is ${given(precision)}${isCompact(X) ? ' and X a compact matrix' : ''}, expected ${isCompact(X) ? 'float32' : 'float32 or float64'}; leave it out${isCompact(X) ? ', or pass X in full' : ''}.`,
    )
  const shared: TwoLayerParts<Rows> = isCompact(X)
    ? compactParts(X, options, 'gatedReluProgram')
    : twoLayerParts({ ...options, X }, 'gatedReluProgram')
  requirePenalty(penalty, 'gatedReluProgram')
  const shape = { features: shared.inputs.columns, gates: shared.gates.count, outputs: shared.outputs }
  const placed = 'over' in penalty ? penalty.over(shape) : penalty
  const columns = shape.gates * shape.outputs * shape.features
  if (placed.blocks && columns % placed.blocks.size !== 0)
    throw new RangeError(
      `gatedReluProgram: ${placed.name} has blocks of ${placed.blocks.size} and the program ${columns} coefficients; pass a size that divides them, or groupL1() without one.`,
    )
  return build({ ...shared, penalty: placed, single: precision === 'float32' })
}

const optionNames: OptionKinds<GatedReluOptions> = { ...twoLayerOptionNames, precision: true, penalty: true }

/** What the program and its restrictions share. */
interface Parts extends TwoLayerParts<Rows> {
  readonly penalty: Penalty
  /** Whether products are of float32. */
  readonly single: boolean
}

function build(parts: Parts, operator: LinearOperator = operatorOf(parts)): ConvexProgram<GatedReluNetwork> {
  const { inputs, loss, penalty, lambda, outputs } = parts
  const program: ConvexProgram<GatedReluNetwork> = {
    name: 'gated-relu',
    loss,
    operator,
    penalty,
    lambda,
    scope: scopeOf(parts),
    blocks: { size: inputs.columns * outputs, reach: parts.reach },
    restrict(blocks) {
      // `this` may be a point of a path with another lambda.
      return build(selectParts(parts, this.lambda, blocks), operator.select?.(blocks))
    },
    recover: (at) => recover(parts, program, at),
    embed: (model) => embed(parts, model),
    // Weight decay is the sum of the neurons' norms, and of no other penalty.
    ...(penalty.name === 'group-l1' &&
      penalty.blocks?.size === inputs.columns && {
        networkObjective(this: ConvexProgram, model: GatedReluNetwork) {
          return networkObjective(parts, this.lambda, model)
        },
      }),
  }
  return Object.freeze(program)
}

function operatorOf({ inputs, gates, outputs, single }: Parts): LinearOperator {
  if (single || isCompact(inputs)) return compactGatedOperator(inputs, gates.patterns, outputs)
  return gatedOperator(inputs, gates.patterns, outputs)
}

/** u = w1 w2 with |w1| = |w2| = sqrt|u|: the balanced neuron, whose weight decay is |u|. */
function recover(parts: Parts, program: ConvexProgram, at: Iterate): GatedReluNetwork {
  const { X, inputs, gates, bias, outputs } = parts
  const size = inputs.columns
  const u = at.coefficients
  const neurons: { gate: number; output: number; start: number; length: number }[] = []
  for (let start = 0, b = 0; start < u.length; start += size, b++) {
    const length = blockNorm(u, start, size)
    if (length > 0) neurons.push({ gate: Math.floor(b / outputs), output: b % outputs, start, length })
  }
  const width = neurons.length
  const weights = {
    gates: matrix(width, X.columns),
    gateBias: new Float64Array(width),
    W1: matrix(width, X.columns),
    b1: new Float64Array(width),
    W2: matrix(width, outputs),
    intercept: new Float64Array(outputs),
  }
  neurons.forEach(({ gate, output, start, length }, j) => {
    const root = Math.sqrt(length)
    for (let f = 0; f < X.columns; f++) {
      weights.gates.data[j * X.columns + f] = gates.vectors.data[gate * gates.vectors.columns + f]!
      weights.W1.data[j * X.columns + f] = u[start + f]! / root
    }
    if (gates.bias) weights.gateBias[j] = gates.vectors.data[gate * gates.vectors.columns + X.columns]!
    if (bias) weights.b1[j] = u[start + X.columns]! / root
    weights.W2.data[j * outputs + output] = root
  })
  if (program.loss.intercept) weights.intercept.set(program.loss.intercept(at.fit ?? program.operator.apply(u)))
  return gatedReluNetwork(weights)
}

/** Adds up, per gate with the neuron's pattern on X and per output, the neuron's w1 w2. */
function embed(parts: Parts, model: GatedReluNetwork): Iterate {
  const { X, inputs, gates, bias, outputs } = parts
  requireKind(model, 'gated-relu-network', 'gated-relu')
  requireFit(parts, model)
  const place = new Map<string, number>()
  for (let i = gates.count - 1; i >= 0; i--) place.set(patternKey(gates.patterns, i), i)
  const size = inputs.columns
  const coefficients = new Float64Array(gates.count * outputs * size)
  const used = patternsOf(withOffsets(model), X)
  for (let j = 0; j < model.width; j++) {
    const gate = place.get(patternKey(used, j))
    // A neuron that is off on every row adds nothing to the fit.
    if (gate === undefined && countSet(used, j) === 0) continue
    if (gate === undefined)
      throw new RangeError(
        `embed: neuron ${j} has an activation pattern that is not among the ${gates.count} of the program; add its gate with gatesFrom().`,
      )
    if (!bias && model.b1[j] !== 0)
      throw new RangeError(`embed: neuron ${j} has a bias and the program has none; make the program with bias: true.`)
    for (let k = 0; k < outputs; k++) {
      const start = (gate * outputs + k) * size
      const out = model.W2.data[j * outputs + k]!
      for (let f = 0; f < X.columns; f++) coefficients[start + f]! += out * model.W1.data[j * X.columns + f]!
      if (bias) coefficients[start + X.columns]! += out * model.b1[j]!
    }
  }
  return { coefficients }
}

function withOffsets(model: GatedReluNetwork): Matrix {
  const vectors = matrix(model.width, model.features + 1)
  for (let j = 0; j < model.width; j++) {
    vectors.data.set(model.gates.data.subarray(j * model.features, (j + 1) * model.features), j * vectors.columns)
    vectors.data[j * vectors.columns + model.features] = model.gateBias[j]!
  }
  return vectors
}
