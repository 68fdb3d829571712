import type { Activation, ActivationName } from '../layers/activation.ts'
import type { GraphBuilder } from './graph-builder.ts'

type Draw = (graph: GraphBuilder, x: string, options: Readonly<Record<string, number>>) => string

/**
 * Every activation by operators that take float64 at runtime: Elu, LeakyRelu, Softplus and Shrink take float32 there, or
 * their parameters are float32 in the file.
 */
const draw: Readonly<Record<ActivationName, Draw>> = {
  relu: (graph, x) => graph.node('Relu', [x]),
  // A slope of at most 1 makes it the larger of the two.
  'leaky-relu': (graph, x, { slope }) => graph.node('Max', [x, graph.node('Mul', [x, graph.scalar('slope', slope!)])]),
  identity: (_, x) => x,
  sigmoid: (graph, x) => graph.node('Sigmoid', [x]),
  tanh: (graph, x) => graph.node('Tanh', [x]),
  // (u)_+ + e^min(u, 0) - 1
  elu(graph, x) {
    const below = graph.node('Exp', [graph.node('Min', [x, graph.scalar('zero', 0)])])
    return graph.node('Add', [graph.node('Relu', [x]), graph.node('Sub', [below, graph.scalar('one', 1)])])
  },
  // (u)_+ + ln(1 + e^-|u|)
  softplus(graph, x) {
    const decay = graph.node('Exp', [graph.node('Neg', [graph.node('Abs', [x])])])
    const log = graph.node('Log', [graph.node('Add', [decay, graph.scalar('one', 1)])])
    return graph.node('Add', [graph.node('Relu', [x]), log])
  },
  clip: (graph, x, { low, high }) => graph.node('Clip', [x, graph.scalar('low', low!), graph.scalar('high', high!)]),
  // (u - t)_+ - (-u - t)_+
  'soft-threshold'(graph, x, { threshold }) {
    const t = graph.scalar('threshold', threshold!)
    const above = graph.node('Relu', [graph.node('Sub', [x, t])])
    const below = graph.node('Relu', [graph.node('Sub', [graph.node('Neg', [x]), t])])
    return graph.node('Sub', [above, below])
  },
}

/** phi of every entry. */
export function activationGraph(graph: GraphBuilder, x: string, { name, options = {} }: Activation): string {
  return draw[name](graph, x, options)
}
