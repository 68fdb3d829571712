import type { Vector } from '../types.ts'

/**
 * out <- A B' for row-major A (a x length) and B (b x length): all inner products of two lists of rows.
 *
 * Four by two at a time: six entries loaded serve eight products.
 */
export function rowProducts(
  A: Vector,
  a: number,
  B: Vector,
  b: number,
  length: number,
  out: Vector = new Float64Array(a * b),
): Vector {
  let i = 0
  for (; i + 4 <= a; i += 4) {
    const a0 = i * length
    const a1 = a0 + length
    const a2 = a1 + length
    const a3 = a2 + length
    let j = 0
    for (; j + 2 <= b; j += 2) {
      const b0 = j * length
      const b1 = b0 + length
      let s00 = 0
      let s01 = 0
      let s10 = 0
      let s11 = 0
      let s20 = 0
      let s21 = 0
      let s30 = 0
      let s31 = 0
      for (let k = 0; k < length; k++) {
        const u = B[b0 + k]!
        const v = B[b1 + k]!
        const p = A[a0 + k]!
        const q = A[a1 + k]!
        const r = A[a2 + k]!
        const s = A[a3 + k]!
        s00 += p * u
        s01 += p * v
        s10 += q * u
        s11 += q * v
        s20 += r * u
        s21 += r * v
        s30 += s * u
        s31 += s * v
      }
      const o = i * b + j
      out[o] = s00
      out[o + 1] = s01
      out[o + b] = s10
      out[o + b + 1] = s11
      out[o + 2 * b] = s20
      out[o + 2 * b + 1] = s21
      out[o + 3 * b] = s30
      out[o + 3 * b + 1] = s31
    }
    for (; j < b; j++) for (let r = i; r < i + 4; r++) out[r * b + j] = inner(A, r * length, B, j * length, length)
  }
  for (; i < a; i++) for (let j = 0; j < b; j++) out[i * b + j] = inner(A, i * length, B, j * length, length)
  return out
}

/** out <- A B for row-major A (a x inner) and B (inner x b), added to what is there when `add` is set. */
export function product(
  A: Vector,
  a: number,
  B: Vector,
  inside: number,
  b: number,
  out: Vector = new Float64Array(a * b),
  add = false,
): Vector {
  if (!add) out.fill(0, 0, a * b)
  for (let i = 0; i < a; i++) {
    const o = i * b
    let k = 0
    for (; k + 4 <= inside; k += 4) {
      const w = i * inside + k
      addFour(out, o, A[w]!, A[w + 1]!, A[w + 2]!, A[w + 3]!, B, k * b, b)
    }
    for (; k < inside; k++) {
      const w = A[i * inside + k]!
      if (w !== 0) for (let j = 0; j < b; j++) out[o + j]! += w * B[k * b + j]!
    }
  }
  return out
}

/** out <- A'B for row-major A (rows x a) and B (rows x b), added to what is there when `add` is set. */
export function transposeProduct(
  A: Vector,
  a: number,
  B: Vector,
  b: number,
  rows: number,
  out: Vector = new Float64Array(a * b),
  add = false,
): Vector {
  if (!add) out.fill(0, 0, a * b)
  let i = 0
  for (; i + 4 <= rows; i += 4)
    for (let k = 0; k < a; k++) {
      const w = i * a + k
      addFour(out, k * b, A[w]!, A[w + a]!, A[w + 2 * a]!, A[w + 3 * a]!, B, i * b, b)
    }
  for (; i < rows; i++)
    for (let k = 0; k < a; k++) {
      const w = A[i * a + k]!
      if (w !== 0) for (let j = 0; j < b; j++) out[k * b + j]! += w * B[i * b + j]!
    }
  return out
}

/** out[at ..] += w0 B_0 + w1 B_1 + w2 B_2 + w3 B_3 for four consecutive rows of B from `start`. */
function addFour(
  out: Vector,
  at: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  B: Vector,
  start: number,
  length: number,
): void {
  if (w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0) return
  const s1 = start + length
  const s2 = s1 + length
  const s3 = s2 + length
  for (let j = 0; j < length; j++)
    out[at + j]! += w0 * B[start + j]! + w1 * B[s1 + j]! + w2 * B[s2 + j]! + w3 * B[s3 + j]!
}

function inner(A: Vector, a: number, B: Vector, b: number, length: number): number {
  let total = 0
  for (let k = 0; k < length; k++) total += A[a + k]! * B[b + k]!
  return total
}

/** The transpose of a row-major rows x columns matrix. */
export function transpose(A: Vector, rows: number, columns: number, out: Vector = new Float64Array(A.length)): Vector {
  // Thirty-two columns at a time, so that what is written stays in cache.
  for (let first = 0; first < columns; first += 32) {
    const end = Math.min(columns, first + 32)
    for (let i = 0; i < rows; i++) for (let j = first; j < end; j++) out[j * rows + i] = A[i * columns + j]!
  }
  return out
}
