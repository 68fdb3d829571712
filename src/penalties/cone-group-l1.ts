import { blockNorm, isZeroBlock } from '../numerics/blocks.ts'
import { type ActiveRows, activeRows } from '../numerics/cone-projection.ts'
import type { ActivationCones } from '../sets/activation-cones.ts'
import type { ConvexSet, Face, Penalty, Vector } from '../types.ts'

/** A normal shorter than a thousandth of its point is not accurate enough to bound with: the square of that. */
const SHORT = 1e-6

/** What a repaired block may be outside its cone, relative to its length. */
const ROUNDING = 1e-12

/** Bytes that the bases of all blocks' active rows may take; beyond that they are made anew for each projection. */
const BASES = 2 ** 27

/** What the projections of one block have found, for the next one to start from. */
export interface BlockMemory {
  readonly keepBasis: boolean
  active?: ActiveRows
  repaired?: ActiveRows
  /** What the last projection added to its point. */
  normal?: Vector
  /** The last face asked for, and the active rows it belongs to, in order. */
  face?: Face & { readonly rows: Int32Array }
  /** Faces that have been told apart, forgotten ones too. */
  faces?: number
}

/** Memories for so many blocks of so many entries; programs on some of the blocks share them. */
export function blockMemories(count: number, size: number): BlockMemory[] {
  const keepBasis = 16 * size * size * count <= BASES
  return Array.from({ length: count }, () => ({ keepBasis }))
}

/**
 * R(u) = sum_b |u_b|_2 + indicator of u_b in K_b: group-l1 over blocks that must lie in their activation cones.
 *
 * A gauge like any norm, only with cones: prox_t = shrink_t(Proj_K(v)), exactly (Moreau: what the projection takes off
 * is orthogonal to what is left), the polar is max_b |Proj_{K_b}(v_b)|_2 = sup { u'v : R(u) <= 1 }, and R* is the
 * indicator of polar <= 1. So solvers and certificates of norms serve the ReLU program as they are.
 *
 * `perGate` consecutive blocks share the cone of one gate. Most blocks need no projection: |Proj_K(v)| is the smallest
 * |v + q| over the q in the dual cone, so any such q bounds it from above, and the one that the block's last projection
 * found is kept (scaled to its best, in 4 d flops). Where that bound is not enough, projection starts from the block's
 * last active rows.
 */
export function coneGroupL1({
  cones,
  perGate,
  memories = blockMemories(cones.count * perGate, cones.dimension),
}: {
  cones: ActivationCones
  perGate: number
  /** One per block. */
  memories?: readonly BlockMemory[]
}): Penalty {
  const size = cones.dimension
  const blocks = cones.count * perGate
  const gateOf = (b: number): number => Math.floor(b / perGate)
  const scratch = new Float64Array(size)

  /** Projects v[start ..] on the cone of block b, to out, and keeps what was added to it as the block's normal. */
  const projectFrom = (b: number, v: Vector, start: number, out: Vector, outStart: number, enough?: number): number => {
    const memory = memories[b]!
    memory.active ??= activeRows(size, memory.keepBasis)
    const normal = (memory.normal ??= new Float64Array(size))
    const length = cones.project(gateOf(b), v, start, out, outStart, memory.active, enough)
    // What little a projection adds to a point of the cone, or near it, is rounding and points anywhere: not kept.
    let added = 0
    let whole = 0
    for (let j = 0; j < size; j++) {
      const entry = out[outStart + j]! - v[start + j]!
      normal[j] = entry
      added += entry * entry
      whole += v[start + j]! * v[start + j]!
    }
    if (added <= SHORT * whole) normal.fill(0)
    return length
  }

  const project = (b: number, v: Vector, out: Vector, outStart: number, enough?: number): number =>
    projectFrom(b, v, b * size, out, outStart, enough)

  /** An upper bound of |Proj_K(v)| for v[start ..]: the least |v + s q| over s >= 0 for block b's last normal q. */
  const bound = (b: number, v: Vector, start = b * size): number => {
    const { normal } = memories[b]!
    if (!normal) return blockNorm(v, start, size)
    let vv = 0
    let vq = 0
    let qq = 0
    for (let j = 0; j < size; j++) {
      const vk = v[start + j]!
      const qk = normal[j]!
      vv += vk * vk
      vq += vk * qk
      qq += qk * qk
    }
    if (!(vq < 0)) return Math.sqrt(vv)
    // Entry by entry: the difference vv - vq^2 / qq would lose a short remainder to rounding.
    const s = -vq / qq
    let total = 0
    for (let j = 0; j < size; j++) total += (v[start + j]! + s * normal[j]!) ** 2
    return Math.sqrt(total)
  }

  const polar = (v: Vector): number => {
    const bounds = Float64Array.from({ length: blocks }, (_, b) => bound(b, v))
    // From the largest bound down: once a projection is longer than every bound left, it is the longest.
    const order = Uint32Array.from({ length: blocks }, (_, b) => b).sort((a, b) => bounds[b]! - bounds[a]!)
    let largest = 0
    for (const b of order) {
      if (bounds[b]! <= largest) break
      largest = Math.max(largest, project(b, v, scratch, 0, largest))
    }
    return largest
  }

  const domain: ConvexSet = {
    name: 'activation-cones',
    project(u, out = new Float64Array(u.length)) {
      for (let b = 0; b < blocks; b++)
        if (isZeroBlock(u, b * size, size)) out.fill(0, b * size, (b + 1) * size)
        else {
          cones.project(gateOf(b), u, b * size, out, b * size, (memories[b]!.repaired ??= activeRows(size)))
          // Among columns of very unlike scale a projection may end outside; zero is inside.
          if (cones.violation(gateOf(b), out, b * size) > ROUNDING * blockNorm(out, b * size, size))
            out.fill(0, b * size, (b + 1) * size)
        }
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
    blockNorms: { size },
    domain,
    cones: {
      size,
      project(b, v, start, out, outStart, enough = 0) {
        const most = enough > 0 ? bound(b, v, start) : Number.POSITIVE_INFINITY
        return most <= enough ? most : projectFrom(b, v, start, out, outStart, enough)
      },
      face(b) {
        const memory = memories[b]!
        // Another solve of the same program may have forgotten it in between.
        const active = (memory.active ??= activeRows(size, memory.keepBasis))
        const rows = active.rows.slice(0, active.count).sort()
        const known = memory.face
        if (known && known.rows.length === rows.length && known.rows.every((row, k) => row === rows[k])) return known
        return (memory.face = {
          rows,
          basis: cones.face(gateOf(b), active).slice(),
          version: (memory.faces = (memory.faces ?? 0) + 1),
        })
      },
    },
    forget() {
      for (const memory of memories) {
        delete memory.active
        delete memory.repaired
        delete memory.normal
        delete memory.face
      }
    },
    value(u) {
      let total = 0
      for (let b = 0; b < blocks; b++) total += blockNorm(u, b * size, size)
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      for (let b = 0; b < blocks; b++) {
        const start = b * size
        if (bound(b, v) <= step) {
          out.fill(0, start, start + size)
          continue
        }
        const length = project(b, v, out, start, step)
        const scale = length > step ? 1 - step / length : 0
        for (let j = start; j < start + size; j++) out[j]! *= scale
      }
      return out
    },
    polar,
    polars(v, part, enough = 0) {
      const found = new Float64Array(v.length / part)
      for (let b = 0; b < blocks; b++) {
        const k = Math.floor((b * size) / part)
        const most = bound(b, v)
        if (most > found[k]!)
          found[k] = most <= enough ? most : Math.max(found[k]!, project(b, v, scratch, 0, Math.max(enough, found[k]!)))
      }
      return found
    },
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
        } else if (bound(b, v) > 1) {
          // The subdifferential is all with |Proj_K| <= 1; the rest of v, in the polar cone, costs nothing.
          total += Math.max(0, project(b, v, scratch, 0, 1) - 1) ** 2
        }
      }
      return Math.sqrt(total)
    },
  }
}
