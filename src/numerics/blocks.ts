import type { Vector } from '../types.ts'

/** |u_b|_2 of the block of `size` entries at `start`. */
export function blockNorm(u: Vector, start: number, size: number): number {
  let total = 0
  for (let j = start; j < start + size; j++) total += u[j]! * u[j]!
  return Math.sqrt(total)
}

/** max_b |u_b|_2 over consecutive blocks of `size` entries. */
export function largestBlockNorm(u: Vector, size: number): number {
  let largest = 0
  for (let start = 0; start < u.length; start += size) largest = Math.max(largest, blockNorm(u, start, size))
  return largest
}

/** Whether every entry of the block is exactly zero. */
export function isZeroBlock(u: Vector | Float32Array, start: number, size: number): boolean {
  for (let j = start; j < start + size; j++) if (u[j] !== 0) return false
  return true
}

/** The chosen blocks of `size` entries, one after the other. */
export function gatherBlocks(u: Vector, chosen: Int32Array, size: number): Vector {
  const out = new Float64Array(chosen.length * size)
  chosen.forEach((b, k) => {
    out.set(u.subarray(b * size, (b + 1) * size), k * size)
  })
  return out
}
