import type { Activation } from '../layers/activation.ts'
import { type Divergence, type Entry, separable } from './divergence.ts'
import { fenchel } from './fenchel.ts'
import { increasingRoot } from './increasing-root.ts'
import { linear } from './linear.ts'

/**
 * D = (1 - share) D_fenchel + share D_linear: from one coupling to the other.
 *
 * @throws RangeError when the share is not between 0 and 1.
 */
export function mixed(activation: Activation, share: number): Divergence & { readonly entry: Entry } {
  if (!(share >= 0 && share <= 1))
    throw new RangeError(`mixed: share is ${share}, expected from 0 (fenchel) to 1 (linear); pass for example 0.1.`)
  const a = fenchel(activation)
  const b = linear(activation)
  const blend =
    (of: (entry: Entry) => (u: number) => number): ((u: number) => number) =>
    (u) =>
      (1 - share) * of(a.entry)(u) + share * of(b.entry)(u)
  const potential = blend((entry) => entry.potential)
  const response = blend((entry) => entry.response)
  const slope = blend((entry) => entry.slope)
  return separable(
    `mixed(${activation.name}, ${share})`,
    (1 - share) * a.smoothness + share * b.smoothness,
    {
      potential,
      response,
      slope,
      conjugate: activation.potential,
      dual(q) {
        // At share 0 the response may not reach q, or reach it nowhere alone.
        if (share === 0) return a.entry.dual(q)
        const u = increasingRoot(response, slope, q)
        return q * u - potential(u)
      },
    },
    activation,
    share === 1,
  )
}
