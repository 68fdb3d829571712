import { blockNorm, isZeroBlock } from '../numerics/blocks.ts'
import { type ActivationCones, type ActiveRows, activeRows } from '../sets/activation-cones.ts'
import type { ConvexSet, Penalty, Vector } from '../types.ts'

/**
 * R(u) = sum_b |u_b|_2 + indicator of u_b in K_b: group-l1 over blocks that must lie in their activation cones.
 *
 * A gauge like any norm, only with cones: prox_t = shrink_t(Proj_K(v)), exactly (Moreau: what the projection takes off
 * is orthogonal to what is left), the polar is max_b |Proj_{K_b}(v_b)|_2 = sup { u'v : R(u) <= 1 }, and R* is the
 * indicator of polar <= 1. So solvers and certificates of norms serve the ReLU program as they are.
 *
 * `perGate` consecutive blocks share the cone of one gate. Projections start from the block's last active rows. A block
 * with |v_b| <= t needs no projection in the prox, since |Proj_K(v_b)| <= |v_b|.
 */
export function coneGroupL1({ cones, perGate }: { cones: ActivationCones; perGate: number }): Penalty {
  const size = cones.dimension
  const blocks = cones.count * perGate
  const gateOf = (b: number): number => Math.floor(b / perGate)
  // Warm starts, apart for what is projected in the prox and in the polar: these differ.
  const forProx = warmStarts(blocks, size)
  const forPolar = warmStarts(blocks, size)
  const forDomain = warmStarts(blocks, size)
  const scratch = new Float64Array(size)

  const polar = (v: Vector): number => {
    const norms = Float64Array.from({ length: blocks }, (_, b) => blockNorm(v, b * size, size))
    // From the longest block down: once a projection is longer than every block left, it is the longest.
    const order = Uint32Array.from({ length: blocks }, (_, b) => b).sort((a, b) => norms[b]! - norms[a]!)
    let largest = 0
    for (const b of order) {
      if (norms[b]! <= largest) break
      largest = Math.max(largest, cones.project(gateOf(b), v, b * size, scratch, 0, forPolar(b)))
    }
    return largest
  }

  const domain: ConvexSet = {
    name: 'activation-cones',
    project(u, out = new Float64Array(u.length)) {
      for (let b = 0; b < blocks; b++)
        if (isZeroBlock(u, b * size, size)) out.fill(0, b * size, (b + 1) * size)
        else cones.project(gateOf(b), u, b * size, out, b * size, forDomain(b))
      return out
    },
    // A cone: sup y'u is 0 when y is in the polar cone, Infinity otherwise.
    support: (y) => (polar(y) <= 0 ? 0 : Number.POSITIVE_INFINITY),
    violation(u) {
      let worst = 0
      for (let b = 0; b < blocks; b++) {
        const length = blockNorm(u, b * size, size)
        if (length > 0) worst = Math.max(worst, cones.violation(gateOf(b), u, b * size) / length)
      }
      return worst
    },
  }

  return {
    name: 'cone-group-l1',
    blocks: { size },
    domain,
    value(u) {
      let total = 0
      for (let b = 0; b < blocks; b++) total += blockNorm(u, b * size, size)
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      for (let b = 0; b < blocks; b++) {
        const start = b * size
        if (blockNorm(v, start, size) <= step) {
          out.fill(0, start, start + size)
          continue
        }
        const length = cones.project(gateOf(b), v, start, out, start, forProx(b))
        const scale = length > step ? 1 - step / length : 0
        for (let j = start; j < start + size; j++) out[j]! *= scale
      }
      return out
    },
    polar,
    conjugate: (v) => (polar(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      let total = 0
      for (let b = 0; b < blocks; b++) {
        const start = b * size
        const length = blockNorm(u, start, size)
        if (length > 0) {
          // The subdifferential is u/|u| plus the normal cone at u.
          for (let j = 0; j < size; j++) scratch[j] = v[start + j]! - u[start + j]! / length
          total += cones.distanceToNormals(gateOf(b), u, start, scratch, 0) ** 2
        } else if (blockNorm(v, start, size) > 1) {
          // The subdifferential is all with |Proj_K| <= 1; the rest of v, in the polar cone, costs nothing.
          total += Math.max(0, cones.project(gateOf(b), v, start, scratch, 0, forPolar(b)) - 1) ** 2
        }
      }
      return Math.sqrt(total)
    },
  }
}

/** Active rows per block, made when a block is first projected. */
function warmStarts(blocks: number, size: number): (b: number) => ActiveRows {
  const known = new Array<ActiveRows | undefined>(blocks)
  return (b) => (known[b] ??= activeRows(size))
}
