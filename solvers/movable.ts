import type { Vector } from '../src/types.ts'

/** Blocks that may become active in one step: at least so many, and for each active one. */
const LEAST = 50
const NEWCOMERS = 1

/**
 * The blocks whose weights a Newton step on eta is about, ascending: those that are active, and of those that are violated,
 * |A_b'theta| > lambda, the ones of largest |A_b'theta|, as many as are active and at least 50.
 */
export function movable(weights: Vector, lengths: Vector, lambda: number): Int32Array {
  const free: number[] = []
  const violating: number[] = []
  for (let i = 0; i < weights.length; i++)
    if (weights[i]! > 0) free.push(i)
    else if (lengths[i]! > lambda) violating.push(i)
  const most = Math.max(LEAST, Math.ceil(NEWCOMERS * free.length))
  if (violating.length > most) {
    violating.sort((a, b) => lengths[b]! - lengths[a]! || a - b)
    violating.length = most
  }
  return Int32Array.from([...free, ...violating]).sort()
}
