import type { Activation } from './activation.ts'

/** phi(u) = max(u, 0): the projection on v >= 0, so Phi(v) = v^2/2 there and Phi*(u) = max(u, 0)^2 / 2. */
export function relu(): Activation {
  return {
    name: 'relu',
    lipschitz: 1,
    value: (u) => (u > 0 ? u : 0),
    inverse: (v) => v,
    potential: (v) => (v >= 0 ? (v * v) / 2 : Number.POSITIVE_INFINITY),
    conjugate: (u) => (u > 0 ? (u * u) / 2 : 0),
    slope: (u) => (u > 0 ? 1 : 0),
    shrink: (x) => (x > 0 ? x : 0),
  }
}
