import { requireOptions } from '../numerics/options.ts'
import type { Activation } from './activation.ts'

/** What is let through below zero. */
export interface LeakyReluOptions {
  /** Slope below zero, above 0 and at most 1 (default 0.01). */
  slope?: number
}

/**
 * phi(u) = u for u >= 0 and slope u below: no unit is ever dead.
 *
 * Phi(v) = v^2/2, below zero v^2 / (2 slope); Phi*(u) = u^2/2, below zero slope u^2/2.
 *
 * @throws RangeError when the slope is not above 0 and at most 1.
 */
export function leakyRelu(options: LeakyReluOptions = {}): Activation {
  requireOptions(options, { slope: 'number' }, 'leakyRelu')
  const { slope = 0.01 } = options
  if (!(slope > 0 && slope <= 1))
    throw new RangeError(`leakyRelu: slope is ${slope}, expected above 0 and at most 1; pass for example 0.01.`)
  return {
    name: 'leaky-relu',
    options: { slope },
    lipschitz: 1,
    value: (u) => (u >= 0 ? u : slope * u),
    inverse: (v) => (v >= 0 ? v : v / slope),
    potential: (v) => (v >= 0 ? (v * v) / 2 : (v * v) / (2 * slope)),
    conjugate: (u) => (u >= 0 ? (u * u) / 2 : (slope * u * u) / 2),
    slope: (u) => (u >= 0 ? 1 : slope),
    // f(v) = (1/slope - 1) min(v, 0)^2 / 2
    shrink: (x, share) => (x >= 0 ? x : x / (1 + share * (1 / slope - 1))),
  }
}
