import type { Vector } from '../types.ts'

/**
 * L with S = L L', row-major, its lower triangle; `undefined` when S is not positive definite to rounding. Only the lower
 * triangle of S is read; with `out` = S it is overwritten.
 */
export function cholesky(S: Vector, size: number, out: Vector = new Float64Array(size * size)): Vector | undefined {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const a = i * size
      const b = j * size
      let total = S[a + j]!
      for (let k = 0; k < j; k++) total -= out[a + k]! * out[b + k]!
      if (i !== j) out[a + j] = total / out[b + j]!
      else if (total > 0) out[a + i] = Math.sqrt(total)
      else return undefined
    }
  return out
}

/** x with L L' x = b. */
export function choleskySolve(L: Vector, size: number, b: Vector, out: Vector = new Float64Array(size)): Vector {
  for (let i = 0; i < size; i++) {
    let total = b[i]!
    for (let k = 0; k < i; k++) total -= L[i * size + k]! * out[k]!
    out[i] = total / L[i * size + i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    let total = out[i]!
    for (let k = i + 1; k < size; k++) total -= L[k * size + i]! * out[k]!
    out[i] = total / L[i * size + i]!
  }
  return out
}

/**
 * x with S x = b for a positive definite S, scaled to a unit diagonal first; a multiple of the identity is added, no larger
 * than need be, where rounding left S indefinite.
 */
export function solveSymmetric(S: Vector, size: number, b: Vector): Vector {
  const scale = Float64Array.from({ length: size }, (_, i) => 1 / Math.sqrt(Math.max(S[i * size + i]!, 1e-300)))
  const scaled = new Float64Array(size * size)
  for (let shift = 0; ; shift = shift === 0 ? 1e-15 : 10 * shift) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) scaled[i * size + j] = S[i * size + j]! * scale[i]! * scale[j]!
      scaled[i * size + i] = 1 + shift
    }
    const L = cholesky(scaled, size, scaled)
    if (!L && shift < 1) continue
    const right = b.map((value, i) => value * scale[i]!)
    return choleskySolve(L ?? scaled, size, right).map((value, i) => value * scale[i]!)
  }
}
