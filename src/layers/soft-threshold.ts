import { requireOptions } from '../numerics/options.ts'
import type { Activation } from './activation.ts'

/** What is taken away. */
export interface SoftThresholdOptions {
  /** What is taken off every entry's size, at least 0 (default 0.5). */
  threshold?: number
}

/**
 * phi(u) = sign(u) max(|u| - threshold, 0): what is small becomes zero, as in sparse coding.
 *
 * Phi(v) = v^2/2 + threshold |v|, Phi*(u) = max(|u| - threshold, 0)^2 / 2.
 *
 * @throws RangeError when the threshold is not a number of at least 0.
 */
export function softThreshold(options: SoftThresholdOptions = {}): Activation {
  requireOptions(options, { threshold: 'number' }, 'softThreshold')
  const { threshold = 0.5 } = options
  if (!(threshold >= 0 && Number.isFinite(threshold)))
    throw new RangeError(
      `softThreshold: threshold is ${threshold}, expected a number of at least 0; pass for example 0.5.`,
    )
  return {
    name: 'soft-threshold',
    options: { threshold },
    lipschitz: 1,
    value: (u) => soft(u, threshold),
    inverse: (v) => v + threshold * Math.sign(v),
    potential: (v) => (v * v) / 2 + threshold * Math.abs(v),
    conjugate: (u) => soft(u, threshold) ** 2 / 2,
    slope: (u) => (Math.abs(u) > threshold ? 1 : 0),
    shrink: (x, share) => soft(x, share * threshold),
  }
}

function soft(x: number, threshold: number): number {
  return x > threshold ? x - threshold : x < -threshold ? x + threshold : 0
}
