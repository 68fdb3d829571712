import { requireOptions } from '../numerics/options.ts'
import type { Certificate, ConvexProgram, Scope } from '../types.ts'
import { certify } from './certify.ts'

/** A network seen from both sides: as a point of the convex program, and as the network it is. */
export interface Verification {
  /** Certificate of the network's point in the program. */
  readonly program: Certificate
  /** The network's own objective F(f(X)) + lambda/2 (|W1|^2 + |W2|^2); absent where the penalty has no such form, or
   * a neuron serves several outputs: the one-vs-all program does not bound such a network. */
  readonly network?: number
  /** network - program.primal: 0 up to rounding for a balanced network, positive for an unbalanced one. */
  readonly difference?: number
  /** No network within `scope` has an objective below this. */
  readonly lowerBound: number
  readonly scope: Scope
}

/**
 * Checks numerically that a network and its convex program agree, and bounds how far the network is from optimal.
 *
 * Works for a network trained anywhere, as long as the program has its activation patterns; see `embed`.
 *
 * @throws RangeError when the network does not fit the program.
 */
export function verify<M>(program: ConvexProgram<M>, model: M, options: { tolerance?: number } = {}): Verification {
  requireOptions(options, { tolerance: 'number' }, 'verify')
  const certificate = certify(program, program.embed(model, options.tolerance))
  const bound = { program: certificate, lowerBound: certificate.dual, scope: certificate.scope }
  const network = program.networkObjective?.(model)
  if (network === undefined) return bound
  return { ...bound, network, difference: network - certificate.primal }
}
