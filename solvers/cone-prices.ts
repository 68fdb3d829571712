import { blockNorm } from '../src/numerics/blocks.ts'
import { squaredDistance } from '../src/numerics/vectors.ts'
import type { BlockCones, BlockMaps, Step, Vector } from '../src/types.ts'
import type { ConeIterate } from './cone-iterate.ts'

/**
 * Prices g_b(theta) = |P_b(A_b'theta)| of all blocks at the theta of a point, as far as they are asked for.
 *
 * Most blocks are bounded by what they were projected to before, in 4 d flops; projections are made from the largest bound
 * down, until the prices that are asked for are above every bound that is left.
 */
export interface ConePrices {
  /** Whether anything is known, for whatever theta. */
  readonly begun: boolean
  /** The largest price where it is above `least`, and some upper bound of it that is not, elsewhere. */
  largest(least: number): Generator<Step, number>
  /**
   * The `count` blocks without a weight that have the highest prices, those above `least`, the highest first; one of those whose
   * projections are one: neighbours, on the face they share.
   */
  highest(count: number, least: number): Generator<Step, number[]>
  /** The projection P_b(A_b'theta) of a block, where one was made at this theta. Lent. */
  projection(block: number): Vector | undefined
}

/** Projections between two yields. */
const BREATH = 32
/** Projections that differ by less, relative, are one. */
const SAME = 1e-9

export function conePrices(maps: BlockMaps, cones: BlockCones, point: ConeIterate, coefficients: Vector): ConePrices {
  const { count: blocks, size: d } = maps
  const everyBlock = Int32Array.from({ length: blocks }, (_, b) => b)
  const correlations = new Float64Array(blocks * d)
  const projections = new Float64Array(blocks * d)
  // Upper bounds, or the prices themselves where a block has been projected at this theta.
  const bounds = new Float64Array(blocks)
  const projected = new Uint8Array(blocks)
  const weighed = new Uint8Array(blocks)
  let theta: Vector | undefined

  /** Bounds of all blocks, where theta has moved, and what the point knows of those it works on. */
  const look = (): void => {
    if (theta !== point.theta) {
      theta = point.theta
      maps.correlations(everyBlock, theta, correlations)
      projected.fill(0)
      for (let b = 0; b < blocks; b++) bounds[b] = boundOf(b)
    }
    weighed.fill(0)
    point.chosen.forEach((b, i) => {
      if (point.eta[i]! > 0) weighed[b] = 1
      if (!point.projected[i]) return
      bounds[b] = point.lengths[i]!
      projections.set(point.points.subarray(i * d, (i + 1) * d), b * d)
      projected[b] = 1
    })
  }

  /** No more than the length, whatever the cone knows. */
  const boundOf = (b: number): number => {
    const length = blockNorm(correlations, b * d, d)
    return cones.project(point.coneOf(b), correlations, b * d, projections, b * d, Math.max(length, Number.MIN_VALUE))
  }

  /** Projects from the highest bound down, until `count` prices are above every bound that is left or none is above `least`. */
  function* reveal(count: number, least: number, counts: (b: number) => boolean): Generator<Step, void> {
    const open = everyBlock.filter((b) => !projected[b] && bounds[b]! > least)
    open.sort((a, b) => bounds[b]! - bounds[a]!)
    const found = Array.from(
      everyBlock.filter((b) => projected[b] && counts(b)),
      (b) => bounds[b]!,
    )
    found.sort((a, b) => b - a)
    let work = 0
    for (const b of open) {
      const enough = Math.max(least, found[count - 1] ?? 0)
      if (bounds[b]! <= enough) break
      const price = cones.project(point.coneOf(b), correlations, b * d, projections, b * d, enough)
      bounds[b] = price
      if (price > enough) {
        projected[b] = 1
        let place = found.length
        while (place > 0 && found[place - 1]! < price) place--
        found.splice(place, 0, price)
      }
      if (++work % BREATH === 0) yield { coefficients, certify: false }
    }
  }

  /** Of blocks by price, one of those whose projection is that of one before, or of a block with a weight. */
  const distinct = (candidates: Int32Array): number[] => {
    const ranked = Int32Array.from([...everyBlock.filter((b) => weighed[b]), ...candidates])
    ranked.sort((a, b) => bounds[b]! - bounds[a]! || weighed[b]! - weighed[a]!)
    const kept = ranked.filter((b, k) => {
      if (weighed[b]) return false
      const near = SAME * bounds[b]!
      const own = projections.subarray(b * d, (b + 1) * d)
      for (let j = k - 1; j >= 0 && bounds[ranked[j]!]! - bounds[b]! <= near; j--) {
        const other = projections.subarray(ranked[j]! * d, (ranked[j]! + 1) * d)
        if (squaredDistance(own, other) <= near * near) return false
      }
      return true
    })
    return Array.from(kept)
  }

  return {
    get begun() {
      return theta !== undefined
    },
    projection: (b) => (theta === point.theta && projected[b] ? projections.subarray(b * d, (b + 1) * d) : undefined),
    *largest(least) {
      look()
      yield* reveal(1, least, () => true)
      return bounds.reduce((most, bound) => Math.max(most, bound), 0)
    },
    *highest(count, least) {
      look()
      for (let sought = count; ; sought *= 2) {
        yield* reveal(sought, least, (b) => !weighed[b])
        const candidates = everyBlock.filter((b) => projected[b] && !weighed[b] && bounds[b]! > least)
        candidates.sort((a, b) => bounds[b]! - bounds[a]!)
        const kept = distinct(candidates.slice(0, sought))
        if (kept.length >= count || candidates.length < sought) return kept.slice(0, count)
      }
    },
  }
}
