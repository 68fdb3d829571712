// Projections onto { u : s_k x_k'u >= 0 }: ../../js/cone-projection.ts and ../../../active-span.ts, which say the same in words,
// with vectors. Strides in bytes; all in float64. Rows are padded with zeros to whole vectors.

// A span of active rows: how many, and removals since its basis was made; then its rows, their signs, their multipliers, the
// triangular factor R (d x d) and the basis Q (d x row).
const HEAD: usize = 16

/** Bytes of a span of rows of d entries, `row` bytes apart. */
export function spanBytes(d: i32, row: i32): i32 {
  return <i32>(HEAD + listBytes(d) + 2 * numberBytes(d) + numberBytes(d * d) + <usize>d * <usize>row)
}

// @ts-ignore: decorator
@inline
function listBytes(d: i32): usize {
  return ((<usize>d << 2) + 15) & ~15
}

// @ts-ignore: decorator
@inline
function numberBytes(count: i32): usize {
  return ((<usize>count << 3) + 15) & ~15
}

// What is worked on: the span's parts, and the caller's rows.
let span: usize = 0
let rows: usize = 0
let signs: usize = 0
let rho: usize = 0
let R: usize = 0
let Q: usize = 0
let unit: usize = 0
let words: usize = 0
let most: i32 = 0
let row: usize = 0
// Room: the multipliers wanted, products with the basis, and which rows leave.
let target: usize = 0
let products: usize = 0
let leaving: usize = 0

const INDEPENDENCE: f64 = 1e-11
const SENSITIVE: f64 = 1e-3
const MUCH: f64 = 0.1
const REMOVALS: i32 = 64
const VIOLATION: f64 = 1e-13
const PATIENCE: i32 = 50
const AT_ONCE: f64 = 0.5

/** Bytes of workspace for n rows of d entries. */
export function coneWorkBytes(n: i32, d: i32): i32 {
  return <i32>(<usize>3 * numberBytes(d) + numberBytes(n + 4) + <usize>2 * numberBytes(n))
}

function take(n: i32, d: i32, rowBytes: usize, unitAt: usize, wordsAt: usize, spanAt: usize, work: usize): void {
  most = d
  row = rowBytes
  unit = unitAt
  words = wordsAt
  span = spanAt
  rows = span + HEAD
  signs = rows + listBytes(d)
  rho = signs + numberBytes(d)
  R = rho + numberBytes(d)
  Q = R + numberBytes(d * d)
  target = work
  products = target + numberBytes(d)
  leaving = products + numberBytes(d)
}

// @ts-ignore: decorator
@inline
function size(): i32 {
  return load<i32>(span)
}

// @ts-ignore: decorator
@inline
function setSize(value: i32): void {
  store<i32>(span, value)
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

// @ts-ignore: decorator
@inline
function entry(i: i32, j: i32): usize {
  return R + (<usize>(i * most + j) << 3)
}

// @ts-ignore: decorator
@inline
function across(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}

// @ts-ignore: decorator
@inline
function signOf(k: i32): f64 {
  return (load<u32>(words + (<usize>(k >> 5) << 2)) >>> (k & 31)) & 1 ? 1 : -1
}

/** out_i = A_i'g over `count` rows, four at a time. */
function multiply(A: usize, count: i32, g: usize, out: usize): void {
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const a = A + <usize>i * row
    const b = a + row
    const c = b + row
    const e = c + row
    let sa = f64x2.splat(0)
    let sb = sa
    let sc = sa
    let se = sa
    for (let j: usize = 0; j < row; j += 16) {
      const gj = v128.load(g + j)
      sa = f64x2.add(sa, f64x2.mul(v128.load(a + j), gj))
      sb = f64x2.add(sb, f64x2.mul(v128.load(b + j), gj))
      sc = f64x2.add(sc, f64x2.mul(v128.load(c + j), gj))
      se = f64x2.add(se, f64x2.mul(v128.load(e + j), gj))
    }
    put(out, i, across(sa))
    put(out, i + 1, across(sb))
    put(out, i + 2, across(sc))
    put(out, i + 3, across(se))
  }
  for (; i < count; i++) put(out, i, product(A + <usize>i * row, g))
}

/** a'b over a row. */
function product(a: usize, b: usize): f64 {
  let s = f64x2.splat(0)
  for (let j: usize = 0; j < row; j += 16) s = f64x2.add(s, f64x2.mul(v128.load(a + j), v128.load(b + j)))
  return across(s)
}

/** out -= sum_i weights_i A_i over `count` rows, four at a time. */
function subtract(A: usize, count: i32, weights: usize, out: usize): void {
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const a = A + <usize>i * row
    const b = a + row
    const c = b + row
    const e = c + row
    const wa = v128.load64_splat(weights + (<usize>i << 3))
    const wb = v128.load64_splat(weights + (<usize>i << 3), 8)
    const wc = v128.load64_splat(weights + (<usize>i << 3), 16)
    const we = v128.load64_splat(weights + (<usize>i << 3), 24)
    for (let j: usize = 0; j < row; j += 16) {
      const ab = f64x2.add(f64x2.mul(wa, v128.load(a + j)), f64x2.mul(wb, v128.load(b + j)))
      const ce = f64x2.add(f64x2.mul(wc, v128.load(c + j)), f64x2.mul(we, v128.load(e + j)))
      v128.store(out + j, f64x2.sub(v128.load(out + j), f64x2.add(ab, ce)))
    }
  }
  for (; i < count; i++) {
    const a = A + <usize>i * row
    const wa = v128.load64_splat(weights + (<usize>i << 3))
    for (let j: usize = 0; j < row; j += 16)
      v128.store(out + j, f64x2.sub(v128.load(out + j), f64x2.mul(wa, v128.load(a + j))))
  }
}

function scale(a: usize, factor: f64): void {
  const f = f64x2.splat(factor)
  for (let j: usize = 0; j < row; j += 16) v128.store(a + j, f64x2.mul(f, v128.load(a + j)))
}

function add(k: i32, sign: f64, multiplier: f64): bool {
  const p = size()
  if (p == most) return false
  const q = Q + <usize>p * row
  memory.copy(q, unit + <usize>k * row, row)
  if (sign < 0) scale(q, -1)
  for (let i = 0; i < p; i++) store<f64>(entry(i, p), 0)
  // Gram-Schmidt twice is enough (Kahan), and once where much is left.
  let length: f64 = 0
  for (let pass = 0; pass < 2 && length < MUCH; pass++) {
    multiply(Q, p, q, products)
    for (let i = 0; i < p; i++) store<f64>(entry(i, p), load<f64>(entry(i, p)) + at(products, i))
    subtract(Q, p, products, q)
    length = sqrt<f64>(product(q, q))
  }
  if (!(length > INDEPENDENCE)) return false
  scale(q, 1 / length)
  store<f64>(entry(p, p), length)
  store<i32>(rows + (<usize>p << 2), k)
  put(signs, p, sign)
  put(rho, p, multiplier)
  setSize(p + 1)
  return true
}

/** Turns two rows by a plane rotation, vector by vector. */
// @ts-ignore: decorator
@inline
function turn(upper: usize, lower: usize, bytes: usize, c: f64, s: f64): void {
  const cc = f64x2.splat(c)
  const ss = f64x2.splat(s)
  let j: usize = 0
  for (; j + 16 <= bytes; j += 16) {
    const x = v128.load(upper + j)
    const y = v128.load(lower + j)
    v128.store(upper + j, f64x2.add(f64x2.mul(cc, x), f64x2.mul(ss, y)))
    v128.store(lower + j, f64x2.sub(f64x2.mul(cc, y), f64x2.mul(ss, x)))
  }
  if (j < bytes) {
    const x = load<f64>(upper + j)
    const y = load<f64>(lower + j)
    store<f64>(upper + j, c * x + s * y)
    store<f64>(lower + j, c * y - s * x)
  }
}

/** Takes column k out of R, and rotates what that leaves below the diagonal away. */
function remove(k: i32): void {
  const p = size() - 1
  for (let i = 0; i <= p; i++) {
    const j = max(k, i - 1)
    memory.copy(entry(i, j), entry(i, j + 1), <usize>(p - j) << 3)
  }
  memory.copy(rows + (<usize>k << 2), rows + (<usize>(k + 1) << 2), <usize>(p - k) << 2)
  memory.copy(signs + (<usize>k << 3), signs + (<usize>(k + 1) << 3), <usize>(p - k) << 3)
  memory.copy(rho + (<usize>k << 3), rho + (<usize>(k + 1) << 3), <usize>(p - k) << 3)
  setSize(p)
  for (let i = k; i < p; i++) {
    const a = load<f64>(entry(i, i))
    const b = load<f64>(entry(i + 1, i))
    const length = sqrt<f64>(a * a + b * b)
    const c = a / length
    const s = b / length
    store<f64>(entry(i, i), length)
    store<f64>(entry(i + 1, i), 0)
    turn(entry(i, i + 1), entry(i + 1, i + 1), <usize>(p - i - 1) << 3, c, s)
    turn(Q + <usize>i * row, Q + <usize>(i + 1) * row, row, c, s)
  }
  store<i32>(span + 4, load<i32>(span + 4) + 1)
}

function removeLeaving(): void {
  for (let k = size() - 1; k >= 0; k--) if (load<u8>(leaving + <usize>k)) remove(k)
}

/** target: R target = -Q g. */
function solve(g: usize): void {
  const p = size()
  multiply(Q, p, g, products)
  for (let i = p - 1; i >= 0; i--) {
    let k = i + 1
    let sum = f64x2.splat(0)
    for (; k + 2 <= p; k += 2)
      sum = f64x2.add(sum, f64x2.mul(v128.load(entry(i, k)), v128.load(target + (<usize>k << 3))))
    let total = -at(products, i) - across(sum)
    if (k < p) total -= load<f64>(entry(i, k)) * at(target, k)
    put(target, i, total / load<f64>(entry(i, i)))
  }
}

function dropNegative(): bool {
  let any = false
  for (let k = 0, p = size(); k < p; k++) {
    const leaves = !(at(target, k) > 0)
    store<u8>(leaving + <usize>k, leaves ? 1 : 0)
    if (leaves) any = true
  }
  if (any) removeLeaving()
  return any
}

function walk(): bool {
  const p = size()
  let step: f64 = 1
  for (let k = 0; k < p; k++) {
    const wanted = at(target, k)
    if (wanted > 0) continue
    const share = at(rho, k) / (at(rho, k) - wanted)
    // 0 / 0 is a multiplier that is zero and stays so.
    step = min(step, share == share ? share : 0)
  }
  let any = false
  for (let k = 0; k < p; k++) {
    const wanted = at(target, k)
    const moved = at(rho, k) + step * (wanted - at(rho, k))
    const leaves = !(wanted > 0) && !(moved > 1e-15 * abs<f64>(wanted))
    store<u8>(leaving + <usize>k, leaves ? 1 : 0)
    if (leaves) any = true
    put(rho, k, max<f64>(0, moved))
  }
  if (any) removeLeaving()
  return any
}

function refresh(): bool {
  const removals = load<i32>(span + 4)
  if (removals == 0) return false
  const old = size()
  let shortest: f64 = 1
  for (let k = 0; k < old; k++) shortest = min<f64>(shortest, load<f64>(entry(k, k)))
  if (removals < REMOVALS && shortest > SENSITIVE) return false
  setSize(0)
  store<i32>(span + 4, 0)
  for (let k = 0; k < old; k++) add(load<i32>(rows + (<usize>k << 2)), at(signs, k), at(rho, k))
  return true
}

/** Marks the active rows among n. */
function markRows(n: i32, marks: usize): void {
  memory.fill(marks, 0, n)
  for (let i = 0, p = size(); i < p; i++) store<u8>(marks + <usize>load<i32>(rows + (<usize>i << 2)), 1)
}

/** Makes the basis of the first `count` of the span's rows. */
export function spanRows(
  d: i32,
  rowBytes: usize,
  unitAt: usize,
  wordsAt: usize,
  spanAt: usize,
  count: i32,
  work: usize,
): void {
  take(0, d, rowBytes, unitAt, wordsAt, spanAt, work)
  setSize(0)
  store<i32>(span + 4, 0)
  for (let i = 0; i < count; i++) {
    const k = load<i32>(rows + (<usize>i << 2))
    add(k, signOf(k), 0)
  }
}

/** Lists the rows, or candidates, that the residual violates, with their slacks; returns how many. */
function listViolated(
  n: i32,
  candidates: usize,
  candidateCount: i32,
  tolerance: f64,
  residual: usize,
  slacks: usize,
  violated: usize,
  marks: usize,
): i32 {
  let count = 0
  markRows(n, marks)
  if (candidateCount >= 0) {
    for (let c = 0; c < candidateCount; c++) {
      const k = load<i32>(candidates + (<usize>c << 2))
      const slack = signOf(k) * product(unit + <usize>k * row, residual)
      if (slack >= -tolerance || load<u8>(marks + <usize>k)) continue
      put(slacks, k, slack)
      store<i32>(violated + (<usize>count << 2), k)
      count++
    }
    return count
  }
  multiply(unit, n, residual, slacks)
  for (let k = 0; k < n; ) {
    let bits = load<u32>(words + (<usize>(k >> 5) << 2))
    for (const end = min(n, k + 32); k < end; k++, bits >>>= 1) {
      const value = at(slacks, k)
      const slack = bits & 1 ? value : -value
      if (slack >= -tolerance || load<u8>(marks + <usize>k)) continue
      put(slacks, k, slack)
      store<i32>(violated + (<usize>count << 2), k)
      count++
    }
  }
  return count
}

/** Moves the most violated row among violated[q .. count] to place q, and returns it. */
function bringWorstForward(q: i32, count: i32, slacks: usize, violated: usize): i32 {
  let worst = q
  let least = at(slacks, load<i32>(violated + (<usize>q << 2)))
  for (let c = q + 1; c < count; c++) {
    const slack = at(slacks, load<i32>(violated + (<usize>c << 2)))
    if (slack < least) {
      least = slack
      worst = c
    }
  }
  const k = load<i32>(violated + (<usize>worst << 2))
  store<i32>(violated + (<usize>worst << 2), load<i32>(violated + (<usize>q << 2)))
  store<i32>(violated + (<usize>q << 2), k)
  return k
}

/**
 * residual <- the projection of v (not zero, `size` long) onto the cone of the rows, or of the candidates among them where
 * their number is not negative, from and to the span; returns its norm. Ends early where that is at most `enough`.
 */
export function projectOnCone(
  n: i32,
  d: i32,
  rowBytes: usize,
  unitAt: usize,
  wordsAt: usize,
  candidates: usize,
  candidateCount: i32,
  v: usize,
  residual: usize,
  spanAt: usize,
  enough: f64,
  work: usize,
): f64 {
  take(n, d, rowBytes, unitAt, wordsAt, spanAt, work)
  const slacks = leaving + numberBytes(d)
  const violated = slacks + numberBytes(n + 4)
  const marks = violated + numberBytes(n)
  const whole = sqrt<f64>(product(v, v))
  const tolerance = VIOLATION * whole
  do solve(v)
  while (dropNegative())
  memory.copy(rho, target, <usize>size() << 3)
  const limit = 10 * (d + 10) + n
  let share = AT_ONCE
  for (let round = 0, going = true; going; round++) {
    memory.copy(residual, v, row)
    // Twice where little is left, so that it is orthogonal to the span to rounding even then.
    let length: f64 = 0
    for (let pass = 0; pass < 2 && length < MUCH * whole; pass++) {
      multiply(Q, size(), residual, products)
      subtract(Q, size(), products, residual)
      length = sqrt<f64>(product(residual, residual))
    }
    if (enough > 0 && length <= enough) break
    const count =
      size() < d && round < limit
        ? listViolated(n, candidates, candidateCount, tolerance, residual, slacks, violated, marks)
        : 0
    if (count == 0) {
      going = refresh()
      continue
    }
    const atMost = max(1, <i32>floor<f64>(share * <f64>(d - size())))
    let added = 0
    for (let q = 0; q < count && added < atMost; q++) {
      const k = bringWorstForward(q, count, slacks, violated)
      if (add(k, signOf(k), 0)) added++
      else if (q == 0) break
    }
    if (added == 0) break
    // Walk from the feasible rho towards the solution on the active rows; a multiplier that reaches zero leaves.
    solve(v)
    let helps = false
    for (let k = size() - added, p = size(); k < p; k++) if (at(target, k) > 0) helps = true
    while (walk()) solve(v)
    // At least one of the rows helps; when rounding says otherwise, there is nothing left to gain.
    if (!helps) break
    if (round >= PATIENCE) share = 0
  }
  // What is left of a point in the polar cone is rounding, and not of the cone.
  const length = sqrt<f64>(product(residual, residual))
  if (size() < d && length > tolerance) return length
  memory.fill(residual, 0, row)
  return 0
}

/** The rows of Q beyond the span: an orthonormal basis of what is orthogonal to it. Returns their address. */
export function complementOfSpan(d: i32, rowBytes: usize, spanAt: usize, work: usize): usize {
  take(0, d, rowBytes, 0, 0, spanAt, work)
  const left = target
  // What is left of the unit vectors, the longest rest first.
  for (let j = 0; j < d; j++) put(left, j, 1)
  for (let i = 0, p = size(); i < p; i++) shorten(left, Q + <usize>i * row, d)
  for (let i = size(); i < d; i++) {
    let longest = 0
    for (let j = 1; j < d; j++) if (at(left, j) > at(left, longest)) longest = j
    const q = Q + <usize>i * row
    memory.fill(q, 0, row)
    put(q, longest, 1)
    for (let pass = 0; pass < 2; pass++) {
      multiply(Q, i, q, products)
      subtract(Q, i, products, q)
    }
    scale(q, 1 / sqrt<f64>(product(q, q)))
    shorten(left, q, d)
  }
  return Q + <usize>size() * row
}

/** left_j -= q_j^2 */
function shorten(left: usize, q: usize, d: i32): void {
  for (let j = 0; j < d; j++) put(left, j, at(left, j) - at(q, j) * at(q, j))
}
