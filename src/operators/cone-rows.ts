import { isZeroBlock } from '../numerics/blocks.ts'
import type { ActivationCones } from '../sets/activation-cones.ts'
import type { LinearOperator } from '../types.ts'

/**
 * G u = (B_b u_b) over all blocks b, with B_b the unit rows of (2 D_i - I) X of the block's gate: u lies in its cones when
 * G u >= 0. `perGate` consecutive blocks share a gate. 2 n d flops per block that is not zero; G itself is never formed.
 */
export function coneRows(cones: ActivationCones, perGate: number): LinearOperator {
  const { dimension: d, rows: n } = cones
  const blocks = cones.count * perGate
  return {
    rows: blocks * n,
    columns: blocks * d,
    apply(u, out = new Float64Array(blocks * n)) {
      for (let b = 0; b < blocks; b++)
        if (isZeroBlock(u, b * d, d)) out.fill(0, b * n, (b + 1) * n)
        else cones.slacks(Math.floor(b / perGate), u, b * d, out, b * n)
      return out
    },
    adjoint(p, out = new Float64Array(blocks * d)) {
      out.fill(0)
      for (let b = 0; b < blocks; b++) cones.combine(Math.floor(b / perGate), p, b * n, out, b * d)
      return out
    },
  }
}
