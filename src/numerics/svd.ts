import type { Vector } from '../types.ts'
import { product, rowProducts, transpose } from './products.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** A = sum_i values_i u_i v_i', values from the largest down; row i of `left` is u_i and of `right` v_i. */
export interface Svd {
  /** min(rows, columns) */
  readonly count: number
  readonly values: Vector
  readonly left: Vector
  readonly right: Vector
}

/**
 * Singular values and vectors of a row-major rows x columns matrix, by one-sided Jacobi: every singular value to high
 * accuracy relative to the largest. Where the value is zero, the vector of the longer side is zero.
 *
 * The eigenvectors of the Gram matrix bring the rows close to orthogonal first, so that a sweep or two is left.
 * Demmel and Veselić 1992, SIAM J. Matrix Anal. Appl. 13(4).
 */
export function svd(A: Vector, rows: number, columns: number): Svd {
  if (rows > columns) {
    const { count, values, left, right } = svd(transpose(A, rows, columns), columns, rows)
    return { count, values, left: right, right: left }
  }
  // W = R A with R orthogonal; in the end the rows of W are orthogonal.
  let W: Vector = A.slice()
  let R: Vector
  if (rows >= 12) {
    R = symmetricEigen(rowProducts(A, rows, A, rows, columns), rows).vectors
    W = product(R, rows, A, rows, columns)
  } else {
    R = new Float64Array(rows * rows)
    for (let i = 0; i < rows; i++) R[i * rows + i] = 1
  }
  rotate(W, R, rows, columns)
  return sorted(W, R, rows, columns)
}

/** The singular values alone, from the largest down. */
export function singularValues(A: Vector, rows: number, columns: number): Vector {
  return svd(A, rows, columns).values
}

/** Turns pairs of rows of W, and of R with them, until all are orthogonal to rounding. */
function rotate(W: Vector, R: Vector, rows: number, columns: number): void {
  const squares = new Float64Array(rows)
  for (let sweep = 0; sweep < 60; sweep++) {
    let largest = 0
    for (let i = 0; i < rows; i++) {
      squares[i] = inner(W, i, i, columns)
      largest = Math.max(largest, squares[i]!)
    }
    let turned = false
    for (let i = 0; i < rows; i++)
      for (let j = i + 1; j < rows; j++) {
        const a = squares[i]!
        const b = squares[j]!
        const c = inner(W, i, j, columns)
        // Rows of nothing but rounding have no direction.
        if (!(Math.abs(c) > 2 ** -52 * (Math.sqrt(a * b) + 2 ** -52 * largest))) continue
        turned = true
        const zeta = (b - a) / (2 * c)
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const cosine = 1 / Math.sqrt(1 + t * t)
        turn(W, i, j, cosine, cosine * t, columns)
        turn(R, i, j, cosine, cosine * t, rows)
        squares[i] = Math.max(0, a - t * c)
        squares[j] = b + t * c
      }
    if (!turned) return
  }
}

/** Rows i and j become c x_i - s x_j and s x_i + c x_j. */
function turn(M: Vector, i: number, j: number, c: number, s: number, columns: number): void {
  const p = i * columns
  const q = j * columns
  for (let k = 0; k < columns; k++) {
    const x = M[p + k]!
    const y = M[q + k]!
    M[p + k] = c * x - s * y
    M[q + k] = s * x + c * y
  }
}

function inner(M: Vector, i: number, j: number, columns: number): number {
  let total = 0
  for (let k = 0; k < columns; k++) total += M[i * columns + k]! * M[j * columns + k]!
  return total
}

function sorted(W: Vector, R: Vector, rows: number, columns: number): Svd {
  const lengths = Float64Array.from({ length: rows }, (_, i) => Math.sqrt(inner(W, i, i, columns)))
  const order = Array.from({ length: rows }, (_, k) => k).sort((a, b) => lengths[b]! - lengths[a]!)
  const values = new Float64Array(rows)
  const left = new Float64Array(rows * rows)
  const right = new Float64Array(rows * columns)
  order.forEach((i, place) => {
    values[place] = lengths[i]!
    left.set(R.subarray(i * rows, (i + 1) * rows), place * rows)
    if (lengths[i]! > 0)
      for (let k = 0; k < columns; k++) right[place * columns + k] = W[i * columns + k]! / lengths[i]!
  })
  return { count: rows, values, left, right }
}

/** sum_i values_i u_i v_i', rows x columns, for other values in place of an svd's own. */
export function assemble(
  { count, left, right }: Svd,
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  out: Vector = new Float64Array(rows * columns),
): Vector {
  out.fill(0, 0, rows * columns)
  for (let i = 0; i < count; i++) {
    if (values[i] === 0) continue
    for (let r = 0; r < rows; r++) {
      const weight = values[i]! * left[i * rows + r]!
      for (let k = 0; k < columns; k++) out[r * columns + k]! += weight * right[i * columns + k]!
    }
  }
  return out
}
