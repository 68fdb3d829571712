import { blockNorm, largestBlockNorm } from '../numerics/blocks.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Penalty, PenaltyChoice } from '../types.ts'

/** Which group the entries of a two-layer program form. */
export interface GroupChoice {
  /** One group per gate over all outputs (Frobenius norm of the d x c block) instead of one per gate and output. */
  joint?: boolean
}

/**
 * R(u) = sum_b |u_b|_2 over consecutive blocks of `size` entries.
 *
 * One block is one neuron, so what becomes zero is a whole neuron. Without a size it is a choice for a program, which
 * places the blocks: one per gate and output (one-vs-all), or with `joint` one per gate over all outputs.
 *
 * @throws RangeError when `size` is not a positive whole number.
 */
export function groupL1(options?: GroupChoice): PenaltyChoice
export function groupL1(options: { size: number }): Penalty
export function groupL1(options: GroupChoice & { size?: number } = {}): Penalty | PenaltyChoice {
  requireOptions(options, { size: 'number', joint: 'boolean' }, 'groupL1')
  const { size, joint = false } = options
  if (size !== undefined) return blockPenalty(size)
  return {
    name: joint ? 'joint-group-l1' : 'group-l1',
    over: ({ features, outputs }) => blockPenalty(joint ? features * outputs : features),
  }
}

function blockPenalty(size: number): Penalty {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`groupL1: size is ${size}, expected a positive whole number; pass the number of features.`)
  return {
    name: 'group-l1',
    blocks: { size },
    blockNorms: { size },
    groups: { size },
    value(u) {
      let total = 0
      for (let start = 0; start < u.length; start += size) total += blockNorm(u, start, size)
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      // Shorten every block by `step`, keep its direction; what is shorter than `step` vanishes.
      for (let start = 0; start < v.length; start += size) {
        const length = blockNorm(v, start, size)
        const scale = length > step ? 1 - step / length : 0
        for (let j = start; j < start + size; j++) out[j] = scale * v[j]!
      }
      return out
    },
    polar: (v) => largestBlockNorm(v, size),
    polars: (v, part) =>
      Float64Array.from({ length: v.length / part }, (_, k) =>
        largestBlockNorm(v.subarray(k * part, (k + 1) * part), size),
      ),
    conjugate: (v) => (largestBlockNorm(v, size) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      let total = 0
      for (let start = 0; start < u.length; start += size) {
        const length = blockNorm(u, start, size)
        if (length > 0) for (let j = start; j < start + size; j++) total += (v[j]! - u[j]! / length) ** 2
        else total += Math.max(0, blockNorm(v, start, size) - 1) ** 2
      }
      return Math.sqrt(total)
    },
  }
}
