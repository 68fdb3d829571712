// A = Q T Q' for a symmetric A and a tridiagonal T, and rotations of rows: what an eigendecomposition takes beside products.
// See ../eigen.ts. Strides in bytes; all in float64.

/** Columns of a panel: one rotation's row of it is held in registers. */
export const PANEL: i32 = 16

/**
 * Over A's lower triangle (n rows, `lda` apart): diagonal, what is beside it, and the reflections I - beta_k v_k v_k', with
 * v_k in row k of A, right of the diagonal. `work` has room for 4 n entries.
 *
 * The rank-two update of one step waits for the product with the next step's vector, so that A is gone through once a step.
 */
export function tridiagonalize(n: i32, A: usize, lda: usize, diagonal: usize, off: usize, betas: usize, work: usize): void {
  const bytes = <usize>n << 3
  // v, w: of the update that waits · u: the vector of this step · p: A u, and then the next w
  let v = work
  let w = v + bytes
  let u = w + bytes
  let p = u + bytes
  memory.fill(work, 0, bytes << 2)
  for (let k = 0; k < n; k++) {
    const vk = at(v, k)
    const wk = at(w, k)
    let square: f64 = 0
    for (let i = k; i < n; i++) {
      const entry = A + <usize>i * lda + (<usize>k << 3)
      const value = load<f64>(entry) - (at(v, i) * wk + at(w, i) * vk)
      store<f64>(entry, value)
      put(u, i, value)
      if (i > k) square += value * value
    }
    put(diagonal, k, at(u, k))
    put(u, k, 0)
    if (k + 1 >= n) break
    const head = at(u, k + 1)
    let beta: f64 = 0
    if (k + 2 < n && square > head * head) {
      const length = head > 0 ? -sqrt<f64>(square) : sqrt<f64>(square)
      put(u, k + 1, head - length)
      put(off, k, length)
      beta = 1 / (square - head * length)
    } else {
      put(off, k, head)
      memory.fill(u + (<usize>(k + 1) << 3), 0, <usize>(n - k - 1) << 3)
    }
    put(betas, k, beta)
    memory.copy(A + <usize>k * lda + (<usize>(k + 1) << 3), u + (<usize>(k + 1) << 3), <usize>(n - k - 1) << 3)
    memory.fill(p + (<usize>(k + 1) << 3), 0, <usize>(n - k - 1) << 3)
    for (let i = k + 1; i < n; i++) updateAndMultiply(A + <usize>i * lda, k + 1, i, v, w, u, p)
    // H A H = A - u w' - w u' with w = beta p - (beta^2 / 2)(p'u) u.
    let inner: f64 = 0
    for (let i = k + 1; i < n; i++) inner += at(p, i) * at(u, i)
    const half = (beta * beta * inner) / 2
    for (let i = k + 1; i < n; i++) put(p, i, beta * at(p, i) - half * at(u, i))
    const oldV = v
    const oldW = w
    v = u
    w = p
    u = oldV
    p = oldW
  }
}

/** A_ij -= v_i w_j + w_i v_j for j from first to i, and with that p_i += A_ij u_j, p_j += A_ij u_i (once on the diagonal). */
// @ts-ignore: decorator
@inline
function updateAndMultiply(row: usize, first: i32, i: i32, v: usize, w: usize, u: usize, p: usize): void {
  const vi = at(v, i)
  const wi = at(w, i)
  const ui = at(u, i)
  const vs = v128.splat<f64>(vi)
  const ws = v128.splat<f64>(wi)
  const us = v128.splat<f64>(ui)
  let low = v128.splat<f64>(0)
  let high = v128.splat<f64>(0)
  let j = <usize>first << 3
  const end = <usize>i << 3
  for (; j + 32 <= end; j += 32) {
    let a = v128.load(row + j)
    let b = v128.load(row + j, 16)
    a = f64x2.sub(a, f64x2.add(f64x2.mul(vs, v128.load(w + j)), f64x2.mul(ws, v128.load(v + j))))
    b = f64x2.sub(b, f64x2.add(f64x2.mul(vs, v128.load(w + j, 16)), f64x2.mul(ws, v128.load(v + j, 16))))
    v128.store(row + j, a)
    v128.store(row + j, b, 16)
    low = f64x2.add(low, f64x2.mul(a, v128.load(u + j)))
    high = f64x2.add(high, f64x2.mul(b, v128.load(u + j, 16)))
    v128.store(p + j, f64x2.add(v128.load(p + j), f64x2.mul(a, us)))
    v128.store(p + j, f64x2.add(v128.load(p + j, 16), f64x2.mul(b, us)), 16)
  }
  low = f64x2.add(low, high)
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)
  for (; j < end; j += 8) {
    const a = load<f64>(row + j) - (vi * load<f64>(w + j) + wi * load<f64>(v + j))
    store<f64>(row + j, a)
    sum += a * load<f64>(u + j)
    store<f64>(p + j, load<f64>(p + j) + a * ui)
  }
  const d = load<f64>(row + end) - (vi * wi + wi * vi)
  store<f64>(row + end, d)
  put(p, i, at(p, i) + sum + d * ui)
}

// @ts-ignore: decorator
@inline
function at(vector: usize, i: i32): f64 {
  return load<f64>(vector + (<usize>i << 3))
}

// @ts-ignore: decorator
@inline
function put(vector: usize, i: i32, value: f64): void {
  store<f64>(vector + (<usize>i << 3), value)
}

/**
 * Rotates rows of panels from .. to - 1 (n rows of PANEL entries each): a sweep begins at row `last` and goes `count` rows up,
 * with a cosine and a sine for each; (row i, row i + 1) <- (c a - s b, s a + c b).
 */
export function rotateRows(panels: usize, n: i32, from: i32, to: i32, sweeps: usize, sweepCount: i32, rotations: usize): void {
  const line: usize = <usize>PANEL << 3
  for (let panel = from; panel < to; panel++) {
    const base = panels + <usize>panel * <usize>n * line
    let r = rotations
    for (let sweep = 0; sweep < sweepCount; sweep++) {
      const place = sweeps + (<usize>sweep << 3)
      let row = base + <usize>load<i32>(place) * line
      let c0 = v128.load(row)
      let c1 = v128.load(row, 16)
      let c2 = v128.load(row, 32)
      let c3 = v128.load(row, 48)
      let c4 = v128.load(row, 64)
      let c5 = v128.load(row, 80)
      let c6 = v128.load(row, 96)
      let c7 = v128.load(row, 112)
      for (let count = load<i32>(place, 4); count > 0; count--, r += 16) {
        const c = v128.load_splat<f64>(r)
        const s = v128.load_splat<f64>(r, 8)
        const above = row - line
        let a = v128.load(above)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c0)))
        c0 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c0))
        a = v128.load(above, 16)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c1)), 16)
        c1 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c1))
        a = v128.load(above, 32)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c2)), 32)
        c2 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c2))
        a = v128.load(above, 48)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c3)), 48)
        c3 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c3))
        a = v128.load(above, 64)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c4)), 64)
        c4 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c4))
        a = v128.load(above, 80)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c5)), 80)
        c5 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c5))
        a = v128.load(above, 96)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c6)), 96)
        c6 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c6))
        a = v128.load(above, 112)
        v128.store(row, f64x2.add(f64x2.mul(s, a), f64x2.mul(c, c7)), 112)
        c7 = f64x2.sub(f64x2.mul(c, a), f64x2.mul(s, c7))
        row = above
      }
      v128.store(row, c0)
      v128.store(row, c1, 16)
      v128.store(row, c2, 32)
      v128.store(row, c3, 48)
      v128.store(row, c4, 64)
      v128.store(row, c5, 80)
      v128.store(row, c6, 96)
      v128.store(row, c7, 112)
    }
  }
}
