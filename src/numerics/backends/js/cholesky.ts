import type { Floats } from '../../backend.ts'
import { gemm } from './gemm.ts'

const BLOCK = 48

const panels = { double: new Float64Array(BLOCK * BLOCK), single: new Float32Array(BLOCK * BLOCK) }

/** A = L L' over A's lower triangle, by blocks of columns; n, or the first pivot that is not positive. */
export function cholesky(n: number, A: Floats, lda: number): number {
  const panel = A instanceof Float64Array ? panels.double : panels.single
  for (let k0 = 0; k0 < n; k0 += BLOCK) {
    const width = Math.min(BLOCK, n - k0)
    const end = k0 + width
    // The block on the diagonal, row by row: every inner loop runs along two rows.
    for (let i = k0; i < end; i++)
      for (let j = k0; j <= i; j++) {
        let rest = A[i * lda + j]!
        for (let p = k0; p < j; p++) rest -= A[i * lda + p]! * A[j * lda + p]!
        if (j < i) A[i * lda + j] = rest / A[j * lda + j]!
        else if (rest > 0 && rest < Number.POSITIVE_INFINITY) A[i * lda + i] = Math.sqrt(rest)
        else return i
      }
    for (let i = end; i < n; i++)
      for (let j = k0; j < end; j++) {
        let rest = A[i * lda + j]!
        for (let p = k0; p < j; p++) rest -= A[i * lda + p]! * A[j * lda + p]!
        A[i * lda + j] = rest / A[j * lda + j]!
      }
    // What is left: A_ij -= L_i L_j', by blocks of rows, the diagonal blocks through a panel of their own.
    for (let i0 = end; i0 < n; i0 += BLOCK) {
      const rows = Math.min(BLOCK, n - i0)
      const left = A.subarray(i0 * lda + k0)
      if (i0 > end)
        gemm(
          false,
          true,
          rows,
          i0 - end,
          width,
          -1,
          left,
          lda,
          A.subarray(end * lda + k0),
          lda,
          1,
          A.subarray(i0 * lda + end),
          lda,
        )
      gemm(false, true, rows, rows, width, 1, left, lda, left, lda, 0, panel, BLOCK)
      for (let i = 0; i < rows; i++) for (let j = 0; j <= i; j++) A[(i0 + i) * lda + i0 + j]! -= panel[i * BLOCK + j]!
    }
  }
  return n
}

/** B <- L^-1 B or L'^-1 B by blocks of rows: a small triangle at a time, the rest are products. */
export function triangularSolve<T extends Floats>(
  transpose: boolean,
  n: number,
  m: number,
  L: T,
  ldl: number,
  B: T,
  ldb: number,
): void {
  const blocks = Math.ceil(n / BLOCK)
  for (let step = 0; step < blocks; step++) {
    const k0 = BLOCK * (transpose ? blocks - 1 - step : step)
    const end = Math.min(n, k0 + BLOCK)
    if (transpose) {
      if (end < n)
        gemm(
          true,
          false,
          end - k0,
          m,
          n - end,
          -1,
          L.subarray(end * ldl + k0),
          ldl,
          B.subarray(end * ldb),
          ldb,
          1,
          B.subarray(k0 * ldb),
          ldb,
        )
      for (let i = end - 1; i >= k0; i--) {
        divideRow(B, i * ldb, m, L[i * ldl + i]!)
        for (let j = k0; j < i; j++) subtractRow(B, j * ldb, i * ldb, m, L[i * ldl + j]!)
      }
    } else {
      if (k0 > 0)
        gemm(false, false, end - k0, m, k0, -1, L.subarray(k0 * ldl), ldl, B, ldb, 1, B.subarray(k0 * ldb), ldb)
      for (let i = k0; i < end; i++) {
        for (let j = k0; j < i; j++) subtractRow(B, i * ldb, j * ldb, m, L[i * ldl + j]!)
        divideRow(B, i * ldb, m, L[i * ldl + i]!)
      }
    }
  }
}

function divideRow(B: Floats, start: number, m: number, by: number): void {
  for (let j = start; j < start + m; j++) B[j]! /= by
}

/** Row at `to` -= s times row at `from`. */
function subtractRow(B: Floats, to: number, from: number, m: number, s: number): void {
  for (let j = 0; j < m; j++) B[to + j]! -= s * B[from + j]!
}
