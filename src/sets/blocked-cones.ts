import { backend } from '../numerics/backends/index.ts'
import { type BitColumns, isSet } from '../numerics/bits.ts'
import { type Rows, rowBlock } from '../numerics/compact-matrix.ts'
import { mirrorLower } from '../numerics/triangular.ts'
import { plus, squaredDistance } from '../numerics/vectors.ts'
import type { Vector } from '../types.ts'
import { nonnegativeMultipliers } from './nonnegative-multipliers.ts'

/** Rows of X that are read, and vectors that are multiplied with them, at a time. */
const ROWS = 1024

/** Rows of a cone with their multipliers: what a search begins with, and what it leaves. */
export interface HeldRows {
  rows: Int32Array
  multipliers: Vector
}

/** min |z - target|^2 / 2 over s_r x_r'z >= bound_r + margin for all rows r of X, of length one, with the signs s of a gate. */
export interface ConePoint {
  readonly gate: number
  readonly target: Vector
  /** One entry a row of X; left out, they are all zero: the projection onto the cone. */
  readonly bounds?: Vector
  /** How far inside the point is kept. */
  margin: number
  /** What a row may be missed by; below the margin, so that the bounds themselves hold. */
  tolerance: number
  /** A vector strictly inside the cone. */
  inside?: Vector
  /** In: where to begin. Out: the rows that were held, and their multipliers. */
  held: HeldRows
  /** Out: z = target + sum_k rho_k s_k x_k over the held rows, rho >= 0; or what came of it by `complete`. */
  readonly point: Vector
  /** Out: max_r (bound_r + margin - s_r x_r'z)_+ over all rows, Infinity before the first pass. */
  missed: number
}

/** A search that has not begun. */
export function conePoint(
  given: Pick<ConePoint, 'gate' | 'target' | 'margin' | 'tolerance'> & Partial<ConePoint>,
): ConePoint {
  return {
    held: { rows: new Int32Array(0), multipliers: new Float64Array(0) },
    point: new Float64Array(given.target.length),
    missed: Number.POSITIVE_INFINITY,
    ...given,
  }
}

/**
 * The cones K_i = { u : (2 D_i - I) X u >= 0 } of an X that is read a block of rows at a time, in float64: the maps and
 * points of `activationCones` for so many rows that only working sets of them are held.
 */
export interface BlockedCones {
  /** Number of features. */
  readonly dimension: number
  /** Rows of X; those that are zero constrain nothing. */
  readonly rows: number
  /** each(l, first, products): s_r x_r'v_l over rows first, first + 1, .. of length one, one line after the other; rows of zeros give 0. */
  slacks(gates: ArrayLike<number>, vectors: Vector, each: (line: number, first: number, products: Vector) => void): void
  /** max_r (-s_r x_r'v_l)_+ for every line: how far outside its cone v_l is. */
  violations(gates: ArrayLike<number>, vectors: Vector): Vector
  /** Finds the points by working sets of rows, all of them at once: one pass over X for every round. */
  search(points: readonly ConePoint[], passes: number): void
  /**
   * Makes points that meet their bounds of those that do not: as little as will do of the vector inside is added, or that
   * vector is taken alone, whichever is nearer to the target. Returns the points that no vector inside leads to, which stay as they were.
   */
  complete(points: readonly ConePoint[]): ConePoint[]
}

/**
 * The cones of X's patterns.
 *
 * A search holds some rows of every problem, finds their multipliers in the m x m products of these rows, and looks
 * through all rows for those that the point misses: they join, until none is missed by more than the tolerance. It
 * begins with the rows that are met first on the way from a point strictly inside to the target. A pass costs 2 n d flops a
 * problem; memory is a block of X, n numbers a problem, and the rows that one problem holds.
 */
export function blockedCones(X: Rows, patterns: BitColumns): BlockedCones {
  const { rows: n, columns: d } = X
  const scale = inverseNorms(X)
  const { words, stride } = patterns

  const slacks: BlockedCones['slacks'] = (gates, vectors, each) => {
    const { gemm } = backend()
    const count = gates.length
    const scratch = new Float64Array(Math.min(ROWS, n) * d)
    const panel = new Float64Array(Math.min(ROWS, count) * Math.min(ROWS, n))
    for (let first = 0; first < n; first += ROWS) {
      const rows = Math.min(ROWS, n - first)
      const block = rowBlock(X, first, rows, scratch)
      for (let l0 = 0; l0 < count; l0 += ROWS) {
        const lines = Math.min(ROWS, count - l0)
        gemm(false, true, lines, rows, d, 1, vectors.subarray(l0 * d), d, block, d, 0, panel, rows)
        for (let l = 0; l < lines; l++) {
          const products = panel.subarray(l * rows, (l + 1) * rows)
          const word = gates[l0 + l]! * stride + (first >> 5)
          for (let r = 0; r < rows; r++) {
            const on = (words[word + (r >> 5)]! >>> (r & 31)) & 1
            products[r] = (on ? products[r]! : -products[r]!) * scale[first + r]!
          }
          each(l0 + l, first, products)
        }
      }
    }
  }

  /** The signed rows of length one, m x d. */
  const gather = (gate: number, rows: Int32Array): Vector => {
    const B = new Float64Array(rows.length * d)
    rows.forEach((r, k) => {
      const row = rowBlock(X, r, 1)
      const factor = isSet(patterns, r, gate) ? scale[r]! : -scale[r]!
      for (let j = 0; j < d; j++) B[k * d + j] = factor * row[j]!
    })
    return B
  }

  /** Finds the multipliers of the rows that a problem holds, and its point. */
  const settle = (at: ConePoint, tolerance: number): void => {
    const { syrk, gemv } = backend()
    const { rows, multipliers } = at.held
    const m = rows.length
    at.point.set(at.target)
    if (m === 0) return
    const B = gather(at.gate, rows)
    const G = new Float64Array(m * m)
    syrk(false, m, d, 1, B, d, 0, G, m)
    mirrorLower(m, G)
    const h = new Float64Array(m)
    gemv(false, m, d, -1, B, d, at.target, 0, h)
    for (let k = 0; k < m; k++) h[k]! += at.margin + (at.bounds ? at.bounds[rows[k]!]! : 0)
    at.held.multipliers = nonnegativeMultipliers(m, G, h, multipliers, tolerance)
    gemv(true, m, d, 1, B, d, at.held.multipliers, 1, at.point)
  }

  return {
    dimension: d,
    rows: n,
    slacks,
    violations(gates, vectors) {
      const worst = new Float64Array(gates.length)
      slacks(gates, vectors, (l, _, products) => {
        for (let r = 0; r < products.length; r++) if (products[r]! < -worst[l]!) worst[l] = -products[r]!
      })
      return worst
    },
    search(points, passes) {
      const gatesOf = (some: readonly ConePoint[]): Int32Array => Int32Array.from(some, ({ gate }) => gate)
      const most = Math.max(FEWEST, d)
      const fresh = points.filter(({ held }) => held.rows.length === 0)
      if (fresh.length > 0) first(fresh, gatesOf(fresh), most)
      let open = [...points]
      for (let pass = 0; pass < passes && open.length > 0; pass++) {
        for (const at of open)
          settle(at, Math.max(at.tolerance / 2, INNER * (at.missed < Number.POSITIVE_INFINITY ? at.missed : 0)))
        const missing = open.map(() => worstRows(Math.max(FEWEST, d >> 1)))
        const held = open.map(({ held: { rows } }) => new Set(rows))
        slacks(
          gatesOf(open),
          stacked(
            open.map(({ point }) => point),
            d,
          ),
          (l, from, products) => {
            const { bounds, margin } = open[l]!
            for (let r = 0; r < products.length; r++) {
              if (scale[from + r] === 0) continue
              const short = (bounds ? bounds[from + r]! : 0) + margin - products[r]!
              if (short > 0) missing[l]!.offer(from + r, short, held[l]!)
            }
          },
        )
        open = open.filter((at, l) => {
          at.missed = missing[l]!.worst
          if (at.missed <= at.tolerance) return false
          const { rows, multipliers } = at.held
          // Rows that pull at nothing leave when there are many.
          const keep = Array.from(rows.keys()).filter((k) => rows.length <= 3 * most || multipliers[k]! > 0)
          const more = missing[l]!.rows(at.tolerance / 4)
          at.held = {
            rows: Int32Array.from([...keep.map((k) => rows[k]!), ...more]),
            multipliers: Float64Array.from([...keep.map((k) => multipliers[k]!), ...more.map(() => 0)]),
          }
          return pass + 1 < passes
        })
      }
    },
    complete(points) {
      const late = points.filter(({ missed, margin }) => !(missed < margin))
      const directions = late.map(({ inside }) => inside ?? new Float64Array(d))
      const needed = new Float64Array(late.length)
      const alone = new Float64Array(late.length)
      const reached = new Float64Array(Math.min(ROWS, n))
      const gates = late.flatMap(({ gate }) => [gate, gate])
      const pairs = late.flatMap(({ point }, l) => [point, directions[l]!])
      slacks(gates, stacked(pairs, d), (line, from, products) => {
        const l = line >> 1
        if (line % 2 === 0) {
          reached.set(products)
          return
        }
        const { bounds } = late[l]!
        const steps = (missing: number, r: number): number =>
          missing > 0 ? (products[r]! > 0 ? missing / products[r]! : Number.POSITIVE_INFINITY) : 0
        for (let r = 0; r < products.length; r++) {
          const bound = bounds ? bounds[from + r]! : 0
          needed[l] = Math.max(needed[l]!, steps(bound - reached[r]!, r))
          alone[l] = Math.max(alone[l]!, steps(bound, r))
        }
      })
      return late.filter((at, l) => {
        // A little more, for rounding.
        const reach = (from: Vector, steps: number): Vector | undefined =>
          steps < Number.POSITIVE_INFINITY ? plus(from, steps * (1 + 1e-9), directions[l]!) : undefined
        const found = [reach(at.point, needed[l]!), reach(new Float64Array(d), alone[l]!)]
          .filter((point) => point !== undefined)
          .sort((a, b) => squaredDistance(a, at.target) - squaredDistance(b, at.target))
        if (found.length === 0) return true
        at.point.set(found[0]!)
        return false
      })
    },
  }

  /** Gives every problem the rows that are met first on the way from its inside, or missed the most by its target. */
  function first(points: readonly ConePoint[], gates: Int32Array, most: number): void {
    const chosen = points.map(() => worstRows(most))
    const inner = stacked(
      points.map(({ inside, target }) => inside ?? target),
      d,
    )
    const targets = stacked(
      points.map(({ target }) => target),
      d,
    )
    const both = new Float64Array(2 * inner.length)
    both.set(inner)
    both.set(targets, inner.length)
    const room = points.map(() => new Float64Array(Math.min(ROWS, n)))
    const none = new Set<number>()
    slacks([...gates, ...gates], both, (line, from, products) => {
      const l = line % points.length
      if (line < points.length) {
        room[l]!.set(products)
        return
      }
      const { bounds, inside, margin } = points[l]!
      for (let r = 0; r < products.length; r++) {
        if (scale[from + r] === 0) continue
        const short = (bounds ? bounds[from + r]! : 0) + margin - products[r]!
        if (short > 0) chosen[l]!.offer(from + r, inside ? short / Math.max(room[l]![r]!, 1e-300) : short, none)
      }
    })
    points.forEach((at, l) => {
      const rows = Int32Array.from(chosen[l]!.rows(0))
      at.held = { rows, multipliers: new Float64Array(rows.length) }
    })
  }
}

/** Rows to begin with, and to add, at least, where there are so many. */
const FEWEST = 32
/** What held rows may be missed by, relative to what the others were in the last pass. */
const INNER = 0.1

/** One vector after the other. */
export function stacked(vectors: readonly Vector[], d: number): Vector {
  const out = new Float64Array(vectors.length * d)
  vectors.forEach((vector, l) => {
    out.set(vector, l * d)
  })
  return out
}

/** The `most` rows of the largest values offered, and the largest value of all. */
function worstRows(most: number) {
  let found: { row: number; value: number }[] = []
  let least = 0
  let worst = 0
  const cut = (): void => {
    found.sort((a, b) => b.value - a.value)
    if (found.length > most) {
      found = found.slice(0, most)
      least = found.at(-1)!.value
    }
  }
  return {
    get worst() {
      return worst
    },
    offer(row: number, value: number, held: ReadonlySet<number>): void {
      if (value > worst) worst = value
      if (value <= least || held.has(row)) return
      found.push({ row, value })
      if (found.length >= 4 * most) cut()
    },
    rows(above: number): number[] {
      cut()
      return found.filter(({ value }) => value > above).map(({ row }) => row)
    },
  }
}

/** 1 / |x_r|, and 0 for rows of zeros. */
function inverseNorms(X: Rows): Vector {
  const { rows: n, columns: d } = X
  const out = new Float64Array(n)
  const scratch = new Float64Array(Math.min(ROWS, n) * d)
  for (let first = 0; first < n; first += ROWS) {
    const rows = Math.min(ROWS, n - first)
    const block = rowBlock(X, first, rows, scratch)
    for (let r = 0; r < rows; r++) {
      let largest = 0
      for (let j = r * d; j < (r + 1) * d; j++) largest = Math.max(largest, Math.abs(block[j]!))
      if (largest === 0) continue
      // Entries over the largest one, so that no square overflows.
      let total = 0
      for (let j = r * d; j < (r + 1) * d; j++) total += (block[j]! / largest) ** 2
      out[first + r] = 1 / (largest * Math.sqrt(total))
    }
  }
  return out
}
