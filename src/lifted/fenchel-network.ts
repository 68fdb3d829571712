import { identity } from '../layers/identity.ts'
import { requireOptions } from '../numerics/options.ts'
import { fenchel } from './fenchel.ts'
import { type LiftedNetwork, liftedNetwork } from './lifted-network.ts'
import { majorised } from './majoriser.ts'
import { mixed } from './mixed.ts'
import { damped } from './node-solvers.ts'
import { chainOf, type LiftedOptions, liftedOptionNames, type OutputLoss, planned } from './options.ts'
import { nodesThenLinks } from './schedule.ts'

export interface FenchelNetworkOptions extends LiftedOptions {
  /** What the output pays (default `cross-entropy`). */
  loss?: OutputLoss
  /** Share of the linear coupling in the hidden ones, from 0 (default) to 1. */
  linearShare?: number
}

/**
 * A Fenchel lifted network (Gu, Askari and El Ghaoui 2020, AISTATS):
 *
 *     minimise  (1/m) sum_i ( loss(y_i, z_K,i) + sum_{k<K} lambda_k D(x_k,i, z_k,i) ) + rho/2 sum_k |W_k|^2
 *
 * with the Fenchel divergence D of the activation: the Lagrangian of the network with its layers as constraints D <= 0.
 * For any lambda >= 0 its global minimum is at most the network's best loss; a point that sweeps find is not that minimum,
 * so its objective bounds nothing. Defaults: lambda 10, rho 1e-3 (1e-4 with the squared loss), alpha 1e-6. In batches rho is
 * 1e-4, links take one step, and alpha in epoch t is 0.02 t times the mean of |[x 1]|^2, so that steps fall as 1 / t.
 */
export function fenchelNetwork(options: FenchelNetworkOptions): LiftedNetwork {
  requireOptions(options, { ...liftedOptionNames, loss: true, linearShare: 'number' }, 'fenchelNetwork')
  const { loss = 'cross-entropy', linearShare = 0, batch } = options
  const caller = 'fenchelNetwork'
  const chain = chainOf(options, caller, {
    coupled: (activation) => (linearShare > 0 ? mixed(activation, linearShare) : fenchel(activation)),
    coupling: 10,
    ridge: batch !== undefined ? 1e-4 : loss === 'squared' ? 1e-4 : 1e-3,
    output: loss,
  })
  const count = chain.links.length
  const links = options.links ?? (batch === undefined ? majorised() : majorised({ steps: 1, momentum: false }))
  return liftedNetwork(chain, {
    name: 'fenchel-network',
    blocks: nodesThenLinks(options.order ?? 'descending', count - 1, count),
    nodes: options.nodes ?? damped(),
    links: () => links,
    outputActivation: identity(),
    ...planned(options, caller, { damping: 1e-6, batchDamping: 0.02 }, chain),
  })
}
