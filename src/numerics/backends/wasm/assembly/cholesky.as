// Factorisation and solves by halving: what is not a small triangle is a product. Strides in bytes.

import { multiplyAdd } from './gemm'

/** Triangles up to this size are worked row by row. */
const SMALL: i32 = 16

/** A = L L' over the lower triangle; n, or the first pivot that is not positive. */
export function factor<T>(n: i32, A: usize, lda: usize, work: usize): i32 {
  if (n <= SMALL) return factorSmall<T>(n, A, lda)
  const h = ((n >> 1) + 7) & ~7
  const done = factor<T>(h, A, lda, work)
  if (done < h) return done
  const below = A + <usize>h * lda
  const rest = below + <usize>h * sizeof<T>()
  solveRight<T>(n - h, h, below, A, lda, work)
  multiplyAdd<T>(false, true, n - h, n - h, h, -1, below, lda, below, lda, rest, lda, true, work)
  return h + factor<T>(n - h, rest, lda, work)
}

function factorSmall<T>(n: i32, A: usize, lda: usize): i32 {
  for (let i = 0; i < n; i++) {
    const row = A + <usize>i * lda
    for (let j = 0; j < i; j++) {
      const other = A + <usize>j * lda
      const at = row + <usize>j * sizeof<T>()
      store<T>(at, (load<T>(at) - inner<T>(row, other, j)) / load<T>(other + <usize>j * sizeof<T>()))
    }
    const pivot = row + <usize>i * sizeof<T>()
    const rest = load<T>(pivot) - inner<T>(row, row, i)
    if (!(rest > 0 && rest < Infinity)) return i
    store<T>(pivot, sqrt<T>(rest))
  }
  return n
}

/** B <- B L'^-1 for B of m x n, both with the same stride. */
function solveRight<T>(m: i32, n: i32, B: usize, L: usize, stride: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * stride
    const right = B + <usize>h * sizeof<T>()
    solveRight<T>(m, h, B, L, stride, work)
    multiplyAdd<T>(false, true, m, n - h, h, -1, B, stride, below, stride, right, stride, false, work)
    solveRight<T>(m, n - h, right, below + <usize>h * sizeof<T>(), stride, work)
    return
  }
  // Four rows at a time: their chains of divisions do not wait for one another.
  let i = 0
  for (; i + 4 <= m; i += 4) {
    const b = B + <usize>i * stride
    for (let j = 0; j < n; j++) {
      const l = L + <usize>j * stride
      const at = b + <usize>j * sizeof<T>()
      if (sizeof<T>() == 4) {
        let rest = f32x4(load<f32>(at), load<f32>(at + stride), load<f32>(at + 2 * stride), load<f32>(at + 3 * stride))
        for (let p = 0; p < j; p++) {
          const q = b + <usize>p * 4
          const s = v128.load_splat<f32>(l + <usize>p * 4)
          const four = f32x4(load<f32>(q), load<f32>(q + stride), load<f32>(q + 2 * stride), load<f32>(q + 3 * stride))
          rest = f32x4.sub(rest, f32x4.mul(s, four))
        }
        rest = f32x4.div(rest, v128.load_splat<f32>(l + <usize>j * 4))
        store<f32>(at, f32x4.extract_lane(rest, 0))
        store<f32>(at + stride, f32x4.extract_lane(rest, 1))
        store<f32>(at + 2 * stride, f32x4.extract_lane(rest, 2))
        store<f32>(at + 3 * stride, f32x4.extract_lane(rest, 3))
        continue
      }
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
      const at = b + <usize>j * sizeof<T>()
      let rest = load<T>(at)
      for (let p = 0; p < j; p++) rest -= load<T>(l + <usize>p * sizeof<T>()) * load<T>(b + <usize>p * sizeof<T>())
      store<T>(at, rest / load<T>(l + <usize>j * sizeof<T>()))
    }
  }
}

/** B <- L^-1 B for B of n x m. */
export function solveLower<T>(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * ldl
    solveLower<T>(h, m, L, ldl, B, ldb, work)
    multiplyAdd<T>(false, false, n - h, m, h, -1, below, ldl, B, ldb, B + <usize>h * ldb, ldb, false, work)
    solveLower<T>(n - h, m, below + <usize>h * sizeof<T>(), ldl, B + <usize>h * ldb, ldb, work)
    return
  }
  for (let i = 0; i < n; i++) {
    const l = L + <usize>i * ldl
    const row = B + <usize>i * ldb
    for (let j = 0; j < i; j++) subtractRow<T>(row, B + <usize>j * ldb, m, load<T>(l + <usize>j * sizeof<T>()))
    divideRow<T>(row, m, load<T>(l + <usize>i * sizeof<T>()))
  }
}

/** B <- L'^-1 B for B of n x m. */
export function solveUpper<T>(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  if (n > SMALL) {
    const h = ((n >> 1) + 7) & ~7
    const below = L + <usize>h * ldl
    solveUpper<T>(n - h, m, below + <usize>h * sizeof<T>(), ldl, B + <usize>h * ldb, ldb, work)
    multiplyAdd<T>(true, false, h, m, n - h, -1, below, ldl, B + <usize>h * ldb, ldb, B, ldb, false, work)
    solveUpper<T>(h, m, L, ldl, B, ldb, work)
    return
  }
  for (let i = n - 1; i >= 0; i--) {
    const l = L + <usize>i * ldl
    const row = B + <usize>i * ldb
    divideRow<T>(row, m, load<T>(l + <usize>i * sizeof<T>()))
    for (let j = 0; j < i; j++) subtractRow<T>(B + <usize>j * ldb, row, m, load<T>(l + <usize>j * sizeof<T>()))
  }
}

function inner<T>(a: usize, b: usize, count: i32): T {
  let sum: T = 0
  for (let p = 0; p < count; p++) sum += load<T>(a + <usize>p * sizeof<T>()) * load<T>(b + <usize>p * sizeof<T>())
  return sum
}

function subtractRow<T>(to: usize, from: usize, count: i32, s: T): void {
  const factor = v128.splat<T>(s)
  const lanes = <i32>(16 / sizeof<T>())
  let j = 0
  for (; j + lanes <= count; j += lanes, to += 16, from += 16)
    v128.store(to, v128.sub<T>(v128.load(to), v128.mul<T>(factor, v128.load(from))))
  for (; j < count; j++, to += sizeof<T>(), from += sizeof<T>()) store<T>(to, <T>(load<T>(to) - s * load<T>(from)))
}

function divideRow<T>(row: usize, count: i32, by: T): void {
  for (let j = 0; j < count; j++, row += sizeof<T>()) store<T>(row, <T>(load<T>(row) / by))
}
