import { assemble, singularValues, svd } from '../numerics/svd.ts'
import { norm } from '../numerics/vectors.ts'
import type { Penalty, PenaltyChoice, Vector } from '../types.ts'
import { distanceToFace, eachBlock, type MatrixBlocks, requireSize, splitAtFace } from './spectral.ts'

/**
 * R(u) = sum_b |U_b|_*, the sum of singular values of consecutive row-major blocks of `rows` x `columns` entries.
 *
 * One singular value is one filter with the weights that read it: r filters and their weight decay
 * 1/2 (|W|^2 + |a|^2) at their least are |W a'|_*. The prox shortens every singular value by `step`. Without sizes it is a
 * choice for a two-layer program: one block per gate, outputs x features, the exact vector-output form of gated networks.
 *
 * Cost: one singular value decomposition per block. Cai, Candès and Shen 2010, SIAM J. Optim. 20(4).
 *
 * @throws RangeError when a size is not a positive whole number.
 */
export function nuclear(): PenaltyChoice
export function nuclear(options: MatrixBlocks): Penalty
export function nuclear(options?: MatrixBlocks): Penalty | PenaltyChoice {
  return options
    ? placed(options)
    : { name: 'nuclear', over: ({ features, outputs }) => placed({ rows: outputs, columns: features }) }
}

function placed({ rows, columns }: MatrixBlocks): Penalty {
  requireSize({ rows, columns }, 'nuclear')
  const size = rows * columns
  const each = (u: Vector, visit: (block: Vector, start: number) => void): void => eachBlock(u, size, 'nuclear', visit)
  const polar = (v: Vector): number => {
    let largest = 0
    each(v, (block) => {
      largest = Math.max(largest, singularValues(block, rows, columns)[0]!)
    })
    return largest
  }
  return {
    name: 'nuclear',
    blocks: { size },
    value(u) {
      let total = 0
      each(u, (block) => {
        total += singularValues(block, rows, columns).reduce((sum, value) => sum + value, 0)
      })
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      each(v, (block, start) => {
        if (step === 0) {
          out.set(block, start)
          return
        }
        // No singular value is above the Frobenius norm.
        if (norm(block) <= step) {
          out.fill(0, start, start + size)
          return
        }
        const parts = svd(block, rows, columns)
        const shortened = parts.values.map((value) => Math.max(0, value - step))
        assemble(parts, shortened, rows, columns, out.subarray(start, start + size))
      })
      return out
    },
    polar,
    conjugate: (v) => (polar(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      let total = 0
      each(u, (block, start) => {
        const slopes = v.subarray(start, start + size)
        total += distanceToFace(splitAtFace(svd(block, rows, columns), slopes, { rows, columns }), 1) ** 2
      })
      return Math.sqrt(total)
    },
  }
}
