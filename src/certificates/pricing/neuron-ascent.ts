import { norm } from '../../numerics/vectors.ts'
import type { Matrix, Vector } from '../../types.ts'
import { minNormPoint } from './min-norm-point.ts'

/** A direction of length one with its price. */
export interface Priced {
  readonly direction: Vector
  /** r'(Xu)_+ */
  readonly price: number
}

/** r'(Xu)_+, summed row by row. */
export function neuronPrice({ rows, columns, data }: Matrix, r: Vector, u: Vector): number {
  let total = 0
  for (let k = 0, x = 0; k < rows; k++, x += columns) {
    let product = 0
    for (let j = 0; j < columns; j++) product += data[x + j]! * u[j]!
    if (product > 0) total += r[k]! * product
  }
  return total
}

/** Steps smaller than this, relative, end the ascent. */
const STILL = 1e-12
/** Rows this close to the boundary of u, relative to their length, may count as on or as off. */
const BOUNDARY = 1e-9

/**
 * Climbs  f(u) = r'(Xu)_+ over |u| <= 1  from a start: the convex part, of the rows with r_k > 0, is replaced by its tangent,
 * and the concave function that is left maximised exactly, again and again. f never falls, and where it ends with no row of
 * r_k > 0 on the boundary, u is a local maximum: the best neuron of each of the cells it touches.
 *
 * Convex-concave procedure: Yuille and Rangarajan 2003, Neural Comput. 15(4).
 */
export function neuronAscent(X: Matrix, r: Vector): (start: Vector, steps?: number) => Priced {
  const { rows: n, columns: d, data } = X
  const solver = minNormPoint(d)
  const generators = new Float64Array(n * d)
  const lengths = new Float64Array(n)
  const negative: number[] = []
  for (let k = 0; k < n; k++) {
    if (r[k]! < 0) negative.push(k)
    for (let j = 0; j < d; j++) generators[k * d + j] = r[k]! * data[k * d + j]!
    lengths[k] = norm(data.subarray(k * d, (k + 1) * d))
  }
  const chosen = Int32Array.from(negative)
  const c = new Float64Array(d)

  /** c <- the slope of the convex part at u, rows above `level` counting as on; returns whether that level matters. */
  const tangent = (u: Vector, level: number): boolean => {
    let touched = false
    c.fill(0)
    for (let k = 0; k < n; k++) {
      if (!(r[k]! > 0)) continue
      let product = 0
      for (let j = 0; j < d; j++) product += data[k * d + j]! * u[j]!
      if (Math.abs(product) <= BOUNDARY * lengths[k]!) touched = true
      if (product > level * lengths[k]!) for (let j = 0; j < d; j++) c[j]! += generators[k * d + j]!
    }
    return touched
  }

  return (start, steps = 100) => {
    let direction = start
    let price = neuronPrice(X, r, start)
    /** One step along a tangent; false when it gains nothing. */
    const advance = (): boolean => {
      const { point, length } = solver.solve({ c, generators, chosen, count: chosen.length, guess: direction })
      if (!(length > 0)) return false
      const next = point.map((entry) => entry / length)
      const reached = neuronPrice(X, r, next)
      if (!(reached > price + STILL * Math.abs(price))) return false
      direction = next
      price = reached
      return true
    }
    for (let step = 0; step < steps; step++) {
      const touched = tangent(direction, BOUNDARY)
      if (advance()) continue
      if (!touched) break
      tangent(direction, -BOUNDARY)
      if (!advance()) break
    }
    return { direction, price }
  }
}
