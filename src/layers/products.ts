import { backend } from '../numerics/backends/index.ts'
import type { Matrix } from '../types.ts'

/** out <- A B' */
export function timesTransposed(A: Matrix, B: Matrix, out: Matrix): Matrix {
  const k = A.columns
  backend().gemm(false, true, A.rows, B.rows, k, 1, A.data, k, B.data, k, 0, out.data, B.rows)
  return out
}

/** out <- A B */
export function times(A: Matrix, B: Matrix, out: Matrix): Matrix {
  const [k, n] = [A.columns, B.columns]
  backend().gemm(false, false, A.rows, n, k, 1, A.data, k, B.data, n, 0, out.data, n)
  return out
}

/** out <- A' B */
export function transposedTimes(A: Matrix, B: Matrix, out: Matrix): Matrix {
  const [m, n] = [A.columns, B.columns]
  backend().gemm(true, false, m, n, A.rows, 1, A.data, m, B.data, n, 0, out.data, n)
  return out
}
