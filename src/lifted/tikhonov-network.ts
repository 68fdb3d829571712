import { identity } from '../layers/identity.ts'
import { relu } from '../layers/relu.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { type LiftedNetwork, liftedNetwork } from './lifted-network.ts'
import { linear } from './linear.ts'
import { majorised } from './majoriser.ts'
import { damped } from './node-solvers.ts'
import { chainOf, type LiftedOptions, planned, requireHidden } from './options.ts'
import { type Block, linksFrom } from './schedule.ts'
import { keepLargest, sparseLinks } from './sparse-links.ts'

/** What `tikhonovNetwork` is made from. */
export interface TikhonovNetworkOptions
  extends Omit<LiftedOptions, 'activation' | 'nodes' | 'links' | 'order' | 'batch' | 'inertia'> {
  /** Whether a sweep begins with the output layer (default) or with the nodes. */
  outputFirst?: boolean
  /**
   * theta_t of sweep t: blocks go that share of the way to their minimum, with a proximal term (1 - theta)^2 / 2.
   * Default 1 / (t + 1)^2, whose sum is finite: the walk freezes near its random start, on purpose. With 1 every block is
   * minimised, negative inputs of a ReLU are charged for until there are none, and what is left is a linear model.
   */
  relaxation?: number | ((sweep: number) => number)
  /** Hidden units use at most so many of their inputs. */
  keep?: number
}

const optionNames: OptionKinds<TikhonovNetworkOptions> = {
  X: true,
  y: true,
  hidden: true,
  outputMap: true,
  coupling: true,
  ridge: 'number',
  damping: true,
  seed: 'number',
  outputFirst: 'boolean',
  relaxation: true,
  keep: 'number',
}

/**
 * Tikhonov-regularised lifting (Zhang and Brand 2017, NeurIPS): ReLU layers, linear couplings, squared loss,
 *
 *     minimise  (1/m) sum_i ( |y_i - V x_N,i - c|^2 / 2 + sum_k gamma_k/2 |x_k,i - W_k x_{k-1,i} - b_k|^2 )
 *               + rho/2 (|V|^2 + sum_k |W_k|^2)      over x_k >= 0
 *
 * All hidden nodes are one block, a non-negative quadratic problem per sample; every layer is a least squares. The
 * objective is above the network's loss by gamma/2 |min(z, 0)|^2, and the relaxed output layer has not reached its minimum:
 * the network is good only after `refit`, which trains it. Defaults: gamma 1, rho 1e-4; take wide hidden layers, of four
 * times the inputs or more.
 */
export function tikhonovNetwork(options: TikhonovNetworkOptions): LiftedNetwork {
  const caller = 'tikhonovNetwork'
  requireOptions(options, optionNames, caller)
  const { outputFirst = true, relaxation = (t: number): number => 1 / (t + 1) ** 2, keep } = options
  requireHidden(options.hidden, caller)
  if (options.hidden.length === 0)
    throw new RangeError(`${caller}: hidden is empty, expected one layer at least; pass for example hidden: [256].`)
  if (options.hidden.some((layer) => typeof layer !== 'number') || options.outputMap)
    throw new RangeError(
      `${caller}: layers with maps were given, expected dense ones; pass widths, or use fenchelNetwork.`,
    )
  if (typeof relaxation === 'number' && !(relaxation > 0 && relaxation <= 1))
    throw new RangeError(`${caller}: relaxation is ${relaxation}, expected above 0 and at most 1; pass for example 1.`)
  const chain = chainOf({ ...options, activation: relu() }, caller, {
    coupled: linear,
    coupling: 1,
    ridge: 1e-4,
    output: 'squared',
  })
  const count = chain.links.length
  const output: Block = { kind: 'link', k: count }
  const joint: Block = { kind: 'joint' }
  const leastSquares = majorised({ steps: 1, momentum: false })
  const sparse = keep === undefined ? undefined : sparseLinks({ keep })
  return liftedNetwork(chain, {
    name: 'tikhonov-network',
    blocks: [...(outputFirst ? [output, joint] : [joint, output]), ...linksFrom(1, count - 1)],
    nodes: damped(),
    // The output layer keeps all of its weights.
    links: (k) => (sparse && k < count ? sparse : leastSquares),
    outputActivation: identity(),
    ...(relaxation !== 1 && { relaxation: typeof relaxation === 'number' ? () => relaxation : relaxation }),
    ...(keep !== undefined && {
      prepare: (weights) => {
        for (const { W } of weights.slice(0, -1)) keepLargest(W, keep)
      },
    }),
    ...planned(options, caller, { damping: 0 }, chain),
  })
}
