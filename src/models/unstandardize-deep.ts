import { matrix } from '../numerics/matrix.ts'
import { type DeepNetwork, deepNetwork } from './deep-network.ts'
import type { Scaling } from './unstandardize.ts'

/**
 * The deep network that reads raw rows and answers in raw units, from one trained on standardised X and, if given, y. Its
 * first layer must be dense, and with `targets` its last one linear.
 *
 * @throws RangeError when the sizes do not belong together or a layer is of another kind.
 */
export function unstandardizeDeep(network: DeepNetwork, inputs: Scaling, targets?: Scaling): DeepNetwork {
  const { features, outputs } = network
  if (inputs.mean.length !== features || (targets && targets.mean.length !== outputs))
    throw new RangeError(
      `unstandardizeDeep: the scaling has ${inputs.mean.length} inputs${targets ? ` and ${targets.mean.length} outputs` : ''} and the network ${features} and ${outputs}; pass the scaling it was trained with.`,
    )
  const layers = network.layers.map((layer) => ({
    ...layer,
    W: matrix(layer.W.rows, layer.W.columns, layer.W.data.slice()),
    b: layer.b.slice(),
  }))
  const [first, last] = [layers[0]!, layers.at(-1)!]
  if (first.map.json.kind !== 'dense' || (targets && last.activation.name !== 'identity'))
    throw new RangeError(
      `unstandardizeDeep: the first layer is ${first.map.json.kind} and the last one ends in ${last.activation.name}, expected dense and identity; scale the data instead.`,
    )
  for (let j = 0; j < first.W.rows; j++)
    for (let l = 0; l < features; l++) {
      const e = j * features + l
      first.W.data[e]! /= inputs.scale[l]!
      first.b[j]! -= first.W.data[e]! * inputs.mean[l]!
    }
  if (targets)
    for (let k = 0; k < outputs; k++) {
      for (let l = 0; l < last.W.columns; l++) last.W.data[k * last.W.columns + l]! *= targets.scale[k]!
      last.b[k] = last.b[k]! * targets.scale[k]! + targets.mean[k]!
    }
  return deepNetwork(layers)
}
