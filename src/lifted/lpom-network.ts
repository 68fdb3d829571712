import type { Activation } from '../layers/activation.ts'
import { identity } from '../layers/identity.ts'
import { relu } from '../layers/relu.ts'
import { asMatrix } from '../numerics/interchange.ts'
import { requireOptions } from '../numerics/options.ts'
import { fenchel } from './fenchel.ts'
import { type LiftedNetwork, liftedNetwork } from './lifted-network.ts'
import { majorised } from './majoriser.ts'
import { damped } from './node-solvers.ts'
import { chainOf, type LiftedOptions, liftedOptionNames, planned } from './options.ts'
import { nodesThenLinks } from './schedule.ts'

export interface LpomNetworkOptions extends LiftedOptions {
  /** Of the output layer (default: as the hidden layers; identity() where a target is below 0). */
  outputActivation?: Activation
}

/**
 * A lifted proximal operator machine (Li, Fang and Lin 2019, AAAI; Li, Xiao, Fang, Dai, Xu and Lin 2020, TPAMI):
 *
 *     minimise  (1/m) sum_i ( |x_K,i - y_i|^2 / 2 + sum_{k<=K} mu_k D(x_k,i, z_k,i) ) + rho/2 sum_k |W_k|^2
 *
 * with the Fenchel divergence D at every layer and the last node free. Their penalty f + g + (v - u)^2 / 2 is D, apart
 * from a constant. Nodes take damped steps here, which lower the objective at any mu; `fixedPoint` nodes are theirs.
 * Defaults: mu 0.03, rho 1e-5, alpha 1e-6. In batches mu is 3, and 1 at the output, nodes are visited from the output down,
 * links take one step, and alpha in epoch t is 0.002 t times the mean of |[x 1]|^2. A ReLU output with a large mu may die;
 * keep it at most 1.
 */
export function lpomNetwork(options: LpomNetworkOptions): LiftedNetwork {
  const caller = 'lpomNetwork'
  requireOptions(options, { ...liftedOptionNames, outputActivation: true }, caller)
  const signed = asMatrix(options.y, caller, 'y').data.some((value) => value < 0)
  const outputActivation = options.outputActivation ?? (signed ? identity() : (options.activation ?? relu()))
  const batched = options.batch !== undefined
  const coupling = options.coupling ?? (batched ? [...options.hidden.map(() => 3), 1] : 0.03)
  const parts = { coupled: fenchel, coupling: 0.03, ridge: 1e-5, outputActivation }
  const chain = chainOf({ ...options, coupling }, caller, parts)
  const count = chain.links.length
  const links = options.links ?? (batched ? majorised({ steps: 1, momentum: false }) : majorised())
  return liftedNetwork(chain, {
    name: 'lpom-network',
    blocks: nodesThenLinks(options.order ?? (batched ? 'descending' : 'ascending'), count, count),
    nodes: options.nodes ?? damped(batched ? { steps: 3 } : {}),
    links: () => links,
    outputActivation,
    ...planned(options, caller, { damping: 1e-6, batchDamping: 0.002 }, chain),
  })
}
