import { matrix } from '../numerics/matrix.ts'
import type { Matrix, Vector } from '../types.ts'
import { type GatedReluNetwork, gatedReluNetwork } from './gated-relu-network.ts'
import { type ReluNetwork, reluNetwork } from './relu-network.ts'

/** Columns were replaced by (x - mean) / scale. */
export interface Scaling {
  readonly mean: ArrayLike<number>
  readonly scale: ArrayLike<number>
}

/**
 * The network that reads raw rows and answers in raw units, from one trained on standardised X and, if given, y:
 * w'(x - m)/s = (w/s)'x - w'(m/s), for gates and first layer alike; outputs are scaled and shifted back.
 *
 * @throws RangeError when a scaling has another number of columns than the network.
 */
export function unstandardize<N extends GatedReluNetwork | ReluNetwork>(
  network: N,
  inputs: Scaling,
  targets?: Scaling,
): N {
  if (inputs.mean.length !== network.features || (targets && targets.mean.length !== network.outputs))
    throw new RangeError(
      `unstandardize: the scaling has ${inputs.mean.length} inputs${targets ? ` and ${targets.mean.length} outputs` : ''} and the network ${network.features} and ${network.outputs}; pass the scaling it was trained with.`,
    )
  const [W1, b1] = raw(network.W1, network.b1, inputs)
  const W2 = matrix(network.width, network.outputs, network.W2.data.slice())
  const intercept = network.intercept.slice()
  if (targets)
    for (let k = 0; k < network.outputs; k++) {
      for (let j = 0; j < network.width; j++) W2.data[j * network.outputs + k]! *= targets.scale[k]!
      intercept[k] = intercept[k]! * targets.scale[k]! + targets.mean[k]!
    }
  if (network.kind === 'relu-network') return reluNetwork({ W1, b1, W2, intercept }) as N
  const [gates, gateBias] = raw(network.gates, network.gateBias, inputs)
  return gatedReluNetwork({ gates, gateBias, W1, b1, W2, intercept }) as N
}

function raw(W: Matrix, b: Vector, { mean, scale }: Scaling): [Matrix, Vector] {
  const weights = matrix(W.rows, W.columns)
  const biases = b.slice()
  for (let i = 0; i < W.rows; i++)
    for (let j = 0; j < W.columns; j++) {
      const weight = W.data[i * W.columns + j]! / scale[j]!
      weights.data[i * W.columns + j] = weight
      biases[i]! -= weight * mean[j]!
    }
  return [weights, biases]
}
