import type { Activation } from '../layers/activation.ts'
import { type Divergence, type Entry, separable } from './divergence.ts'

/**
 * D(v, u) = Phi(v) - u v + u^2/2; of a ReLU (v - u)^2 / 2 with v >= 0.
 *
 * Jointly convex in v and u where phi is 1-Lipschitz, so that all nodes of a sample can be solved for together, and
 * links are least squares. The price: at v = phi(u) it is not 0 but f*-like excess, min(u, 0)^2 / 2 for a ReLU, so that
 * negative inputs are charged for.
 *
 * Zhang and Brand 2017, NeurIPS; Askari et al. 2018.
 */
export function linear(activation: Activation): Divergence & { readonly entry: Entry } {
  return separable(
    `linear(${activation.name})`,
    1,
    {
      potential: (u) => (u * u) / 2,
      response: (u) => u,
      slope: () => 1,
      conjugate: activation.potential,
      dual: (q) => (q * q) / 2,
    },
    activation,
    true,
  )
}
