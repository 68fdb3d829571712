import { bitColumns, selectColumns, setBit } from '../numerics/bits.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { appendOnes, matrix, requireFinite } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import { nearestPoint } from '../sets/polyhedron.ts'
import type { Matrix, Vector } from '../types.ts'
import { type Gates, patternsOf } from './gates.ts'

/** Which patterns are all. */
export interface EnumerateGatesOptions {
  /** Refuse data with more patterns than this (default 100,000). */
  maxCount?: number
  /** Patterns of neurons with a bias, 1[x'g + g_0 >= 0]: those of [X 1] (default false). */
  bias?: boolean
}

/**
 * All activation patterns of X: the cells of the arrangement of the hyperplanes x_r'u = 0, with a vector inside each.
 *
 * A program on these gates speaks of the network itself: its bounds have scope `network`. The pattern that is off on
 * every row is left out, since it adds nothing to any fit. n rows in general position of rank r have
 * 2 sum_{k<r} C(n-1, k) patterns (Cover 1965, IEEE Trans. Electron. Comput. EC-14).
 *
 * Hyperplanes come one at a time: the cells a new one cuts are the cells that those before it have on it, one dimension
 * lower, and each becomes two. Their signs are handed up; only the side of a cell that is not cut, and whether two rows
 * restricted to a subspace are parallel, is a question of numbers. At rank 2 it is a sweep around the circle. Cost about
 * n^r / (r-1)! facets of n signs: n = 60 at rank 3, and 20 at rank 6 with 33,328 patterns, take seconds at most.
 *
 * Rows of length one that are nearer to parallel or to a common subspace than 1e-12 count as such, so cells thinner
 * than that are left out; a bound moves by no more than that for it.
 *
 * @throws RangeError when there are more than `maxCount` patterns, as soon as so many were found.
 */
export function enumerateGates(X: MatrixLike, options: EnumerateGatesOptions = {}): Gates {
  requireOptions(options, { maxCount: 'number', bias: 'boolean' }, 'enumerateGates')
  const { maxCount = 100_000, bias = false } = options
  const rows = asMatrix(X, 'enumerateGates', 'X')
  requireFinite(rows, 'enumerateGates', 'X')
  if (rows.rows === 0 || rows.columns === 0)
    throw new RangeError(
      `enumerateGates: X is ${rows.rows} x ${rows.columns}, expected at least one row and one column; pass the data.`,
    )
  if (!Number.isInteger(maxCount) || maxCount < 1)
    throw new RangeError(
      `enumerateGates: maxCount is ${maxCount}, expected a positive whole number; pass how many patterns are acceptable.`,
    )
  const inputs = bias ? appendOnes(rows) : rows
  const { rank, coordinates, source, lift } = reduce(inputs)
  const cells = cellsOf(coordinates, rank, (count) => {
    if (count > maxCount)
      throw new RangeError(
        `enumerateGates: X has rank ${rank} and more than ${maxCount} activation patterns (${count} found so far); pass a larger maxCount, or take some of them with sampleGates().`,
      )
  })
  const vectors = matrix(cells.length, inputs.columns)
  const wanted = bitColumns(inputs.rows, cells.length)
  const used = new Set(source)
  cells.forEach(({ on, point }, i) => {
    vectors.data.set(lift(point), i * inputs.columns)
    for (let r = 0; r < inputs.rows; r++) if (!used.has(r)) setBit(wanted, r, i)
    for (let k = 0; k < source.length; k++) if (on[k] === 1) setBit(wanted, source[k]!, i)
  })
  const patterns = patternsOf(vectors, rows)
  const kept: number[] = []
  for (let i = 0; i < cells.length; i++) {
    let differs = 0
    let any = 0
    for (let k = i * wanted.stride; k < (i + 1) * wanted.stride; k++) {
      differs |= wanted.words[k]! ^ patterns.words[k]!
      any |= wanted.words[k]!
    }
    // A cell so thin that its vector, rounded, lies outside is one of those left out.
    if (any !== 0 && differs === 0) kept.push(i)
  }
  const chosen = matrix(kept.length, vectors.columns)
  kept.forEach((i, k) => {
    chosen.data.set(vectors.data.subarray(i * vectors.columns, (i + 1) * vectors.columns), k * vectors.columns)
  })
  return {
    vectors: chosen,
    patterns: selectColumns(patterns, kept),
    count: kept.length,
    bias,
    exhaustive: true,
  }
}

/** Rows of length one count as parallel, or as lying in a subspace, when they are this close to it. */
const TOUCHING = 1e-12
/** A point this near to a wall of its cell is moved away from it. */
const SHALLOW = 1e-7

/** A full-dimensional cell: on which side of each row it lies, and a unit vector inside it. */
interface Cell {
  readonly on: Uint8Array
  readonly point: Vector
}

/**
 * The cells of the arrangement of some rows in R^dimension, none of which is zero. Rows need not have length one: they
 * may be what is left of rows of length one in a subspace, known to within rounding of that length.
 */
function cellsOf(rows: readonly Vector[], dimension: number, limit?: (count: number) => void): Cell[] {
  const { representatives, of, flipped } = hyperplanes(rows)
  const m = representatives.length
  const found = new Map<string, Cell>()
  if (m === 0) found.set('', { on: new Uint8Array(0), point: new Float64Array(dimension) })
  else if (m === 1)
    for (const side of [0, 1])
      found.set(`${side}`, { on: Uint8Array.of(side), point: unit(representatives[0]!.map((a) => (side ? a : -a))) })
  else if (dimension === 2) sweep(representatives, found, limit)
  else insert(representatives, dimension, found, limit)
  return Array.from(found.values(), ({ on, point }) => ({
    on: Uint8Array.from(rows, (_, k) => on[of[k]!]! ^ flipped[k]!),
    point: unit(point),
  }))
}

/**
 * One hyperplane at a time: the cells it cuts are those that the hyperplanes before it have on it, one dimension lower, and
 * each of them becomes two; the others lie on the side where their point lies.
 */
function insert(
  rows: readonly Vector[],
  dimension: number,
  found: Map<string, Cell>,
  limit?: (count: number) => void,
): void {
  const units = rows.map(unit)
  let cells: Cell[] = [{ on: new Uint8Array(rows.length), point: new Float64Array(dimension) }]
  for (let k = 0; k < rows.length; k++) {
    const a = units[k]!
    const { restrict, extend } = hyperplane(a)
    const cut = new Map<string, Vector>()
    for (const { on, point } of cellsOf(units.slice(0, k).map(restrict), dimension - 1))
      cut.set(signKey(on), extend(point))
    limit?.(cells.length + cut.size)
    const next: Cell[] = []
    for (const { on, point } of cells) {
      const facet = cut.get(signKey(on.subarray(0, k)))
      const along = product(a, point)
      if (!facet) {
        on[k] = along > 0 ? 1 : 0
        next.push({ on, point })
        continue
      }
      const above = on.slice()
      above[k] = 1
      const up = step(units, k, on, facet, a, 1)
      const down = step(units, k, on, facet, a, -1)
      // A point on either side is deeper inside when it goes half of the way to the one that was there.
      next.push({ on: above, point: along > 0 ? middle(up, point) : up })
      next.push({ on, point: along < 0 ? middle(down, point) : down })
    }
    cells = next
  }
  for (const cell of cells) {
    if (margin(units, cell) < SHALLOW) deepen(units, cell)
    found.set(signKey(cell.on), cell)
  }
}

/** From inside a facet into the cell on one side of it, half as far as the first of the other rows allows, but for length. */
function step(units: readonly Vector[], k: number, on: Uint8Array, facet: Vector, a: Vector, side: number): Vector {
  let most = 2
  for (let j = 0; j < k; j++) {
    const sign = on[j] === 1 ? 1 : -1
    const rate = sign * side * product(units[j]!, a)
    if (rate < 0) most = Math.min(most, (sign * product(units[j]!, facet)) / -rate)
  }
  return unit(facet.map((entry, j) => entry + ((side * most) / 2) * a[j]!))
}

function middle(a: Vector, b: Vector): Vector {
  return unit(a.map((entry, j) => entry + b[j]!))
}

/** The smallest product of a cell's point with its rows, each towards the inside. */
function margin(units: readonly Vector[], { on, point }: Cell): number {
  let least = Number.POSITIVE_INFINITY
  units.forEach((row, j) => {
    least = Math.min(least, (on[j] === 1 ? 1 : -1) * product(row, point))
  })
  return least
}

/** Moves a cell's point to where its margin is largest: the shortest u whose products are all at least one. */
function deepen(units: readonly Vector[], cell: Cell): void {
  const inward = matrix(units.length, cell.point.length)
  units.forEach((row, j) => {
    const sign = cell.on[j] === 1 ? 1 : -1
    inward.data.set(
      row.map((entry) => sign * entry),
      j * row.length,
    )
  })
  const deepest = nearestPoint(inward, new Float64Array(units.length).fill(1), new Float64Array(cell.point.length))
  if (deepest) cell.point.set(unit(deepest))
}

/** Once around the circle: every ray of a line switches that line's row, and the cells lie between neighbouring rays. */
function sweep(rows: readonly Vector[], found: Map<string, Cell>, limit?: (count: number) => void): void {
  const rays = rows.map((row, k) => {
    // The ray (-y, x) has the row's off side on its left, (y, -x) its on side; of the two the upper one comes first.
    const upper = row[0]! > 0 || (row[0]! === 0 && row[1]! < 0)
    const [x, y] = unit(upper ? Float64Array.of(-row[1]!, row[0]!) : Float64Array.of(row[1]!, -row[0]!))
    return { k, after: upper ? 0 : 1, x: x!, y: y!, angle: Math.atan2(y!, x!) }
  })
  rays.sort((a, b) => a.angle - b.angle)
  const on = new Uint8Array(rows.length)
  for (const { k, after } of rays) on[k] = 1 - after
  for (let step = 0; step < 2 * rays.length; step++) {
    const from = rays[step % rays.length]!
    const to = rays[(step + 1) % rays.length]!
    on[from.k] = 1 - on[from.k]!
    const sign = step < rays.length ? 1 : -1
    const next = step + 1 < rays.length || step + 1 === 2 * rays.length ? 1 : -1
    found.set(`${step}`, {
      on: on.slice(),
      point: Float64Array.of(sign * from.x + next * to.x, sign * from.y + next * to.y),
    })
    limit?.(found.size)
  }
}

/** Parallel rows share a hyperplane: the longest of them stands for all, the others may face the other way. */
function hyperplanes(rows: readonly Vector[]): { representatives: Vector[]; of: Int32Array; flipped: Uint8Array } {
  const lengths = rows.map(length)
  const order = rows.map((_, k) => k).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  const of = new Int32Array(rows.length)
  const flipped = new Uint8Array(rows.length)
  const representatives: Vector[] = []
  const directions: Vector[] = []
  for (const k of order) {
    const row = rows[k]!
    let at = 0
    for (; at < directions.length; at++) {
      const along = product(row, directions[at]!)
      // What is across is at least |row| - |along|, which decides cheaply where it is long.
      if (lengths[k]! - Math.abs(along) > 2 * TOUCHING) continue
      if (distanceToLine(row, along, directions[at]!) > 2 * TOUCHING) continue
      flipped[k] = along < 0 ? 1 : 0
      break
    }
    of[k] = at
    if (at === representatives.length) {
      representatives.push(row)
      directions.push(unit(row))
    }
  }
  return { representatives, of, flipped }
}

/** Orthonormal coordinates on { z : a'z = 0 }, by the Householder reflection that takes a to the first axis. */
function hyperplane(a: Vector): { restrict: (x: Vector) => Vector; extend: (p: Vector) => Vector } {
  const v = unit(a)
  v[0]! += v[0]! < 0 ? -1 : 1
  const scale = 2 / product(v, v)
  return {
    restrict(x) {
      const weight = scale * product(v, x)
      return Float64Array.from({ length: x.length - 1 }, (_, j) => x[j + 1]! - weight * v[j + 1]!)
    },
    extend(p) {
      const z = new Float64Array(p.length + 1)
      z.set(p, 1)
      const weight = scale * product(v, z)
      for (let j = 0; j < z.length; j++) z[j]! -= weight * v[j]!
      return z
    },
  }
}

/** The rows that constrain, of length one, in orthonormal coordinates of the space they span. */
interface Reduced {
  readonly rank: number
  readonly coordinates: Vector[]
  /** Which rows of X these are; the others are zero. */
  readonly source: Int32Array
  /** The vector u with x_r'u > 0 wherever the coordinates of x_r have a positive product with z. */
  lift(z: Vector): Vector
}

function reduce({ rows, columns, data }: Matrix): Reduced {
  // Columns over a power of two, which rounds nothing: patterns do not depend on the units of a feature.
  const scales = new Float64Array(columns).fill(1)
  for (let j = 0; j < columns; j++) {
    let largest = 0
    for (let r = 0; r < rows; r++) largest = Math.max(largest, Math.abs(data[r * columns + j]!))
    if (largest > 0) scales[j] = 2 ** Math.floor(Math.log2(largest))
  }
  const units: Vector[] = []
  const source: number[] = []
  for (let r = 0; r < rows; r++) {
    const row = Float64Array.from(scales, (scale, j) => data[r * columns + j]! / scale)
    const largest = row.reduce((most, a) => Math.max(most, Math.abs(a)), 0)
    if (largest === 0) continue
    units.push(unit(row.map((a) => a / largest)))
    source.push(r)
  }
  // Gram-Schmidt, each time with the row that is farthest from the span so far.
  const basis: Vector[] = []
  const rests = units.map((row) => row.slice())
  while (basis.length < columns && rests.length > 0) {
    let farthest = 0
    for (let k = 1; k < rests.length; k++) if (length(rests[k]!) > length(rests[farthest]!)) farthest = k
    if (length(rests[farthest]!) <= TOUCHING) break
    const axis = unit(rests[farthest]!)
    for (const earlier of basis) {
      const along = product(axis, earlier)
      for (let j = 0; j < columns; j++) axis[j]! -= along * earlier[j]!
    }
    const q = unit(axis)
    basis.push(q)
    for (const rest of rests) {
      const along = product(rest, q)
      for (let j = 0; j < columns; j++) rest[j]! -= along * q[j]!
    }
  }
  return {
    rank: basis.length,
    coordinates: units.map((row) => Float64Array.from(basis, (q) => product(row, q))),
    source: Int32Array.from(source),
    lift(z) {
      const u = new Float64Array(columns)
      basis.forEach((q, i) => {
        for (let j = 0; j < columns; j++) u[j]! += z[i]! * q[j]!
      })
      for (let j = 0; j < columns; j++) u[j]! /= scales[j]!
      // Nothing but zero rows: any vector will do.
      if (basis.length === 0) u[0] = 1
      return u
    },
  }
}

/** Signs as a map key, fifteen to a character. */
function signKey(on: Uint8Array): string {
  let key = ''
  for (let start = 0; start < on.length; start += 15) {
    let code = 0
    for (let k = start; k < Math.min(on.length, start + 15); k++) code = 2 * code + on[k]!
    key += String.fromCharCode(code)
  }
  return key
}

function product(a: Vector, b: Vector): number {
  let total = 0
  for (let j = 0; j < a.length; j++) total += a[j]! * b[j]!
  return total
}

function length(a: Vector): number {
  return Math.sqrt(product(a, a))
}

/** a / |a|, and 0 for 0. */
function unit(a: Vector): Vector {
  const size = length(a)
  return size > 0 ? a.map((entry) => entry / size) : a.slice()
}

function distanceToLine(a: Vector, along: number, direction: Vector): number {
  let total = 0
  for (let j = 0; j < a.length; j++) total += (a[j]! - along * direction[j]!) ** 2
  return Math.sqrt(total)
}
