import { type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import { largestSize } from '../numerics/unit.ts'
import { dot, norm } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'
import { generalPatternCount } from './general-pattern-count.ts'

/**
 * How many patterns gates can make of these rows at most, the one that is off on every row included:
 *
 *     2 sum_{k<r} C(m-1, k)    for m rows that differ by more than a factor and span r dimensions (Cover 1965)
 *
 * or Infinity as soon as that is more than `enough`, for gates whose entries at `features` are drawn freely. With `bias`, rows
 * are [x 1] and offsets lie halfway between rows.
 *
 * What a gate at random meets with a probability of about 1e-9 or less is not counted: rows that are nearly parallel, or nearly
 * in a subspace. Offsets are drawn between rows, however near these are; so with `bias` rows that differ at all are two, and
 * where some are near to each other, seen from the origin, no bound is given. Cost at most 2 n d enough flops.
 */
export function mostPatterns(X: Rows, features: readonly number[], bias: boolean, enough: number): number {
  const points = bias ? centred(X, features, enough) : directions(X, features)
  if (!points) return Number.POSITIVE_INFINITY
  // With `bias` the first row is the origin: lines through it are one dimension fewer than planes through [x 1].
  const basis: Vector[] = []
  const extra = bias ? 1 : 0
  const kept: Vector[] = []
  for (const point of points.each()) {
    const rest = point.slice()
    for (let pass = 0; pass < 2; pass++)
      for (const q of basis) {
        const along = dot(rest, q)
        for (let j = 0; j < rest.length; j++) rest[j]! -= along * q[j]!
      }
    const size = norm(rest)
    if (size > points.tolerance) basis.push(rest.map((entry) => entry / size))
    if (bias || !kept.some((other) => isParallel(other, point, points.tolerance))) kept.push(point)
    const most = generalPatternCount(Math.max(1, kept.length), Math.max(1, basis.length + extra))
    if (most > enough) return Number.POSITIVE_INFINITY
  }
  // Rows of zeros alone are on for every gate.
  return kept.length === 0 ? 1 : generalPatternCount(kept.length, basis.length + extra)
}

interface Points {
  each(): Iterable<Vector>
  /** What is no longer than this counts as zero. */
  readonly tolerance: number
}

/** The rows that are not zero, at length one; undefined where products with them leave the range of float64. */
function directions(X: Rows, features: readonly number[]): Points | undefined {
  for (const row of rowsOf(X, features)) {
    const largest = largestSize(row)
    if (largest !== 0 && !(largest > SMALLEST && largest < 1 / SMALLEST)) return undefined
  }
  return {
    tolerance: NEGLIGIBLE,
    *each() {
      for (const row of rowsOf(X, features)) {
        const largest = largestSize(row)
        if (largest === 0) continue
        const scaled = row.map((entry) => entry / largest)
        const size = norm(scaled)
        yield scaled.map((entry) => entry / size)
      }
    },
  }
}

/** The rows that differ, less the first; undefined where they are too many, or some too near for a bound. */
function centred(X: Rows, features: readonly number[], enough: number): Points | undefined {
  const distinct = new Map<string, Vector>()
  let largest = 0
  for (const row of rowsOf(X, features)) {
    // Adding 0 makes 0 of -0.
    distinct.set(row.map((entry) => entry + 0).join(), row)
    largest = Math.max(largest, largestSize(row))
    // In one dimension, which is the least, m points have 2 m patterns.
    if (2 * distinct.size > enough) return undefined
  }
  if (largest !== 0 && !(largest > SMALLEST && largest < 1 / SMALLEST)) return undefined
  const rows = [...distinct.values()].map((row) => row.map((entry) => entry / (largest || 1)))
  let least = Number.POSITIVE_INFINITY
  rows.forEach((row, r) => {
    for (let s = 0; s < r; s++) least = Math.min(least, distance(row, rows[s]!))
  })
  if (least < NEAR) return undefined
  const first = rows[0]!
  return {
    tolerance: NEGLIGIBLE * Math.min(1, least),
    each: () => rows.map((row) => row.map((entry, j) => entry - first[j]!)),
  }
}

function* rowsOf(X: Rows, features: readonly number[]): Generator<Vector> {
  for (let r = 0; r < X.rows; r++) {
    const row = rowBlock(X, r, 1)
    yield Float64Array.from(features, (j) => row[j]!)
  }
}

function distance(a: Vector, b: Vector): number {
  let total = 0
  for (let j = 0; j < a.length; j++) total += (a[j]! - b[j]!) ** 2
  return Math.sqrt(total)
}

/** Whether two vectors of length one lie on one line. */
function isParallel(a: Vector, b: Vector, tolerance: number): boolean {
  const along = dot(a, b)
  if (1 - Math.abs(along) > tolerance) return false
  let across = 0
  for (let j = 0; j < a.length; j++) across += (b[j]! - along * a[j]!) ** 2
  return Math.sqrt(across) <= tolerance
}

/** Of a length of one: a gate at random lies between two rows that differ by so little with about this probability. */
const NEGLIGIBLE = 1e-9
/** Rows nearer than this, of their largest entry, may change their order by the rounding of their products. */
const NEAR = 1e-6
/** Products of smaller numbers may vanish, and those of numbers beyond its inverse overflow. */
const SMALLEST = 1e-290
