import { patternKey } from '../gates/gates.ts'
import { patternsWithSlack } from '../gates/gates-of.ts'
import { countSet } from '../numerics/bits.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { matrix, requireFinite } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Vector } from '../types.ts'
import { type ReluNetwork, reluNetwork } from './relu-network.ts'

/** When neurons are one. */
export interface MergeNeuronsOptions {
  /** How near to a neuron's boundary a row counts as on it, relative to the lengths of both (default 1e-9). */
  tolerance?: number
}

/**
 * The network with one neuron for all those of the same output, sign and active rows of X:
 *
 *     v = sum_j |w2_j| (w1_j, b1_j) ,    w1 = v / sqrt|v| ,    w2 = +- sqrt|v|
 *
 * On X it predicts the same, and its weight decay |v| is not larger than the sum of the |w2_j| |w1_j|: at an optimum, where
 * neurons whose boundary goes through a row come out once for either side of it, it is the same network with fewer
 * neurons. Between the rows of X predictions may differ where the merged neurons were not parallel. Neurons that serve
 * several outputs, and those that are off on all of X, stay as they are.
 *
 * @throws RangeError when X has another number of columns than the network reads, or an entry that is not finite.
 */
export function mergeNeurons(network: ReluNetwork, X: MatrixLike, options: MergeNeuronsOptions = {}): ReluNetwork {
  requireOptions(options, { tolerance: 'number' }, 'mergeNeurons')
  const { W1, b1, W2, outputs, features, width } = network
  const { tolerance = 1e-9 } = options
  const rows = asMatrix(X, 'mergeNeurons', 'X')
  if (rows.columns !== features)
    throw new RangeError(
      `mergeNeurons: X has ${rows.columns} columns and the network reads ${features}; pass the data it was trained on.`,
    )
  if (!(tolerance >= 0))
    throw new RangeError(`mergeNeurons: tolerance is ${tolerance}, expected at least 0; pass for example 1e-9.`)
  requireFinite(rows, 'mergeNeurons', 'X')
  const groups = new Map<string, number[]>()
  const { on } = patternsWithSlack(rows, network, tolerance)
  for (let j = 0; j < width; j++) {
    const output = onlyOutput(W2.data.subarray(j * outputs, (j + 1) * outputs))
    const alone = output === undefined || countSet(on, j) === 0
    const key = alone ? `${j}` : `${output} ${W2.data[j * outputs + output]! > 0} ${patternKey(on, j)}`
    groups.set(key, [...(groups.get(key) ?? []), j])
  }
  const weights = {
    W1: matrix(groups.size, features),
    b1: new Float64Array(groups.size),
    W2: matrix(groups.size, outputs),
    intercept: network.intercept.slice(),
  }
  let i = 0
  for (const members of groups.values()) {
    const [first] = members as [number]
    if (members.length === 1) {
      weights.W1.data.set(W1.data.subarray(first * features, (first + 1) * features), i * features)
      weights.b1[i] = b1[first]!
      weights.W2.data.set(W2.data.subarray(first * outputs, (first + 1) * outputs), i * outputs)
    } else {
      const output = onlyOutput(W2.data.subarray(first * outputs, (first + 1) * outputs))!
      const v = new Float64Array(features + 1)
      for (const j of members) {
        const scale = Math.abs(W2.data[j * outputs + output]!)
        for (let f = 0; f < features; f++) v[f]! += scale * W1.data[j * features + f]!
        v[features]! += scale * b1[j]!
      }
      const root = Math.sqrt(Math.hypot(...v))
      for (let f = 0; f < features; f++) weights.W1.data[i * features + f] = v[f]! / root
      weights.b1[i] = v[features]! / root
      weights.W2.data[i * outputs + output] = Math.sign(W2.data[first * outputs + output]!) * root
    }
    i++
  }
  return reluNetwork(weights)
}

/** The one output with a weight that is not zero. */
function onlyOutput(w2: Vector): number | undefined {
  const served = Array.from(w2.keys()).filter((k) => w2[k] !== 0)
  return served.length === 1 ? served[0] : undefined
}
