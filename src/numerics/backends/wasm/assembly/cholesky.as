// Factorisation and solves by halving: what is not a small triangle is a product. Float64; strides in bytes.

import { multiplyAdd } from './gemm'

/** Triangles up to this size are worked row by row. */
const SMALL: i32 = 16

/** A = L L' over the lower triangle; n, or the first pivot that is not positive. */
export function factor(n: i32, A: usize, lda: usize, work: usize): i32 {
  if (n <= SMALL) return factorSmall(n, A, lda)
  const h = ((n >> 1) + 7) & ~7
  const done = factor(h, A, lda, work)
  if (done < h) return done
  const below = A + <usize>h * lda
  const rest = below + <usize>h * 8
  solveRight(n - h, h, below, A, lda, work)
  multiplyAdd<f64>(false, true, n - h, n - h, h, -1, below, lda, below, lda, rest, lda, true, work)
  return h + factor(n - h, rest, lda, work)
}

function factorSmall(n: i32, A: usize, lda: usize): i32 {
  for (let i = 0; i < n; i++) {
    const row = A + <usize>i * lda
    for (let j = 0; j < i; j++) {
      const other = A + <usize>j * lda
      const at = row + <usize>j * 8
      store<f64>(at, (load<f64>(at) - inner(row, other, j)) / load<f64>(other + <usize>j * 8))
    }
    const pivot = row + <usize>i * 8
    const rest = load<f64>(pivot) - inner(row, row, i)
    if (!(rest > 0 && rest < Infinity)) return i
    store<f64>(pivot, Math.sqrt(rest))
  }
  return n
}

/** B <- B L'^-1 for B of m x n, both with the same stride. */
function solveRight(m: i32, n: i32, B: usize, L: usize, stride: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * stride
    const right = B + <usize>h * 8
    solveRight(m, h, B, L, stride, work)
    multiplyAdd<f64>(false, true, m, n - h, h, -1, B, stride, below, stride, right, stride, false, work)
    solveRight(m, n - h, right, below + <usize>h * 8, stride, work)
    return
  }
  // Four rows at a time: their chains of divisions do not wait for one another.
  let i = 0
  for (; i + 4 <= m; i += 4) {
    const b = B + <usize>i * stride
    for (let j = 0; j < n; j++) {
      const l = L + <usize>j * stride
      const at = b + <usize>j * 8
      let low = v128.splat<f64>(0)
      let high = v128.splat<f64>(0)
      low = f64x2(load<f64>(at), load<f64>(at + stride))
      high = f64x2(load<f64>(at + 2 * stride), load<f64>(at + 3 * stride))
      for (let p = 0; p < j; p++) {
        const q = b + <usize>p * 8
        const s = v128.load_splat<f64>(l + <usize>p * 8)
        low = f64x2.sub(low, f64x2.mul(s, f64x2(load<f64>(q), load<f64>(q + stride))))
        high = f64x2.sub(high, f64x2.mul(s, f64x2(load<f64>(q + 2 * stride), load<f64>(q + 3 * stride))))
      }
      const d = v128.load_splat<f64>(l + <usize>j * 8)
      low = f64x2.div(low, d)
      high = f64x2.div(high, d)
      store<f64>(at, f64x2.extract_lane(low, 0))
      store<f64>(at + stride, f64x2.extract_lane(low, 1))
      store<f64>(at + 2 * stride, f64x2.extract_lane(high, 0))
      store<f64>(at + 3 * stride, f64x2.extract_lane(high, 1))
    }
  }
  for (; i < m; i++) {
    const b = B + <usize>i * stride
    for (let j = 0; j < n; j++) {
      const l = L + <usize>j * stride
      const at = b + <usize>j * 8
      let rest = load<f64>(at)
      for (let p = 0; p < j; p++) rest -= load<f64>(l + <usize>p * 8) * load<f64>(b + <usize>p * 8)
      store<f64>(at, rest / load<f64>(l + <usize>j * 8))
    }
  }
}

/** B <- L^-1 B for B of n x m. */
export function solveLower(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * ldl
    solveLower(h, m, L, ldl, B, ldb, work)
    multiplyAdd<f64>(false, false, n - h, m, h, -1, below, ldl, B, ldb, B + <usize>h * ldb, ldb, false, work)
    solveLower(n - h, m, below + <usize>h * 8, ldl, B + <usize>h * ldb, ldb, work)
    return
  }
  for (let i = 0; i < n; i++) {
    const l = L + <usize>i * ldl
    const row = B + <usize>i * ldb
    for (let j = 0; j < i; j++) subtractRow(row, B + <usize>j * ldb, m, load<f64>(l + <usize>j * 8))
    divideRow(row, m, load<f64>(l + <usize>i * 8))
  }
}

/** B <- L'^-1 B for B of n x m. */
export function solveUpper(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * ldl
    solveUpper(n - h, m, below + <usize>h * 8, ldl, B + <usize>h * ldb, ldb, work)
    multiplyAdd<f64>(true, false, h, m, n - h, -1, below, ldl, B + <usize>h * ldb, ldb, B, ldb, false, work)
    solveUpper(h, m, L, ldl, B, ldb, work)
    return
  }
  for (let i = n - 1; i >= 0; i--) {
    const l = L + <usize>i * ldl
    const row = B + <usize>i * ldb
    divideRow(row, m, load<f64>(l + <usize>i * 8))
    for (let j = 0; j < i; j++) subtractRow(B + <usize>j * ldb, row, m, load<f64>(l + <usize>j * 8))
  }
}

function inner(a: usize, b: usize, count: i32): f64 {
  let sum: f64 = 0
  for (let p = 0; p < count; p++) sum += load<f64>(a + <usize>p * 8) * load<f64>(b + <usize>p * 8)
  return sum
}

function subtractRow(to: usize, from: usize, count: i32, s: f64): void {
  const factor = f64x2.splat(s)
  let j = 0
  for (; j + 2 <= count; j += 2, to += 16, from += 16)
    v128.store(to, f64x2.sub(v128.load(to), f64x2.mul(factor, v128.load(from))))
  if (j < count) store<f64>(to, load<f64>(to) - s * load<f64>(from))
}

function divideRow(row: usize, count: i32, by: f64): void {
  for (let j = 0; j < count; j++, row += 8) store<f64>(row, load<f64>(row) / by)
}
