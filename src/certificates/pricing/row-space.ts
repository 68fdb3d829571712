import { matrix } from '../../numerics/matrix.ts'
import type { Matrix, Vector } from '../../types.ts'

/** Rows in orthonormal coordinates of the space they span: x_r'u depends on no other part of u. */
export interface RowSpace {
  /** n x rank: x_r = Q coordinates_r + rest_r */
  readonly coordinates: Matrix
  /** |x_r| */
  readonly lengths: Vector
  /** |rest_r|, what rounding left outside. */
  readonly rests: Vector
  /** Q z: the u of the original space. */
  lift(z: Vector): Vector
  /** Q'u */
  project(u: Vector): Vector
}

/** What is left of a row counts as rounding when it is shorter than this, relative to the longest row. */
const REST = 1e-13

const known = new WeakMap<Matrix, RowSpace>()

/** The row space of X, once for all residuals that neurons are priced at. */
export function rowSpace(X: Matrix): RowSpace {
  let space = known.get(X)
  if (!space) known.set(X, (space = spaceOf(X)))
  return space
}

/** Gram-Schmidt, twice, each time with the row farthest from the span so far. Cost 2 n d rank flops. */
function spaceOf(X: Matrix): RowSpace {
  const { rows: n, columns: d, data } = X
  const rests = data.slice()
  const squares = new Float64Array(n)
  const measure = (r: number): number => {
    let total = 0
    for (let j = 0; j < d; j++) total += rests[r * d + j]! ** 2
    return total
  }
  for (let r = 0; r < n; r++) squares[r] = measure(r)
  const lengths = squares.map(Math.sqrt)
  const longest = Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0))
  const basis: Vector[] = []
  while (basis.length < Math.min(n, d)) {
    let farthest = 0
    for (let r = 1; r < n; r++) if (squares[r]! > squares[farthest]!) farthest = r
    if (!(Math.sqrt(squares[farthest]!) > REST * longest)) break
    const axis = rests.slice(farthest * d, (farthest + 1) * d)
    for (const earlier of basis) remove(axis, 0, earlier)
    const length = Math.sqrt(axis.reduce((total, entry) => total + entry * entry, 0))
    for (let j = 0; j < d; j++) axis[j]! /= length
    basis.push(axis)
    for (let r = 0; r < n; r++) {
      remove(rests, r * d, axis)
      squares[r] = measure(r)
    }
  }
  const rank = basis.length
  const coordinates = matrix(n, rank)
  for (let r = 0; r < n; r++)
    for (let i = 0; i < rank; i++) {
      let total = 0
      for (let j = 0; j < d; j++) total += data[r * d + j]! * basis[i]![j]!
      coordinates.data[r * rank + i] = total
    }
  return {
    coordinates,
    lengths,
    rests: squares.map(Math.sqrt),
    lift(z) {
      const u = new Float64Array(d)
      basis.forEach((q, i) => {
        for (let j = 0; j < d; j++) u[j]! += z[i]! * q[j]!
      })
      return u
    },
    project: (u) => Float64Array.from(basis, (q) => q.reduce((total, entry, j) => total + entry * u[j]!, 0)),
  }
}

/** x -= (x'q) q */
function remove(x: Vector, start: number, q: Vector): void {
  let along = 0
  for (let j = 0; j < q.length; j++) along += x[start + j]! * q[j]!
  for (let j = 0; j < q.length; j++) x[start + j]! -= along * q[j]!
}
