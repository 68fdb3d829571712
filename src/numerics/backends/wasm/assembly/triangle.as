// Solves with a triangle for one right-hand side in float64, whatever the triangle's entries are: bound by reading them.
// Strides in bytes.

/** x <- L^-1 x, four rows of L at a time: their sums do not wait for one another. */
export function forward<T>(n: i32, L: usize, ldl: usize, x: usize): void {
  const entry = sizeof<T>()
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const r = L + <usize>i * ldl
    const s = r + ldl
    const t = s + ldl
    const u = t + ldl
    let a = v128.splat<f64>(0)
    let b = v128.splat<f64>(0)
    let c = v128.splat<f64>(0)
    let e = v128.splat<f64>(0)
    let at = x
    for (let q: usize = 0; q < <usize>i * entry; q += 2 * entry, at += 16) {
      const value = v128.load(at)
      a = f64x2.add(a, f64x2.mul(pair<T>(r + q), value))
      b = f64x2.add(b, f64x2.mul(pair<T>(s + q), value))
      c = f64x2.add(c, f64x2.mul(pair<T>(t + q), value))
      e = f64x2.add(e, f64x2.mul(pair<T>(u + q), value))
    }
    const q = <usize>i * entry
    const first = (load<f64>(at) - both(a)) / one<T>(r + q)
    const second = (load<f64>(at, 8) - both(b) - one<T>(s + q) * first) / one<T>(s + q + entry)
    const third =
      (load<f64>(at, 16) - both(c) - one<T>(t + q) * first - one<T>(t + q + entry) * second) / one<T>(t + q + 2 * entry)
    const rest =
      load<f64>(at, 24) -
      both(e) -
      one<T>(u + q) * first -
      one<T>(u + q + entry) * second -
      one<T>(u + q + 2 * entry) * third
    store<f64>(at, first)
    store<f64>(at, second, 8)
    store<f64>(at, third, 16)
    store<f64>(at, rest / one<T>(u + q + 3 * entry), 24)
  }
  for (; i < n; i++) {
    const row = L + <usize>i * ldl
    const at = x + ((<usize>i) << 3)
    let rest = load<f64>(at)
    for (let j = 0; j < i; j++) rest -= one<T>(row + <usize>j * entry) * load<f64>(x + ((<usize>j) << 3))
    store<f64>(at, rest / one<T>(row + <usize>i * entry))
  }
}

/** x <- L'^-1 x, four rows of L at a time, so that x is read and written once for them. */
export function backward<T>(n: i32, L: usize, ldl: usize, x: usize): void {
  const entry = sizeof<T>()
  let i = n - 1
  // Single rows first, so that what is above a group of four is a multiple of four.
  for (; i >= 0 && (i & 3) != 3; i--) {
    const row = L + <usize>i * ldl
    const at = x + ((<usize>i) << 3)
    const value = load<f64>(at) / one<T>(row + <usize>i * entry)
    store<f64>(at, value)
    for (let j = 0; j < i; j++) {
      const to = x + ((<usize>j) << 3)
      store<f64>(to, load<f64>(to) - value * one<T>(row + <usize>j * entry))
    }
  }
  for (; i >= 3; i -= 4) {
    const u = L + <usize>(i - 3) * ldl
    const t = u + ldl
    const s = t + ldl
    const r = s + ldl
    const q = <usize>(i - 3) * entry
    const at = x + ((<usize>(i - 3)) << 3)
    const a = load<f64>(at, 24) / one<T>(r + q + 3 * entry)
    const b = (load<f64>(at, 16) - a * one<T>(r + q + 2 * entry)) / one<T>(s + q + 2 * entry)
    const c = (load<f64>(at, 8) - a * one<T>(r + q + entry) - b * one<T>(s + q + entry)) / one<T>(t + q + entry)
    const e = (load<f64>(at) - a * one<T>(r + q) - b * one<T>(s + q) - c * one<T>(t + q)) / one<T>(u + q)
    store<f64>(at, e)
    store<f64>(at, c, 8)
    store<f64>(at, b, 16)
    store<f64>(at, a, 24)
    const va = v128.splat<f64>(a)
    const vb = v128.splat<f64>(b)
    const vc = v128.splat<f64>(c)
    const ve = v128.splat<f64>(e)
    let to = x
    for (let p: usize = 0; p < q; p += 2 * entry, to += 16) {
      const upper = f64x2.add(f64x2.mul(va, pair<T>(r + p)), f64x2.mul(vb, pair<T>(s + p)))
      const lower = f64x2.add(f64x2.mul(vc, pair<T>(t + p)), f64x2.mul(ve, pair<T>(u + p)))
      v128.store(to, f64x2.sub(v128.load(to), f64x2.add(upper, lower)))
    }
  }
}

/** Two entries that stand side by side. */
// @ts-ignore: a decorator of the compiler's
@inline
function pair<T>(at: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(at)
  return f64x2.promote_low_f32x4(v128.load64_zero(at))
}

// @ts-ignore: a decorator of the compiler's
@inline
function one<T>(at: usize): f64 {
  return <f64>load<T>(at)
}

// @ts-ignore: a decorator of the compiler's
@inline
function both(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}
