import { blockNorm, gatherBlocks, isZeroBlock } from '../numerics/blocks.ts'
import { type BlockedCones, conePoint, type HeldRows } from '../sets/blocked-cones.ts'
import type { ConvexSet, Penalty, Vector } from '../types.ts'

/** Blocks that are projected together: one pass over X serves them all. */
const TOGETHER = 128
/** Passes that a projection may take, and one of which only a bound of the norm is wanted. */
const PASSES = 20
const FEW = 4
/** How far inside its cone a projected point is kept, relative to the point it came from. */
const INSIDE = 1e-8
/** What rows may be missed by where a norm is asked for, relative likewise. */
const NEAR = 1e-5

/** Blocks that are multiplied with X together. */
const LINES = 1024
/** A block this near to its cone, relative to its length, is in it. */
const ROUNDING = 1e-12

/** What the projections of one block have found, for the next one to start from. */
export interface BlockedMemory {
  held?: HeldRows
  repaired?: HeldRows
  /** What the last projection added to its point: in the dual cone. */
  normal?: Vector
}

/** Memories for so many blocks; programs on some of the blocks share them. */
export function blockedMemories(count: number): BlockedMemory[] {
  return Array.from({ length: count }, () => ({}))
}

/**
 * The penalty of `coneGroupL1` over cones whose rows are read a block at a time: R(u) = sum_b |u_b|_2 + indicator of u_b in K_b.
 *
 * Projections are made many at a time by working sets of rows. What they return is strictly inside the cone, by 1e-8 of the
 * point projected, and nearest among the points that are. Norms are upper bounds: any q of the dual cone has
 * |Proj_K(v)| <= |v + q|, and the one that the rows held give is taken. So points are feasible and lower bounds of an optimum
 * hold, whatever a projection has left to gain.
 *
 * `inside` gives a vector strictly inside a gate's cone, where one is known: a projection whose passes end too early goes towards it.
 */
export function blockedConeGroupL1({
  cones,
  perGate,
  inside,
  memories,
}: {
  cones: BlockedCones
  perGate: number
  inside: (gate: number) => Vector | undefined
  /** One per block. */
  memories: readonly BlockedMemory[]
}): Penalty {
  const size = cones.dimension
  const blocks = memories.length
  const gateOf = (b: number): number => Math.floor(b / perGate)

  /** Projects the chosen blocks of v, some together, and hands each to `take` with the point that was found. */
  const project = (
    chosen: readonly number[],
    v: Vector,
    purpose: 'point' | 'norm' | 'repair',
    take: (b: number, point: Vector) => void,
  ): void => {
    const place = purpose === 'repair' ? 'repaired' : 'held'
    for (let from = 0; from < chosen.length; from += TOGETHER) {
      const some = chosen.slice(from, from + TOGETHER)
      const points = some.map((b) => {
        const length = blockNorm(v, b * size, size)
        const direction = inside(gateOf(b))
        const known = memories[b]![place]
        return conePoint({
          gate: gateOf(b),
          target: v.slice(b * size, (b + 1) * size),
          margin: purpose === 'norm' ? 0 : INSIDE * length,
          tolerance: purpose === 'norm' ? NEAR * length : (INSIDE * length) / 2,
          ...(direction && { inside: direction }),
          ...(known && { held: known }),
        })
      })
      cones.search(points, purpose === 'norm' ? FEW : PASSES)
      points.forEach((at, i) => {
        const memory = memories[some[i]!]!
        memory[place] = at.held
        if (purpose === 'repair') return
        const normal = (memory.normal ??= new Float64Array(size))
        for (let j = 0; j < size; j++) normal[j] = at.point[j]! - at.target[j]!
      })
      if (purpose !== 'norm') for (const lost of cones.complete(points)) lost.point.fill(0)
      points.forEach((at, i) => {
        take(some[i]!, at.point)
      })
    }
  }

  /** An upper bound of |Proj_K(v)| for block b: |v + s q| for its last normal q and the best s >= 0. */
  const bound = (b: number, v: Vector): number => {
    const start = b * size
    const { normal } = memories[b]!
    let along = 0
    let square = 0
    if (normal)
      for (let j = 0; j < size; j++) {
        along += v[start + j]! * normal[j]!
        square += normal[j]! * normal[j]!
      }
    const s = along < 0 ? -along / square : 0
    let total = 0
    for (let j = 0; j < size; j++) total += (v[start + j]! + (s > 0 ? s * normal![j]! : 0)) ** 2
    return Math.sqrt(total)
  }

  /** Upper bounds of |Proj_K(v)| for all blocks: no block above `enough` is left unprojected, or, for the largest, that might be it. */
  const bounds = (v: Vector, enough: number, onlyLargest: boolean): Vector => {
    const found = Float64Array.from({ length: blocks }, (_, b) => bound(b, v))
    const order = Array.from(found.keys())
      .filter((b) => found[b]! > enough)
      .sort((a, b) => found[b]! - found[a]!)
    let largest = enough
    for (let from = 0; from < order.length; from += TOGETHER) {
      // From the largest bound down: once a norm is above every bound left, it is the largest.
      const some = order.slice(from, from + TOGETHER).filter((b) => found[b]! > largest)
      project(some, v, 'norm', (b, point) => {
        found[b] = Math.min(found[b]!, blockNorm(point, 0, size))
        if (onlyLargest) largest = Math.max(largest, found[b]!)
      })
    }
    return found
  }

  const polar = (v: Vector): number => bounds(v, 0, true).reduce((most, one) => Math.max(most, one), 0)

  const nonzero = (u: Vector): number[] =>
    Array.from({ length: blocks }, (_, b) => b).filter((b) => !isZeroBlock(u, b * size, size))

  const domain: ConvexSet = {
    name: 'activation-cones',
    project(u, out = new Float64Array(u.length)) {
      const chosen = nonzero(u)
      const outside = violations(u, chosen)
      out.set(u)
      project(
        chosen.filter((_, i) => outside[i]! > ROUNDING),
        u,
        'repair',
        (b, point) => out.set(point, b * size),
      )
      return out
    },
    // A cone: sup y'u is 0 when y is in the polar cone, Infinity otherwise.
    support: (y) => (polar(y) <= 0 ? 0 : Number.POSITIVE_INFINITY),
    violation: (u) => violations(u, nonzero(u)).reduce((most, one) => Math.max(most, one), 0),
  }

  /** How far outside their cones the chosen blocks are, relative to their lengths. */
  const violations = (u: Vector, chosen: readonly number[]): Vector => {
    const out = new Float64Array(chosen.length)
    for (let from = 0; from < chosen.length; from += LINES) {
      const some = chosen.slice(from, from + LINES)
      const gates = some.map(gateOf)
      const worst = cones.violations(gates, gatherBlocks(u, Int32Array.from(some), size))
      some.forEach((b, i) => {
        out[from + i] = worst[i]! / blockNorm(u, b * size, size)
      })
    }
    return out
  }

  return {
    name: 'cone-group-l1',
    blocks: { size },
    blockNorms: { size },
    domain,
    forget() {
      for (const memory of memories) {
        delete memory.held
        delete memory.repaired
        delete memory.normal
      }
    },
    value(u) {
      let total = 0
      for (let b = 0; b < blocks; b++) total += blockNorm(u, b * size, size)
      return total
    },
    prox(v, step, out = new Float64Array(v.length)) {
      const chosen: number[] = []
      for (let b = 0; b < blocks; b++) if (bound(b, v) > step) chosen.push(b)
      const target = out === v ? v.slice() : v
      out.fill(0)
      project(chosen, target, 'point', (b, point) => {
        const length = blockNorm(point, 0, size)
        const factor = length > step ? 1 - step / length : 0
        for (let j = 0; j < size; j++) out[b * size + j] = factor * point[j]!
      })
      return out
    },
    polar,
    polars(v, part, enough = 0) {
      const each = bounds(v, enough, false)
      const found = new Float64Array(v.length / part)
      each.forEach((most, b) => {
        const k = Math.floor((b * size) / part)
        found[k] = Math.max(found[k]!, most)
      })
      return found
    },
    conjugate: (v) => (polar(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      let total = 0
      for (let b = 0; b < blocks; b++) {
        const start = b * size
        const length = blockNorm(u, start, size)
        // Strictly inside, as points are kept, the subdifferential is u / |u| alone.
        if (length > 0) for (let j = start; j < start + size; j++) total += (v[j]! - u[j]! / length) ** 2
        else total += Math.max(0, bound(b, v) - 1) ** 2
      }
      return Math.sqrt(total)
    },
  }
}
