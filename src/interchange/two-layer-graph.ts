import type { TwoLayerNetwork } from '../models/two-layer-network.ts'
import { matrix } from '../numerics/matrix.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** Gemm, ReLU, Gemm; of a gated network the first layer times 1[X G' + g_0 >= 0]. */
export function twoLayerGraph(graph: GraphBuilder, x: string, network: TwoLayerNetwork): string {
  const { W1, b1, W2, intercept, width, features, outputs } = network
  if (width === 0) return constantGraph(graph, x, features, intercept)
  const before = graph.affine(x, graph.matrix('W1', W1), graph.numbers('b1', [width], b1))
  let hidden: string
  if (network.kind === 'relu-network') hidden = graph.node('Relu', [before])
  else {
    const gates = graph.affine(x, graph.matrix('gates', network.gates), graph.numbers('g0', [width], network.gateBias))
    hidden = gated(graph, before, gates)
  }
  return graph.affine(hidden, graph.matrix('W2', W2), graph.numbers('intercept', [outputs], intercept), {
    transposed: false,
  })
}

/** value where gate >= 0, and 0 elsewhere. */
export function gated(graph: GraphBuilder, value: string, gate: string): string {
  const zero = graph.scalar('zero', 0)
  return graph.node('Where', [graph.node('GreaterOrEqual', [gate, zero]), value, zero])
}

/** A network without a neuron: the same answer for every row. */
export function constantGraph(graph: GraphBuilder, x: string, features: number, intercept: ArrayLike<number>): string {
  const none = graph.matrix('W', matrix(features, intercept.length))
  return graph.affine(x, none, graph.numbers('intercept', [intercept.length], intercept), { transposed: false })
}
