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

/**
 * Climbs  f(u) = r'(Xu)_+ over |u| <= 1  from a start: the convex part, of the rows with r_k > 0, is replaced by its tangent,
 * and the concave function that is left maximised exactly, again and again. f never falls, and where it ends no pattern
 * next to u has a higher price: u is the best neuron of each of its cells.
 *
 * Convex-concave procedure: Yuille and Rangarajan 2003, Neural Comput. 15(4).
 */
export function neuronAscent(X: Matrix, r: Vector): (start: Vector, steps?: number) => Priced {
  const { rows: n, columns: d, data } = X
  const solver = minNormPoint(d)
  const generators = new Float64Array(n * d)
  const negative: number[] = []
  for (let k = 0; k < n; k++) {
    if (r[k]! < 0) negative.push(k)
    for (let j = 0; j < d; j++) generators[k * d + j] = r[k]! * data[k * d + j]!
  }
  const chosen = Int32Array.from(negative)
  const c = new Float64Array(d)
  return (start, steps = 100) => {
    let direction = start
    let price = neuronPrice(X, r, start)
    for (let step = 0; step < steps; step++) {
      c.fill(0)
      for (let k = 0; k < n; k++) {
        if (!(r[k]! > 0)) continue
        let product = 0
        for (let j = 0; j < d; j++) product += data[k * d + j]! * direction[j]!
        if (product > 0) for (let j = 0; j < d; j++) c[j]! += generators[k * d + j]!
      }
      const { point, length } = solver.solve({ c, generators, chosen, count: chosen.length, guess: direction })
      if (!(length > 0)) break
      const next = point.map((entry) => entry / length)
      const reached = neuronPrice(X, r, next)
      if (!(reached > price + STILL * Math.abs(price))) break
      direction = next
      price = reached
    }
    return { direction, price }
  }
}
