import { type Gates, patternKey, patternsOf } from '../gates/gates.ts'
import { squared } from '../losses/squared.ts'
import { type GatedReluNetwork, gatedReluNetwork } from '../models/gated-relu-network.ts'
import { selectColumns } from '../numerics/bits.ts'
import { blockNorm } from '../numerics/blocks.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { appendOnes, matrix, requireFinite } from '../numerics/matrix.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import { gatedOperator } from '../operators/gated.ts'
import { groupL1 } from '../penalties/group-l1.ts'
import type { ConvexProgram, Iterate, LossChoice, Matrix, Penalty, PenaltyChoice } from '../types.ts'

export interface GatedReluOptions {
  /** n x d, one row per sample. */
  X: MatrixLike
  /** n x c targets, or n numbers. */
  y: MatrixLike
  /** Activation patterns of the same X. */
  gates: Gates
  /** Weight of the penalty; 0 is plain least squares. `lambdaMax(program)` is where the zero network becomes optimal. */
  lambda: number
  /** Default `squared()`. */
  loss?: LossChoice
  /** Default `groupL1()`: one group per gate and output. */
  penalty?: PenaltyChoice | Penalty
  /** `true`: a bias per neuron, penalised with its weights; `'unpenalised'`: one free intercept per output. Default false. */
  bias?: boolean | 'unpenalised'
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
  const X = asMatrix(options.X, 'gatedReluProgram', 'X')
  const Y = asMatrix(options.y, 'gatedReluProgram', 'y')
  const { gates, lambda, loss = squared(), penalty = groupL1(), bias = false } = options
  check(X, Y, gates, lambda)
  const inputs = bias === true ? appendOnes(X) : X
  const shape = { features: inputs.columns, gates: gates.count, outputs: Y.columns }
  return build({
    X,
    inputs,
    gates,
    bias: bias === true,
    loss: loss.over(Y, { intercept: bias === 'unpenalised' }),
    penalty: 'over' in penalty ? penalty.over(shape) : penalty,
    lambda,
    outputs: Y.columns,
  })
}

/** What the program and its restrictions share. */
interface Parts {
  X: Matrix
  /** X, with a column of ones when the neurons have a bias. */
  inputs: Matrix
  gates: Gates
  bias: boolean
  loss: ConvexProgram['loss']
  penalty: Penalty
  lambda: number
  outputs: number
}

function build(parts: Parts): ConvexProgram<GatedReluNetwork> {
  const { inputs, gates, loss, penalty, lambda, outputs } = parts
  const program: ConvexProgram<GatedReluNetwork> = {
    name: 'gated-relu',
    loss,
    operator: gatedOperator(inputs, gates.patterns, outputs),
    penalty,
    lambda,
    scope: gates.exhaustive ? 'network' : 'program',
    restrict(blocks) {
      // `this` may be a point of a path with another lambda.
      return build({ ...parts, lambda: this.lambda, gates: selectGates(gates, blocks) })
    },
    recover: (at) => recover(parts, program, at),
    embed: (model) => embed(parts, model),
    networkObjective(model) {
      const fit = model.predict(parts.X).data
      const raw = loss.intercept ? removeIntercept(fit, model.intercept) : fit
      const decay = squaredNorm(model.W1.data) + squaredNorm(model.b1) + squaredNorm(model.W2.data)
      return loss.value(raw) + (this.lambda / 2) * decay
    },
  }
  return Object.freeze(program)
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
  if (model.features !== X.columns || model.outputs !== outputs)
    throw new RangeError(
      `embed: the network reads ${model.features} features and gives ${model.outputs} outputs, and the program has ${X.columns} and ${outputs}; pass a network of these data.`,
    )
  const place = new Map<string, number>()
  for (let i = gates.count - 1; i >= 0; i--) place.set(patternKey(gates.patterns, i), i)
  const size = inputs.columns
  const coefficients = new Float64Array(gates.count * outputs * size)
  const used = patternsOf(withOffsets(model), X)
  for (let j = 0; j < model.width; j++) {
    const gate = place.get(patternKey(used, j))
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

function selectGates(gates: Gates, chosen: Int32Array): Gates {
  const { vectors } = gates
  const kept = matrix(chosen.length, vectors.columns)
  chosen.forEach((i, k) => {
    kept.data.set(vectors.data.subarray(i * vectors.columns, (i + 1) * vectors.columns), k * vectors.columns)
  })
  return {
    ...gates,
    vectors: kept,
    patterns: selectColumns(gates.patterns, chosen),
    count: chosen.length,
    exhaustive: gates.exhaustive && chosen.length === gates.count,
  }
}

function removeIntercept(fit: Float64Array, intercept: Float64Array): Float64Array {
  return fit.map((value, k) => value - intercept[k % intercept.length]!)
}

function check(X: Matrix, Y: Matrix, gates: Gates, lambda: number): void {
  if (X.rows === 0 || X.columns === 0)
    throw new RangeError(
      `gatedReluProgram: X is ${X.rows} x ${X.columns}, expected at least one row and one column; pass the data.`,
    )
  if (Y.rows !== X.rows)
    throw new RangeError(`gatedReluProgram: y has ${Y.rows} rows and X has ${X.rows}; pass one target per row.`)
  requireFinite(X, 'gatedReluProgram', 'X')
  requireFinite(Y, 'gatedReluProgram', 'y')
  if (gates.patterns.rows !== X.rows || gates.vectors.columns !== X.columns + (gates.bias ? 1 : 0))
    throw new RangeError(
      `gatedReluProgram: the gates were made for ${gates.patterns.rows} rows of ${gates.vectors.columns - (gates.bias ? 1 : 0)} features and X is ${X.rows} x ${X.columns}; call sampleGates with this X.`,
    )
  if (!(lambda >= 0) || !Number.isFinite(lambda))
    throw new RangeError(
      `gatedReluProgram: lambda is ${lambda}, expected a number of at least 0; pass for example 0.1 * lambdaMax(program).`,
    )
}
