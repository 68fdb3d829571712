// Products with 0/1 matrices as subset sums that are looked up: see ../../js/subset-sums.ts, which says the same in words.
// Vectors are summed a chunk of up to 8 registers at a time. Strides in bytes.

/** Where the vectors of a table come from: rows of X times p, rows of u, or columns of bits times weights. */
export const ROWS_OF_X: i32 = 0
export const BLOCKS: i32 = 1
export const BITS: i32 = 2

/** Codes of columns: bits of `count` rows in groups of `size`, group after group, one byte a column. */
export function codesOfColumns(
  words: usize,
  stride: usize,
  chosen: usize,
  m: i32,
  count: i32,
  size: i32,
  codes: usize,
): void {
  for (let bit = 0; bit < count; bit += size) {
    const mask: u32 = (1 << min(size, count - bit)) - 1
    const at = words + <usize>(bit >> 3)
    const shift = bit & 7
    for (let i = 0; i < m; i++, codes++) {
      const column = at + <usize>load<i32>(chosen + (<usize>i << 2)) * stride
      store<u8>(codes, (<u32>load<u16>(column) >> shift) & mask)
    }
  }
}

/** Codes of rows first .. first + lines - 1 (first a multiple of 32): their bits in the chosen columns in groups of `size`, one byte a row. */
export function codesOfRows(
  words: usize,
  stride: usize,
  chosen: usize,
  m: i32,
  first: i32,
  lines: i32,
  size: i32,
  codes: usize,
): void {
  for (let g = 0; g < m; g += size) {
    const count = min(size, m - g)
    for (let r = 0; r < lines; r += 8) {
      const at = words + <usize>((first + r) >> 3)
      // Eight rows of eight columns: a square of bits, turned about its diagonal.
      let x: u64 = 0
      for (let b = 0; b < count; b++)
        x |= <u64>load<u8>(at + <usize>load<i32>(chosen + (<usize>(g + b) << 2)) * stride) << <u64>(b << 3)
      let t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aa
      x = x ^ t ^ (t << 7)
      t = (x ^ (x >> 14)) & 0x0000cccc0000cccc
      x = x ^ t ^ (t << 14)
      t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0
      x = x ^ t ^ (t << 28)
      if (r + 8 <= lines) store<u64>(codes + <usize>r, x)
      else for (let q = 0; r + q < lines; q++) store<u8>(codes + <usize>(r + q), <u8>(x >> <u64>(q << 3)))
    }
    codes += <usize>lines
  }
}

/** The subset sums of one group from its single vectors, which stand at the powers of two. */
export function fillTable<T>(table: usize, count: i32, registers: i32): void {
  const entry = <usize>registers << 4
  for (let q: usize = 0; q < entry; q += 16) {
    v128.store(table + q, v128.splat<T>(0))
    for (let b = 1; b < count; b++) {
      const half = entry << <usize>b
      const single = table + half + q
      const v = v128.load(single)
      for (let t: usize = entry; t < half; t += entry)
        v128.store(single + t, v128.add<T>(v128.load(table + q + t), v))
    }
  }
}

/** What becomes of a line's sum: added to a row of `out`, or its product with a row of X added to one entry. */
export const TO_ROW: i32 = 0
export const TO_PRODUCT: i32 = 1

// @ts-ignore: decorator
@inline
function lines<T>(
  registers: i32,
  mode: i32,
  tables: usize,
  tableBytes: usize,
  groups: i32,
  codes: usize,
  codeStride: usize,
  from: i32,
  to: i32,
  out: usize,
  outStride: usize,
  X: usize,
  ldx: usize,
): void {
  for (let line = from; line < to; line++) {
    let s0 = v128.splat<T>(0)
    let s1 = v128.splat<T>(0)
    let s2 = v128.splat<T>(0)
    let s3 = v128.splat<T>(0)
    let s4 = v128.splat<T>(0)
    let s5 = v128.splat<T>(0)
    let s6 = v128.splat<T>(0)
    let s7 = v128.splat<T>(0)
    let code = codes + <usize>line
    let table = tables
    for (let g = 0; g < groups; g++) {
      const t = table + <usize>load<u8>(code) * <usize>(registers << 4)
      s0 = v128.add<T>(s0, v128.load(t))
      if (registers > 1) s1 = v128.add<T>(s1, v128.load(t, 16))
      if (registers > 2) {
        s2 = v128.add<T>(s2, v128.load(t, 32))
        s3 = v128.add<T>(s3, v128.load(t, 48))
      }
      if (registers > 4) {
        s4 = v128.add<T>(s4, v128.load(t, 64))
        s5 = v128.add<T>(s5, v128.load(t, 80))
        s6 = v128.add<T>(s6, v128.load(t, 96))
        s7 = v128.add<T>(s7, v128.load(t, 112))
      }
      table += tableBytes
      code += codeStride
    }
    const at = out + <usize>line * outStride
    if (mode == TO_ROW) {
      v128.store(at, v128.add<T>(v128.load(at), s0))
      if (registers > 1) v128.store(at, v128.add<T>(v128.load(at, 16), s1), 16)
      if (registers > 2) {
        v128.store(at, v128.add<T>(v128.load(at, 32), s2), 32)
        v128.store(at, v128.add<T>(v128.load(at, 48), s3), 48)
      }
      if (registers > 4) {
        v128.store(at, v128.add<T>(v128.load(at, 64), s4), 64)
        v128.store(at, v128.add<T>(v128.load(at, 80), s5), 80)
        v128.store(at, v128.add<T>(v128.load(at, 96), s6), 96)
        v128.store(at, v128.add<T>(v128.load(at, 112), s7), 112)
      }
    } else {
      const x = X + <usize>line * ldx
      s0 = v128.mul<T>(s0, v128.load(x))
      if (registers > 1) s0 = v128.add<T>(s0, v128.mul<T>(s1, v128.load(x, 16)))
      if (registers > 2) {
        s2 = v128.add<T>(v128.mul<T>(s2, v128.load(x, 32)), v128.mul<T>(s3, v128.load(x, 48)))
        s0 = v128.add<T>(s0, s2)
      }
      if (registers > 4) {
        s4 = v128.add<T>(v128.mul<T>(s4, v128.load(x, 64)), v128.mul<T>(s5, v128.load(x, 80)))
        s6 = v128.add<T>(v128.mul<T>(s6, v128.load(x, 96)), v128.mul<T>(s7, v128.load(x, 112)))
        s0 = v128.add<T>(s0, v128.add<T>(s4, s6))
      }
      store<T>(at, <T>(load<T>(at) + across<T>(s0)))
    }
  }
}

/** The sum of a vector's entries. */
// @ts-ignore: decorator
@inline
export function across<T>(v: v128): T {
  if (sizeof<T>() == 8) return <T>(f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1))
  return <T>(
    (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3)))
  )
}

/** Every line's lookups over one batch of tables, the sums being `registers` (1, 2, 4 or 8) long. */
export function lookUp<T>(
  registers: i32,
  mode: i32,
  tables: usize,
  tableBytes: usize,
  groups: i32,
  codes: usize,
  codeStride: usize,
  from: i32,
  to: i32,
  out: usize,
  outStride: usize,
  X: usize,
  ldx: usize,
): void {
  if (mode == TO_ROW) {
    if (registers == 8)
      lines<T>(8, TO_ROW, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
    else if (registers == 4)
      lines<T>(4, TO_ROW, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
    else if (registers == 2)
      lines<T>(2, TO_ROW, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
    else lines<T>(1, TO_ROW, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
  } else if (registers == 8)
    lines<T>(8, TO_PRODUCT, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
  else if (registers == 4)
    lines<T>(4, TO_PRODUCT, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
  else if (registers == 2)
    lines<T>(2, TO_PRODUCT, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
  else lines<T>(1, TO_PRODUCT, tables, tableBytes, groups, codes, codeStride, from, to, out, outStride, X, ldx)
}
