import type { CircularCnn } from '../models/circular-cnn.ts'
import type { ConvexCnn } from '../models/convex-cnn.ts'
import type { DeepNetwork } from '../models/deep-network.ts'
import type { RectifiedCnn } from '../models/rectified-cnn.ts'
import type { StackedCnn } from '../models/stacked-cnn.ts'
import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Model } from '../types.ts'
import { circularCnnGraph, convexCnnGraph, rectifiedCnnGraph, stackedCnnGraph } from './convolution-graph.ts'
import { deepGraph } from './deep-graph.ts'
import { type FloatType, type GraphBuilder, graphBuilder } from './graph-builder.ts'
import { twoLayerGraph } from './two-layer-graph.ts'

/** How a network is written as a graph. */
export interface ToOnnxOptions {
  /**
   * What the graph computes in (default `float64`): float64 answers as this library does, to rounding. float32 halves the
   * file and is what runtimes on GPUs and phones take; a row that lies on a gate's boundary may then fall on its other side.
   */
  type?: FloatType
  /** Kept in the file as its metadata, for example the names of the columns. */
  metadata?: Readonly<Record<string, string>>
}

/** Any trained network, or a regressor or classifier around one. */
export type Exportable =
  | Model
  | {
      readonly network: Model
      /** Of a classifier, in the order of the outputs. */
      readonly classes?: readonly (string | number)[]
      /** What the rows are divided by first. */
      readonly scale?: number
    }

type Network = TwoLayerNetwork | DeepNetwork | ConvexCnn | RectifiedCnn | StackedCnn | CircularCnn

/**
 * A trained network as the bytes of an ONNX model (opset 13, IR version 7), for any runtime that reads it.
 *
 * It reads raw rows `X`, rows x features, with bias, intercept and standardisation folded into the weights as in the network
 * itself, and answers with `Y`, rows x outputs, what `predict` gives. A classifier has the outputs `label` (text, int64, or
 * float64 where a label is no whole number) and `scores`, what `decisionFunction` gives. Rows are float64 unless `type` says
 * float32.
 *
 * Convolutions are gathered patches times filters, as Conv has no float64 in the common runtimes.
 *
 * @throws TypeError when it is no network or trained estimator of this library, or the type is another; RangeError when a
 * weight is beyond what float32 holds.
 */
export function toOnnx(model: Exportable, options: ToOnnxOptions = {}): Uint8Array {
  requireOptions(options, { type: true, metadata: true }, 'toOnnx')
  const { type = 'float64', metadata = {} } = options
  if (type !== 'float64' && type !== 'float32')
    throw new TypeError(`toOnnx: type is '${String(type)}', expected float64 or float32; leave it out for float64.`)
  const around = typeof model === 'object' && model !== null && 'network' in model ? model : undefined
  const network = (around ? around.network : model) as Network
  const kind = typeof network === 'object' && network !== null ? network.kind : undefined
  if (kind === undefined || !Object.hasOwn(drawings, kind))
    throw new TypeError(
      `toOnnx: the model is ${kind === undefined ? 'no network' : `of kind ${JSON.stringify(kind)}`}, expected one of ${Object.keys(drawings).join(', ')}, or an estimator; pass a trained network.`,
    )
  const { draw, features } = drawings[kind] as Drawing<Network>
  const columns = features(network)
  const graph = graphBuilder(type)
  const scale = around?.scale ?? 1
  const x = scale === 1 ? 'X' : graph.node('Div', ['X', graph.scalar('scale', scale)])
  const scores = draw(graph, x, network)
  const outputs = kind === 'circular-cnn' ? 1 : (network as Exclude<Network, CircularCnn>).outputs
  const classes = around?.classes
  if (classes) labelOutput(graph, scores, classes)
  graph.output(scores, { name: classes ? 'scores' : 'Y', type, shape: [outputs] })
  return graph.finish(kind, [{ name: 'X', type, shape: [columns] }], {
    'cvxnn.kind': kind,
    ...(classes && { 'cvxnn.classes': JSON.stringify(classes) }),
    ...metadata,
  })
}

interface Drawing<N> {
  readonly draw: (graph: GraphBuilder, x: string, network: N) => string
  /** Entries of a row that it reads. */
  readonly features: (network: N) => number
}

const pixels = ({ shape }: Pick<ConvexCnn, 'shape'>): number => shape.height * shape.width * shape.channels

const drawings: { readonly [K in Network['kind']]: Drawing<Extract<Network, { kind: K }>> } = {
  'gated-relu-network': { draw: twoLayerGraph, features: (network) => network.features },
  'relu-network': { draw: twoLayerGraph, features: (network) => network.features },
  'deep-network': { draw: deepGraph, features: (network) => network.features },
  'convex-cnn': { draw: convexCnnGraph, features: pixels },
  'rectified-cnn': { draw: rectifiedCnnGraph, features: pixels },
  'stacked-cnn': { draw: stackedCnnGraph, features: ({ layers }) => pixels(layers[0]!) },
  'circular-cnn': { draw: circularCnnGraph, features: ({ filter }) => filter.length },
}

/** The class of every row: the sign of one score, or the largest of several, the first of equals. */
function labelOutput(graph: GraphBuilder, scores: string, classes: readonly (string | number)[]): void {
  const type = classes.every((label) => typeof label === 'string')
    ? 'string'
    : classes.every((label) => Number.isSafeInteger(label))
      ? 'int64'
      : 'float64'
  const index =
    classes.length === 2
      ? graph.reshape(
          graph.node('Cast', [graph.node('Greater', [scores, graph.scalar('zero', 0)])], { to: INT64 }),
          [-1],
        )
      : graph.node('ArgMax', [scores], { axis: 1, keepdims: 0 })
  const names = graph.constant('classes', [classes.length], type, classes as readonly string[] | readonly number[])
  graph.output(graph.node('Gather', [names, index], { axis: 0 }), { name: 'label', type, shape: [] })
}

const INT64 = 7
