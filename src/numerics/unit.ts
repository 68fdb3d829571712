import type { Vector } from '../types.ts'

/** The largest absolute value of the entries, 0 where there are none. */
export function largestSize(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!))
  return most
}

/**
 * A power of two by which to multiply such numbers so that their squares neither overflow nor vanish: about 1 / max_i |v_i|. It
 * rounds nothing, so that a ratio of sums of squares is the same to the last bit.
 */
export function unitScale(values: Vector): number {
  const most = largestSize(values)
  if (most === 0 || !Number.isFinite(most)) return 1
  return 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(most))))
}
