import type { LinearOperator, Matrix } from '../types.ts'

/** A itself, dense: the plain twin that structured operators are compared with, and what small problems use. */
export function denseOperator(A: Matrix): LinearOperator {
  const { rows, columns, data } = A
  return {
    rows,
    columns,
    apply(u, out = new Float64Array(rows)) {
      for (let i = 0; i < rows; i++) {
        let total = 0
        for (let j = 0; j < columns; j++) total += data[i * columns + j]! * u[j]!
        out[i] = total
      }
      return out
    },
    adjoint(p, out = new Float64Array(columns)) {
      out.fill(0)
      for (let i = 0; i < rows; i++) {
        const pi = p[i]!
        for (let j = 0; j < columns; j++) out[j]! += data[i * columns + j]! * pi
      }
      return out
    },
  }
}
