import type { Vector } from '../src/types.ts'

/** Blocks that may become active in one step: as many as are active, but at least so many, and at most so many a row. */
const LEAST = 50
const MOST = 0.15

/**
 * The blocks whose weights a Newton step on eta is about, ascending: those that are active, and of those that are violated,
 * |A_b'theta| > lambda, the ones of largest |A_b'theta|, as many as are active; no more than 0.15 a row of n, and at least 50.
 */
export function movable(weights: Vector, lengths: Vector, lambda: number, n: number): Int32Array {
  const free: number[] = []
  const violating: number[] = []
  for (let i = 0; i < weights.length; i++)
    if (weights[i]! > 0) free.push(i)
    else if (lengths[i]! > lambda) violating.push(i)
  const most = Math.max(LEAST, Math.min(free.length, Math.ceil(MOST * n)))
  if (violating.length > most) {
    violating.sort((a, b) => lengths[b]! - lengths[a]! || a - b)
    violating.length = most
  }
  return Int32Array.from([...free, ...violating]).sort()
}
