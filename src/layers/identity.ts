import type { Activation } from './activation.ts'

/** phi(u) = u, Phi(v) = v^2/2: a linear layer, whose divergence is the squared loss (v - u)^2 / 2. */
export function identity(): Activation {
  return {
    name: 'identity',
    lipschitz: 1,
    value: (u) => u,
    inverse: (v) => v,
    potential: (v) => (v * v) / 2,
    conjugate: (u) => (u * u) / 2,
    slope: () => 1,
    shrink: (x) => x,
  }
}
