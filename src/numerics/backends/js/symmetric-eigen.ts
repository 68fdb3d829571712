import type { SymmetricEigen } from '../../backend.ts'

/**
 * A = V' diag(values) V: Householder reflections to a tridiagonal matrix, then implicit QL steps with Wilkinson's shift.
 * Eigenvectors are rows throughout, so that every inner loop runs along rows. About 9 n^3 flops.
 * Golub and Van Loan, Matrix Computations, 8.3; Bowdler, Martin, Reinsch and Wilkinson 1968, Numer. Math. 11.
 */
export function symmetricEigen(n: number, A: Float64Array, lda: number): SymmetricEigen {
  const work = new Float64Array(n * n)
  const scale = scaled(n, A, lda, n, work)
  const diagonal = new Float64Array(n)
  const off = new Float64Array(n)
  const vectors = tridiagonalize(n, work, diagonal, off)
  diagonalize(n, diagonal, off, 1, (batch) => rotateRows(n, vectors, batch))
  for (let i = 0; i < n; i++) diagonal[i]! /= scale
  return ascending(n, diagonal, vectors)
}

/** Q' (rows) with A = Q T Q' for a tridiagonal T: its diagonal and, from entry 0, what is beside it. A's lower triangle is spoilt. */
function tridiagonalize(n: number, A: Float64Array, diagonal: Float64Array, off: Float64Array): Float64Array {
  const betas = new Float64Array(n)
  const product = new Float64Array(n)
  // Reflection k has its vector v in row k above the diagonal, which the lower triangle leaves free.
  for (let k = 0; k + 1 < n; k++) {
    const row = k * n
    let largest = 0
    for (let i = k + 1; i < n; i++) largest = Math.max(largest, Math.abs(A[i * n + k]!))
    const rest = k + 2 < n && largest > 0
    let square = 0
    for (let i = k + 1; i < n; i++) {
      A[row + i] = rest ? A[i * n + k]! / largest : 0
      square += A[row + i]! * A[row + i]!
    }
    if (!rest) {
      off[k] = A[(k + 1) * n + k]!
      continue
    }
    const head = A[row + k + 1]!
    const length = head > 0 ? -Math.sqrt(square) : Math.sqrt(square)
    A[row + k + 1] = head - length
    off[k] = length * largest
    const beta = 1 / (square - head * length)
    betas[k] = beta
    // H A H = A - v w' - w v' with p = beta A v, w = p - (beta/2)(p'v) v.
    product.fill(0, k + 1)
    for (let i = k + 1; i < n; i++) {
      const vi = A[row + i]!
      let total = A[i * n + i]! * vi
      for (let j = k + 1; j < i; j++) {
        total += A[i * n + j]! * A[row + j]!
        product[j]! += A[i * n + j]! * vi
      }
      product[i]! += total
    }
    let inner = 0
    for (let i = k + 1; i < n; i++) inner += product[i]! * A[row + i]!
    const half = (beta * beta * inner) / 2
    for (let i = k + 1; i < n; i++) product[i] = beta * product[i]! - half * A[row + i]!
    for (let i = k + 1; i < n; i++) {
      const vi = A[row + i]!
      const wi = product[i]!
      for (let j = k + 1; j <= i; j++) A[i * n + j]! -= vi * product[j]! + wi * A[row + j]!
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = A[i * n + i]!
  // Q = H_0 H_1 ..., from the last, which touches the fewest rows: Q' <- Q' - beta (Q' v) v'.
  const Q = new Float64Array(n * n)
  for (let i = 0; i < n; i++) Q[i * n + i] = 1
  for (let k = n - 3; k >= 0; k--) {
    const beta = betas[k]!
    if (beta === 0) continue
    const row = k * n
    for (let i = k + 1; i < n; i++) {
      let total = 0
      for (let j = k + 1; j < n; j++) total += Q[i * n + j]! * A[row + j]!
      total *= beta
      for (let j = k + 1; j < n; j++) Q[i * n + j]! -= total * A[row + j]!
    }
  }
  return Q
}

/** Rotations of neighbouring rows that are still to be done. */
export interface Rotations {
  /** Where each sweep begins and how many rows up it goes: (row i, row i + 1) <- (c a - s b, s a + c b) from i = last - 1 up. */
  readonly sweeps: Int32Array
  readonly sweepCount: number
  /** A cosine and a sine each. */
  readonly rotations: Float64Array
  readonly count: number
}

/**
 * Rotates `off` away, so that the diagonal becomes the eigenvalues, and has the same done to the rows of the eigenvectors: many
 * sweeps at a time, `most` rotations at least.
 */
export function diagonalize(
  n: number,
  diagonal: Float64Array,
  off: Float64Array,
  most: number,
  rotate: (batch: Rotations) => void,
): void {
  const rotations = new Float64Array(2 * (most + n))
  const sweeps = new Int32Array(2 * (most + n))
  let count = 0
  let sweepCount = 0
  const flush = (): void => {
    if (count > 0) rotate({ sweeps, sweepCount, rotations, count })
    count = 0
    sweepCount = 0
  }
  for (let first = 0; first < n; first++)
    for (let round = 0; ; round++) {
      let last = first
      // What is beside two entries of the diagonal is nothing when it is lost in their rounding.
      while (
        last + 1 < n &&
        Math.abs(off[last]!) > Number.EPSILON * (Math.abs(diagonal[last]!) + Math.abs(diagonal[last + 1]!))
      )
        last++
      if (last === first || Number.isNaN(off[first]!) || round > 60) break
      // Wilkinson's shift: the eigenvalue of the leading 2 x 2 that is nearer to its corner.
      const half = (diagonal[first + 1]! - diagonal[first]!) / (2 * off[first]!)
      const root = Math.sqrt(half * half + 1)
      let chased = diagonal[last]! - diagonal[first]! + off[first]! / (half + (half >= 0 ? root : -root))
      let sine = 1
      let cosine = 1
      let shift = 0
      let i = last - 1
      for (; i >= first; i--) {
        const f = sine * off[i]!
        const b = cosine * off[i]!
        const length = Math.sqrt(f * f + chased * chased)
        off[i + 1] = length
        if (length === 0) {
          diagonal[i + 1]! -= shift
          off[last] = 0
          break
        }
        sine = f / length
        cosine = chased / length
        const g = diagonal[i + 1]! - shift
        const r = (diagonal[i]! - g) * sine + 2 * cosine * b
        shift = sine * r
        diagonal[i + 1] = g + shift
        chased = cosine * r - b
        rotations[2 * count] = cosine
        rotations[2 * count++ + 1] = sine
      }
      sweeps[2 * sweepCount] = last
      sweeps[2 * sweepCount++ + 1] = last - 1 - i
      if (count >= most) flush()
      if (i >= first) continue
      diagonal[first]! -= shift
      off[first] = chased
      off[last] = 0
    }
  flush()
}

/** The rotations of a batch, on rows of n entries. */
function rotateRows(n: number, V: Float64Array, { sweeps, sweepCount, rotations }: Rotations): void {
  for (let sweep = 0, r = 0; sweep < sweepCount; sweep++) {
    let lower = sweeps[2 * sweep]! * n
    for (let count = sweeps[2 * sweep + 1]!; count > 0; count--, r += 2) {
      const [cosine, sine] = [rotations[r]!, rotations[r + 1]!]
      const upper = lower - n
      for (let j = 0; j < n; j++) {
        const a = V[upper + j]!
        const c = V[lower + j]!
        V[lower + j] = sine * a + cosine * c
        V[upper + j] = cosine * a - sine * c
      }
      lower = upper
    }
  }
}

/**
 * The lower triangle of A times a power of two that brings its largest entry near one, at rows of `ld` entries; what to
 * divide eigenvalues by. Squares of what matters neither overflow nor vanish then.
 */
export function scaled(n: number, A: Float64Array, lda: number, ld: number, out: Float64Array): number {
  let largest = 0
  for (let i = 0; i < n; i++)
    for (let k = i * lda; k <= i * lda + i; k++) if (Math.abs(A[k]!) > largest) largest = Math.abs(A[k]!)
  const scale =
    largest > 0 && largest < Number.POSITIVE_INFINITY ? 2 ** -Math.max(-1000, Math.floor(Math.log2(largest))) : 1
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) out[i * ld + j] = scale * A[i * lda + j]!
  return scale
}

/** Eigenvectors, rows of V, and values in ascending order. */
export function ascending(n: number, values: Float64Array, V: Float64Array): SymmetricEigen {
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const vectors = new Float64Array(n * n)
  order.forEach((from, i) => {
    vectors.set(V.subarray(from * n, (from + 1) * n), i * n)
  })
  return { values: Float64Array.from(order, (from) => values[from]!), vectors }
}
