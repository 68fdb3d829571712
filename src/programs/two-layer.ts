import { type Gates, patternsOf } from '../gates/gates.ts'
import { gatesOf } from '../gates/gates-of.ts'
import { squared } from '../losses/squared.ts'
import { reluPredictions } from '../models/relu-predictions.ts'
import { isSet, selectColumns } from '../numerics/bits.ts'
import { expand, isCompact, type Rows, rowBlock, withOnes } from '../numerics/compact-matrix.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { appendOnes, matrix, requireFinite } from '../numerics/matrix.ts'
import type { OptionKinds } from '../numerics/options.ts'
import { spectralBound } from '../numerics/spectral-bound.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { CompactMatrix, Loss, LossChoice, Matrix, Scope, Vector } from '../types.ts'
import { requireBias, requireGates, requireLambda, requireLoss } from './require-parts.ts'

/** What every two-layer program is made from. */
export interface TwoLayerOptions {
  /** n x d, one row per sample. */
  X: MatrixLike
  /** n x c targets, or n numbers. */
  y: MatrixLike
  /** Activation patterns of the same X. */
  gates: Gates
  /** Weight of the penalty; 0 is none. `lambdaMax(program)` is where the zero network becomes optimal. */
  lambda: number
  /** Default `squared()`. */
  loss?: LossChoice
  /** `true`: a bias per neuron, penalised with its weights; `'unpenalised'`: one free intercept per output. Default false. */
  bias?: boolean | 'unpenalised'
}

/** Every name of `TwoLayerOptions`. */
export const twoLayerOptionNames: OptionKinds<TwoLayerOptions> = {
  X: true,
  y: true,
  gates: true,
  lambda: 'number',
  loss: true,
  bias: true,
}

/** What a two-layer program and its restrictions share. */
export interface TwoLayerParts<X extends Rows = Matrix> {
  readonly X: X
  /** X, with a column of ones when the neurons have a bias. */
  readonly inputs: X
  readonly gates: Gates
  readonly bias: boolean
  readonly loss: Loss
  /** The loss of a network's own predictions, intercept and all. */
  readonly ownLoss: Loss
  readonly lambda: number
  readonly outputs: number
  /** An upper bound of |D_i X|_2 for each gate, made when first asked for. */
  readonly reach: () => Vector
}

/** @throws RangeError or TypeError naming what does not fit: sizes, NaN or Infinity by row and column, lambda. */
export function twoLayerParts(options: TwoLayerOptions, caller: string): TwoLayerParts {
  const X = asMatrix(options.X, caller, 'X')
  requireFinite(X, caller, 'X')
  const parts = partsOver(X, options, caller)
  return { ...parts, inputs: parts.bias ? appendOnes(X) : X }
}

/** The same for X that is read a block of rows at a time. */
export function compactParts(
  X: CompactMatrix,
  options: Omit<TwoLayerOptions, 'X'>,
  caller: string,
): TwoLayerParts<CompactMatrix> {
  const parts = partsOver(X, options, caller)
  return { ...parts, inputs: parts.bias ? withOnes(X) : X }
}

function partsOver<X extends Rows>(X: X, options: Omit<TwoLayerOptions, 'X'>, caller: string): TwoLayerParts<X> {
  const Y = asMatrix(options.y, caller, 'y')
  const { gates, lambda, loss = squared(), bias = false } = options
  requireGates(gates, caller)
  requireLoss(loss, caller)
  requireBias(bias, [true, false, 'unpenalised'], caller)
  if (X.rows === 0 || X.columns === 0)
    throw new RangeError(
      `${caller}: X is ${X.rows} x ${X.columns}, expected at least one row and one column; pass the data.`,
    )
  if (Y.columns === 0)
    throw new RangeError(`${caller}: y has no column, expected at least one target; pass one column per output.`)
  if (Y.rows !== X.rows)
    throw new RangeError(`${caller}: y has ${Y.rows} rows and X has ${X.rows}; pass one target per row.`)
  requireFinite(Y, caller, 'y')
  const features = gates.vectors.columns - (gates.bias ? 1 : 0)
  if (gates.patterns.rows !== X.rows || features !== X.columns)
    throw new RangeError(
      `${caller}: the gates were made for ${gates.patterns.rows} rows of ${features} features and X is ${X.rows} x ${X.columns}; call sampleGates with this X.`,
    )
  const stranger = strangeGate(gates, X)
  if (stranger >= 0)
    throw new RangeError(
      `${caller}: gate ${stranger} has another pattern on this X than on the one it was made for; call sampleGates with this X.`,
    )
  requireLambda(lambda, caller)
  return {
    X,
    inputs: X,
    gates,
    reach: once(() => gateReach(X, bias === true, gates)),
    bias: bias === true,
    loss: loss.over(Y, { intercept: bias === 'unpenalised' }),
    ownLoss: loss.over(Y),
    lambda,
    outputs: Y.columns,
  }
}

/** Rows of a compact matrix that the gates' patterns are compared on: one that is read at every pass is large. */
const COMPARED = 1024

/** The first gate that has another pattern on X than the one given, or -1. */
function strangeGate({ vectors, patterns }: Gates, X: Rows): number {
  const own = patternsOf(vectors, isCompact(X) ? expand(X, 0, Math.min(COMPARED, X.rows)) : X)
  // Where fewer rows are compared, they end where a word does.
  return Array.from({ length: vectors.rows }, (_, i) => i).findIndex((i) => {
    for (let w = 0; w < own.stride; w++)
      if (own.words[i * own.stride + w] !== patterns.words[i * patterns.stride + w]) return true
    return false
  })
}

/** min(|X|_2, |D_i X|_F) for each gate, X with its ones where there is a bias: not below |D_i X|_2. */
function gateReach(X: Rows, bias: boolean, { patterns, count }: Gates): Vector {
  const whole = isCompact(X) ? Number.POSITIVE_INFINITY : spectralBound(bias ? appendOnes(X) : X)
  const squares = new Float64Array(X.rows).fill(bias ? 1 : 0)
  for (let r = 0; r < X.rows; r++) squares[r]! += squaredNorm(rowBlock(X, r, 1))
  return Float64Array.from({ length: count }, (_, i) => {
    let total = 0
    for (let r = 0; r < X.rows; r++) if (isSet(patterns, r, i)) total += squares[r]!
    return Math.min(whole, Math.sqrt(total) * (1 + 1e-12))
  })
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** The program of some of the gates, at a lambda: X, the loss and what is known of each gate are shared, not made again. */
export function selectParts<P extends TwoLayerParts<Rows>>(parts: P, lambda: number, chosen: Int32Array): P {
  const gates = selectGates(parts.gates, chosen)
  return { ...parts, lambda, gates, reach: once(() => Float64Array.from(chosen, (i) => parts.reach()[i]!)) }
}

/** The program of other gates of the same X, at a lambda. */
export function exchangeGates<P extends TwoLayerParts>(parts: P, lambda: number, gates: Gates): P {
  return { ...parts, lambda, gates, reach: once(() => gateReach(parts.X, parts.bias, gates)) }
}

/** The gates, and after them the patterns of these neurons (rows of as many entries as inputs have columns) that they lack. */
export function extendGates({ X, inputs, gates }: TwoLayerParts, neurons: Matrix): Gates {
  const { rows, columns, data } = neurons
  if (columns !== inputs.columns)
    throw new RangeError(
      `extend: a neuron has ${columns} weights, expected ${inputs.columns}; pass one row of weights a neuron, the bias last where there is one.`,
    )
  requireFinite(neurons, 'extend', 'neurons')
  const W1 = matrix(rows, X.columns)
  const b1 = new Float64Array(rows)
  for (let j = 0; j < rows; j++) {
    W1.data.set(data.subarray(j * columns, j * columns + X.columns), j * X.columns)
    if (columns > X.columns) b1[j] = data[j * columns + X.columns]!
  }
  return gatesOf({ W1, b1 }, X, gates)
}

/** Some of the gates; they are all patterns only when all are chosen. */
function selectGates(gates: Gates, chosen: Int32Array): Gates {
  const { vectors } = gates
  for (const i of chosen)
    if (!(i >= 0 && i < gates.count))
      throw new RangeError(
        `restrict: gate ${i} was chosen, expected numbers from 0 to ${gates.count - 1}; pass gates of the program.`,
      )
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

/**
 * `network` only when these are all patterns that such neurons can have (with a bias, those of [X 1], which gates without
 * an offset do not reach), and there is one output: with several, one neuron may serve many of them for less than the
 * one-vs-all program pays.
 */
export function scopeOf({ gates, bias, outputs }: TwoLayerParts<Rows>): Scope {
  return gates.exhaustive && (gates.bias || !bias) && outputs === 1 ? 'network' : 'program'
}

/** The weights that every two-layer network has. */
export interface TwoLayerWeights {
  readonly W1: Matrix
  readonly b1: Vector
  readonly W2: Matrix
  readonly intercept: Vector
  predict(X: Matrix): Matrix
}

/**
 * F(f(X)) + lambda/2 (|W1|^2 + |b1|^2 + |W2|^2): what the network itself pays. Undefined when a neuron serves several
 * outputs: such a network may pay less than any point of the one-vs-all program.
 */
export function networkObjective(
  { X, ownLoss }: TwoLayerParts<Rows>,
  lambda: number,
  model: TwoLayerWeights,
): number | undefined {
  if (servesSeveral(model.W2)) return undefined
  const fit = predictions(X, model)
  return (
    ownLoss.value(fit) +
    (lambda / 2) * (squaredNorm(model.W1.data) + squaredNorm(model.b1) + squaredNorm(model.W2.data))
  )
}

function predictions(X: Rows, model: TwoLayerWeights): Vector {
  if (!isCompact(X)) return model.predict(X).data
  if (!('gates' in model)) return reluPredictions(model, X)
  const outputs = model.W2.columns
  const fit = new Float64Array(X.rows * outputs)
  for (let first = 0; first < X.rows; first += 1024) {
    const rows = Math.min(1024, X.rows - first)
    fit.set(model.predict({ rows, columns: X.columns, data: rowBlock(X, first, rows) }).data, first * outputs)
  }
  return fit
}

function servesSeveral({ rows, columns, data }: Matrix): boolean {
  for (let j = 0; j < rows; j++) {
    let served = 0
    for (let k = 0; k < columns; k++) if (data[j * columns + k] !== 0) served++
    if (served > 1) return true
  }
  return false
}

/** @throws RangeError when a network has other sizes than the data, or an intercept that the program has no place for. */
export function requireFit(
  parts: TwoLayerParts<Rows>,
  model: { features: number; outputs: number; intercept: Vector },
): void {
  if (model.features !== parts.X.columns || model.outputs !== parts.outputs)
    throw new RangeError(
      `embed: the network reads ${model.features} features and gives ${model.outputs} outputs, and the program has ${parts.X.columns} and ${parts.outputs}; pass a network of these data.`,
    )
  if (!parts.loss.intercept && model.intercept.some((entry) => entry !== 0))
    throw new RangeError(
      "embed: the network has an output intercept and the program none; make the program with bias: 'unpenalised'.",
    )
}
