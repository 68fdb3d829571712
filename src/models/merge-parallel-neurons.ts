import { matrix } from '../numerics/matrix.ts'
import { random } from '../numerics/random.ts'
import { dot, norm, scaled, squaredDistance } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'
import { type ReluNetwork, reluNetwork } from './relu-network.ts'

/**
 * The network with one neuron for all those whose weights (w1, b1) point the same way, whatever outputs they serve:
 *
 *     w1 = q sqrt|a| ,    w2 = a / sqrt|a| ,    a = sum_j |(w1_j, b1_j)| w2_j  over the neurons of direction q
 *
 * It predicts the same everywhere, and its weight decay |a|_2 for such a neuron is at most the sum of the |w1_j| |w2_j|: less where they
 * serve several outputs, such as those that `coneDecomposition` makes by its method `shared`. The convex programs here are
 * one-vs-all and do not bound networks whose neurons serve several outputs.
 */
export function mergeParallelNeurons(network: ReluNetwork): ReluNetwork {
  const { W1, b1, W2, features, outputs, width } = network
  const draws = random(1)
  const probe = Float64Array.from({ length: features + 1 }, () => draws.normal())
  // Neurons by their product with one fixed vector, so that few are compared.
  const groups = new Map<number, { direction: Vector; a: Vector }[]>()
  for (let j = 0; j < width; j++) {
    const weights = new Float64Array(features + 1)
    weights.set(W1.data.subarray(j * features, (j + 1) * features))
    weights[features] = b1[j]!
    const length = norm(weights)
    if (length === 0) continue
    const direction = scaled(weights, 1 / length)
    const near = Math.round(dot(direction, probe) / APART)
    const known = [near - 1, near, near + 1].flatMap((key) => groups.get(key) ?? [])
    let group = known.find((other) => squaredDistance(other.direction, direction) <= PARALLEL ** 2)
    if (!group) {
      group = { direction, a: new Float64Array(outputs) }
      groups.set(near, [...(groups.get(near) ?? []), group])
    }
    for (let k = 0; k < outputs; k++) group.a[k]! += length * W2.data[j * outputs + k]!
  }
  const kept = [...groups.values()].flat().filter(({ a }) => norm(a) > 0)
  const merged = {
    W1: matrix(kept.length, features),
    b1: new Float64Array(kept.length),
    W2: matrix(kept.length, outputs),
    intercept: network.intercept.slice(),
  }
  kept.forEach(({ direction, a }, i) => {
    const root = Math.sqrt(norm(a))
    for (let f = 0; f < features; f++) merged.W1.data[i * features + f] = direction[f]! * root
    merged.b1[i] = direction[features]! * root
    for (let k = 0; k < outputs; k++) merged.W2.data[i * outputs + k] = a[k]! / root
  })
  return reluNetwork(merged)
}

/** Directions that are no further apart are parallel; and the products that they are looked up by. */
const PARALLEL = 1e-10
const APART = 1e-6
