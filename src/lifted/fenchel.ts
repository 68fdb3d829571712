import type { Activation } from '../layers/activation.ts'
import { type Divergence, type Entry, separable } from './divergence.ts'

/**
 * D(v, u) = Phi(v) - u v + Phi*(u), by Fenchel and Young at least 0, and 0 exactly where v = phi(u).
 *
 * D >= (v - phi(u))^2 / (2 L) for an L-Lipschitz phi; the response is phi itself. Of the identity it is the squared
 * loss, and of any activation the loss that its output layer matches: ln(1 + e^-yu) for the sigmoid.
 *
 * Gu, Askari and El Ghaoui 2020, AISTATS (Fenchel lifted networks); Li, Fang and Lin 2019, AAAI (LPOM).
 */
export function fenchel(activation: Activation): Divergence & { readonly entry: Entry } {
  return separable(
    `fenchel(${activation.name})`,
    activation.lipschitz,
    {
      potential: activation.conjugate,
      response: activation.value,
      slope: activation.slope,
      conjugate: activation.potential,
      dual: activation.potential,
    },
    activation,
    activation.name === 'identity',
  )
}
