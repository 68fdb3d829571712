import type { LayerWeights } from '../layers/layer.ts'
import type { LayerMap } from '../layers/layer-map.ts'
import type { Matrix } from '../types.ts'
import type { Divergence } from './divergence.ts'

/** One layer of a lifted network: its output is not computed but paid for. */
export interface Link {
  readonly map: LayerMap
  readonly units: number
  readonly divergence: Divergence
  /** lambda_k: what a unit of divergence costs. */
  readonly coupling: number
  /** rho_k, of |W_k|^2 / 2; biases go free. */
  readonly ridge: number
}

/**
 * A network lifted to a chain of nodes, whose layers are links between neighbours:
 *
 *     F(W, b, X) = (1/m) sum_i sum_k lambda_k D_k(x_k,i, z_k,i) + (1/m) sum_i |x_K,i - y_i|^2 / 2 [free output]
 *                  + sum_k rho_k/2 |W_k|^2,        Z_k = unfold(X_{k-1}) W_k' + 1 b_k',   k = 1 .. K
 *
 * Node 0 is the input. Node K is the targets themselves, or, with a free output, another unknown.
 */
export interface Chain {
  readonly input: Matrix
  readonly target: Matrix
  readonly freeOutput: boolean
  readonly links: readonly Link[]
}

/** Weights and nodes: all that a lifted network knows. Sweeps write to it. */
export interface LiftedState {
  /** Of link k at k - 1. */
  readonly weights: LayerWeights[]
  /** Node k at k - 1: the hidden ones, and the last one where the output is free. */
  readonly nodes: Matrix[]
}

/** How many nodes are unknown: 1 .. this. */
export function nodeCount({ links, freeOutput }: Pick<Chain, 'links' | 'freeOutput'>): number {
  return freeOutput ? links.length : links.length - 1
}

/** Entries of a row of node k. */
export function nodeSize({ links }: Pick<Chain, 'links'>, k: number): number {
  const { map, units } = links[k - 1]!
  return map.positions * units
}

/** Node k, input and clamped targets included. */
export function nodeOf(chain: Chain, state: LiftedState, k: number): Matrix {
  if (k === 0) return chain.input
  return k > nodeCount(chain) ? chain.target : state.nodes[k - 1]!
}
