import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import type { Matrix, Model } from '../types.ts'
import type { FigureOptions } from './figure.ts'

export interface NetworkPlotOptions extends FigureOptions {
  /** Rows to draw with the network, one or two columns: they also set how far the axes reach. */
  X?: MatrixLike
  /** Their targets, one number per row; or labels, which give every class a colour. */
  y?: ArrayLike<number | string>
  /** The output that is shown (default 0); of a classifier of three or more classes all are, by the largest. */
  output?: number
  /** Names for the axes (default x, or x₁ and x₂). */
  features?: readonly string[]
  /** What is predicted, for the axis (default `'f(x)'`). */
  target?: string
  /** The classes in the order of the outputs, where the network is a classifier; two classes share one output. */
  classes?: readonly (string | number)[]
}

/** What both pictures draw. */
export interface Shown {
  readonly model: Model
  /** Raw rows of the data, empty where none are given. */
  readonly X: Matrix
  readonly y?: ArrayLike<number | string>
  readonly output: number
}

/** Neuron j, (x'w + b)_+ a or 1[x'g + c >= 0] (x'w + b) a, as far as a picture needs it. */
export interface Neuron {
  /** Where it switches: x'g + c = 0. For a ReLU this is where it bends, x'w + b = 0. */
  readonly gate: readonly number[]
  readonly gateBias: number
  readonly weights: readonly number[]
  readonly bias: number
  /** Second-layer weight of the output that is shown. */
  readonly slope: number
  /** |w| |a|: how much of the network it is. */
  readonly strength: number
}

/** The neurons of a two-layer network, the strongest first; of other networks none are known. */
export function neuronsOf(model: Model, output: number): Neuron[] {
  if (model.kind !== 'relu-network' && model.kind !== 'gated-relu-network') return []
  const network = model as TwoLayerNetwork
  const { W1, b1, W2, width, features } = network
  const row = ({ data }: Matrix, j: number): number[] => Array.from(data.subarray(j * features, (j + 1) * features))
  return Array.from({ length: width }, (_, j) => {
    const weights = row(W1, j)
    const slope = W2.data[j * W2.columns + output] ?? 0
    const gated = network.kind === 'gated-relu-network'
    return {
      gate: gated ? row(network.gates, j) : weights,
      gateBias: gated ? network.gateBias[j]! : b1[j]!,
      weights,
      bias: b1[j]!,
      slope,
      strength: Math.hypot(...weights, b1[j]!) * Math.abs(slope),
    }
  }).sort((a, b) => b.strength - a.strength)
}
