import { type Patterns, patternsWithSlack } from '../gates/gates-of.ts'
import { type ReluNetwork, reluNetwork } from '../models/relu-network.ts'
import { countSet } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import { isCompact, type Rows } from '../numerics/compact-matrix.ts'
import { matrix } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { coneRows } from '../operators/cone-rows.ts'
import { signedGatedOperator } from '../operators/signed-gated.ts'
import { type BlockedMemory, blockedConeGroupL1, blockedMemories } from '../penalties/blocked-cone-group-l1.ts'
import { type BlockMemory, blockMemories, coneGroupL1 } from '../penalties/cone-group-l1.ts'
import { groupL1 } from '../penalties/group-l1.ts'
import { activationCones } from '../sets/activation-cones.ts'
import { blockedCones } from '../sets/blocked-cones.ts'
import { nonnegative } from '../sets/nonnegative.ts'
import type { CompactMatrix, ConvexProgram, Iterate, Penalty, PenaltyChoice, Vector } from '../types.ts'
import { insideDirections } from './inside-directions.ts'
import { requireKind, requirePenalty } from './require-parts.ts'
import {
  compactParts,
  exchangeGates,
  extendGates,
  networkObjective,
  requireFit,
  scopeOf,
  selectParts,
  type TwoLayerOptions,
  type TwoLayerParts,
  twoLayerOptionNames,
  twoLayerParts,
} from './two-layer.ts'

/** What `reluProgram` is made from. */
export interface ReluOptions extends Omit<TwoLayerOptions, 'X'> {
  /** n x d, one row per sample; products with a compact matrix are of float32, certificates of float64. */
  X: TwoLayerOptions['X'] | CompactMatrix
  /** Only `groupL1()`, the default: its convex form needs it. */
  penalty?: PenaltyChoice | Penalty
}

const optionNames: OptionKinds<ReluOptions> = { ...twoLayerOptionNames, penalty: true }

/**
 * The two-layer ReLU network as a convex program, a pair of vectors per gate i and output k:
 *
 *     minimise over v, w   F( sum_i D_i X (v_i - w_i) ) + lambda sum_i (|v_i|_2 + |w_i|_2)
 *     subject to           v_i, w_i in K_i = { u : (2 D_i - I) X u >= 0 } ,    D_i = diag(1[X g_i >= 0])
 *
 * Equal to training f(x) = sum_j (x'w1_j)_+ w2_j with weight decay lambda/2 (|W1|^2 + |W2|^2) over networks whose
 * neurons have these patterns; over all networks of enough width when every pattern of X is present. Several outputs are
 * one-vs-all. Coefficients are gate-major: gate, sign (v, w), output, feature (the bias last).
 *
 * With a compact X, rows of cones are read a block at a time: projections are made by working sets of rows, many blocks
 * together, and end strictly inside the cones. Such a program is certified, verified and solved, by `fullyCorrective()` or `proximalGradient()`; it
 * has no `constraint` for `augmentedLagrangian()`, no faces for `coneNewton()`, and takes no neurons by `extend`.
 *
 * Pilanci and Ergen, ICML 2020; Mishkin, Sahiner and Pilanci, ICML 2022.
 *
 * @throws RangeError or TypeError naming what does not fit: sizes, NaN or Infinity by row and column, lambda.
 */
export function reluProgram(options: ReluOptions): ConvexProgram<ReluNetwork> {
  requireOptions(options, optionNames, 'reluProgram')
  const { X, penalty = groupL1() } = options
  requirePenalty(penalty, 'reluProgram')
  if (penalty.name !== 'group-l1')
    throw new RangeError(
      `reluProgram: penalty is ${penalty.name}, expected group-l1, which the convex form needs; leave it out, or use gatedReluProgram().`,
    )
  return isCompact(X)
    ? compact(compactParts(X, options, 'reluProgram'))
    : full(withinReach(twoLayerParts({ ...options, X }, 'reluProgram')))
}

/** Projections on cones take fourth powers of what X holds. */
const LARGEST = 1e75

function withinReach(parts: TwoLayerParts): TwoLayerParts {
  const { columns, data } = parts.inputs
  for (let k = 0; k < data.length; k++)
    if (Math.abs(data[k]!) > LARGEST)
      throw new RangeError(
        `reluProgram: X has ${data[k]!.toExponential(1)} at row ${Math.floor(k / columns)}, column ${k % columns}, expected at most ${LARGEST.toExponential(0)} in absolute value, the powers of which float64 holds; divide the column by its largest entry.`,
      )
  return parts
}

/** `memories`: what projections have found, one per block; a restricted program goes on from there. */
function full(parts: TwoLayerParts, memories?: readonly BlockMemory[]): ConvexProgram<ReluNetwork> {
  const { inputs, gates, outputs } = parts
  const cones = activationCones(inputs, gates.patterns)
  const perGate = 2 * outputs
  const known = memories ?? blockMemories(gates.count * perGate, inputs.columns)
  return build(parts, coneGroupL1({ cones, perGate, memories: known }), {
    constraint: {
      operator: coneRows(cones, perGate),
      set: nonnegative(),
      penalty: groupL1({ size: inputs.columns }),
    },
    restrict(this: ConvexProgram, blocks) {
      // `this` may be a point of a path with another lambda.
      return full(selectParts(parts, this.lambda, blocks), ofBlocks(known, blocks, perGate))
    },
    neurons: { inputs, outputs },
    extend(this: ConvexProgram, neurons) {
      const more = extendGates(parts, neurons)
      return full(exchangeGates(parts, this.lambda, more), blockMemories(more.count * perGate, inputs.columns))
    },
  })
}

/** The same over rows that are read a block at a time. */
function compact(parts: TwoLayerParts<CompactMatrix>, memories?: readonly BlockedMemory[]): ConvexProgram<ReluNetwork> {
  const { inputs, gates, outputs } = parts
  const perGate = 2 * outputs
  const known = memories ?? blockedMemories(gates.count * perGate)
  const cones = blockedCones(inputs, gates.patterns)
  const insides = new Map<number, Vector | undefined>()
  const inside = (gate: number): Vector | undefined => {
    if (!insides.has(gate)) insides.set(gate, insideDirections(cones, gates, [gate])[0])
    return insides.get(gate)
  }
  const penalty = blockedConeGroupL1({ cones, perGate, memories: known, inside })
  return build(parts, penalty, {
    restrict(this: ConvexProgram, blocks) {
      return compact(selectParts(parts, this.lambda, blocks), ofBlocks(known, blocks, perGate))
    },
  })
}

function ofBlocks<T>(memories: readonly T[], blocks: Int32Array, perGate: number): T[] {
  return Array.from(blocks, (i) => memories.slice(i * perGate, (i + 1) * perGate)).flat()
}

/** What all ReLU programs have, with what one kind of X allows. */
function build(
  parts: TwoLayerParts<Rows>,
  penalty: Penalty,
  more: Pick<ConvexProgram<ReluNetwork>, 'constraint' | 'restrict' | 'neurons' | 'extend'>,
): ConvexProgram<ReluNetwork> {
  const { inputs, gates, loss, lambda, outputs } = parts
  const program: ConvexProgram<ReluNetwork> = {
    name: 'relu',
    loss,
    operator: signedGatedOperator(inputs, gates.patterns, outputs),
    penalty,
    lambda,
    scope: scopeOf(parts),
    blocks: { size: inputs.columns * 2 * outputs, reach: parts.reach },
    recover: (at) => recover(parts, program, at),
    embed: (model, tolerance) => embed(parts, model, tolerance),
    networkObjective(model) {
      return networkObjective(parts, this.lambda, model)
    },
    ...more,
  }
  return Object.freeze(program)
}

/** v = w1 w2 with |w1| = w2 = sqrt|v|, and w likewise with w2 negative: balanced neurons, whose weight decay is |v|. */
function recover(parts: TwoLayerParts<Rows>, program: ConvexProgram, at: Iterate): ReluNetwork {
  const { X, inputs, bias, outputs } = parts
  const size = inputs.columns
  const u = at.coefficients
  const neurons: { output: number; sign: number; start: number; length: number }[] = []
  for (let start = 0, b = 0; start < u.length; start += size, b++) {
    const length = blockNorm(u, start, size)
    const sign = Math.floor(b / outputs) % 2 === 0 ? 1 : -1
    if (length > 0) neurons.push({ output: b % outputs, sign, start, length })
  }
  const width = neurons.length
  const weights = {
    W1: matrix(width, X.columns),
    b1: new Float64Array(width),
    W2: matrix(width, outputs),
    intercept: new Float64Array(outputs),
  }
  neurons.forEach(({ output, sign, start, length }, j) => {
    const root = Math.sqrt(length)
    for (let f = 0; f < X.columns; f++) weights.W1.data[j * X.columns + f] = u[start + f]! / root
    if (bias) weights.b1[j] = u[start + X.columns]! / root
    weights.W2.data[j * outputs + output] = sign * root
  })
  if (program.loss.intercept) weights.intercept.set(program.loss.intercept(at.fit ?? program.operator.apply(u)))
  return reluNetwork(weights)
}

/**
 * Adds |w2| w1 to the block of the neuron's pattern on X and of the sign of w2, per output. Rows within `tolerance` of the
 * neuron's boundary belong to either side: at an optimum many rows lie there.
 */
function embed(parts: TwoLayerParts<Rows>, model: ReluNetwork, tolerance = 1e-9): Iterate {
  const { X, inputs, gates, bias, outputs } = parts
  requireKind(model, 'relu-network', 'relu')
  requireFit(parts, model)
  const size = inputs.columns
  const coefficients = new Float64Array(gates.count * 2 * outputs * size)
  const patterns = patternsWithSlack(X, model, tolerance)
  for (let j = 0; j < model.width; j++) {
    if (!bias && model.b1[j] !== 0)
      throw new RangeError(`embed: neuron ${j} has a bias and the program has none; make the program with bias: true.`)
    const w1 = model.W1.data.subarray(j * X.columns, (j + 1) * X.columns)
    // A neuron that is off on every row adds nothing to the fit.
    if (countSet(patterns.on, j) + countSet(patterns.free, j) === 0) continue
    const gate = gateOf(parts, patterns, j)
    if (gate < 0)
      throw new RangeError(
        `embed: neuron ${j} has an activation pattern that is not among the ${gates.count} of the program; add the network's own with gatesOf(network, X, gates).`,
      )
    for (let k = 0; k < outputs; k++) {
      const out = model.W2.data[j * outputs + k]!
      const start = ((gate * 2 + (out < 0 ? 1 : 0)) * outputs + k) * size
      for (let f = 0; f < X.columns; f++) coefficients[start + f]! += Math.abs(out) * w1[f]!
      if (bias) coefficients[start + X.columns]! += Math.abs(out) * model.b1[j]!
    }
  }
  return { coefficients }
}

/** The first gate whose pattern agrees with the neuron's wherever that is clear, or -1. */
function gateOf({ gates }: TwoLayerParts<Rows>, { on, free }: Patterns, column: number): number {
  const { words, stride } = gates.patterns
  for (let i = 0; i < gates.count; i++) {
    let differs = 0
    for (let k = 0; k < stride && differs === 0; k++)
      differs = (words[i * stride + k]! ^ on.words[column * stride + k]!) & ~free.words[column * stride + k]!
    if (differs === 0) return i
  }
  return -1
}
