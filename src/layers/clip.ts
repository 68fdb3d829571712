import { requireOptions } from '../numerics/options.ts'
import type { Activation } from './activation.ts'

/** Where the line is cut. */
export interface ClipOptions {
  /** Lower end (default 0). */
  low?: number
  /** Upper end (default 1). */
  high?: number
}

/**
 * phi(u) = min(max(u, low), high): the projection on an interval, so Phi(v) = v^2/2 there.
 *
 * @throws RangeError when low is not below high.
 */
export function clip(options: ClipOptions = {}): Activation {
  requireOptions(options, { low: 'number', high: 'number' }, 'clip')
  const { low = 0, high = 1 } = options
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new RangeError(
      `clip: low is ${low} and high is ${high}, expected two numbers with low below high; pass for example low: 0, high: 1.`,
    )
  const value = (u: number): number => (u < low ? low : u > high ? high : u)
  return {
    name: 'clip',
    options: { low, high },
    lipschitz: 1,
    value,
    inverse: (v) => v,
    potential: (v) => (v >= low && v <= high ? (v * v) / 2 : Number.POSITIVE_INFINITY),
    conjugate(u) {
      const v = value(u)
      return u * v - (v * v) / 2
    },
    slope: (u) => (u > low && u < high ? 1 : 0),
    shrink: value,
  }
}
