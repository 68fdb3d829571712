// The passes of the gated kernel over tables of subset sums. Rows of X, u and out are padded to whole vectors; strides in
// bytes. `tables` has room for TABLES bytes.

import { BLOCKS, fillTable, lookUp, ROWS_OF_X, TO_ROW } from './subset-sums'

/** Bytes of the tables in use at a time: they share the second-level cache with what is summed. */
export const TABLES: i32 = 1 << 18

/**
 * For every line of from .. to - 1 and every output: the sum of the vectors of its subset, for entries c0 .. c1 - 1 (bytes
 * of a padded row), to a row of out or times a row of X to one entry of it.
 *
 * `source` says what the vectors are; `count` of them, in groups of `size`; the codes are `lineCount` apart.
 */
export function passes<T>(
  source: i32,
  mode: i32,
  size: i32,
  count: i32,
  vectors: usize,
  vectorStride: usize,
  weights: usize,
  weightStride: usize,
  chosen: usize,
  words: usize,
  wordStride: usize,
  codes: usize,
  lineCount: i32,
  from: i32,
  to: i32,
  c0: usize,
  c1: usize,
  lower: bool,
  out: usize,
  outStride: usize,
  X: usize,
  ldx: usize,
  tables: usize,
): void {
  const entry = sizeof<T>()
  for (let c = c0; c < c1; ) {
    const left = <i32>((c1 - c) >> 4)
    const registers = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1
    const tableBytes = <usize>(registers << 4) << <usize>size
    // As many as of the widest chunk, so that the order of sums does not depend on where columns are cut.
    const most = TABLES / (128 << size)
    const first = lower ? max(from, <i32>(c / entry)) : from
    for (let v0 = 0, group = 0; v0 < count; v0 += most * size, group += most) {
      const batch = min(most * size, count - v0)
      let table = tables
      for (let v = 0; v < batch; v += size, table += tableBytes) {
        const inGroup = min(size, batch - v)
        for (let b = 0; b < inGroup; b++)
          single<T>(
            source,
            table + (<usize>(registers << 4) << <usize>b),
            registers,
            v0 + v + b,
            vectors,
            vectorStride,
            weights,
            weightStride,
            chosen,
            words,
            wordStride,
            c,
          )
        fillTable<T>(table, inGroup, registers)
      }
      lookUp<T>(
        registers,
        mode,
        tables,
        tableBytes,
        (batch + size - 1) / size,
        codes + <usize>group * <usize>lineCount,
        <usize>lineCount,
        first,
        to,
        mode == TO_ROW ? out + c : out,
        outStride,
        X + c,
        ldx,
      )
    }
    c += <usize>(registers << 4)
  }
}

/** One vector's entries from byte c on. */
function single<T>(
  source: i32,
  to: usize,
  registers: i32,
  v: i32,
  vectors: usize,
  vectorStride: usize,
  weights: usize,
  weightStride: usize,
  chosen: usize,
  words: usize,
  wordStride: usize,
  c: usize,
): void {
  const entry = sizeof<T>()
  const bytes = <usize>(registers << 4)
  if (source == ROWS_OF_X) {
    const weight = v128.load_splat<T>(weights + <usize>v * weightStride)
    const x = vectors + <usize>v * vectorStride + c
    for (let q: usize = 0; q < bytes; q += 16) v128.store(to + q, v128.mul<T>(weight, v128.load(x + q)))
  } else if (source == BLOCKS) {
    const u = vectors + <usize>load<i32>(chosen + (<usize>v << 2)) * vectorStride + c
    memory.copy(to, u, bytes)
  } else {
    const weight = load<T>(weights + <usize>v * weightStride)
    const column = words + <usize>load<i32>(chosen + (<usize>v << 2)) * wordStride
    let row = <i32>(c / entry)
    for (let q: usize = 0; q < bytes; q += entry, row++) {
      const on = (load<u8>(column + <usize>(row >> 3)) >> <u8>(row & 7)) & 1
      store<T>(to + q, on ? weight : 0)
    }
  }
}

/** Writes the places of the blocks (rows of `bytes` bytes at `stride`, first one `start`) that are not all zero, and returns how many there are. */
export function activeBlocks<T>(u: usize, count: i32, stride: usize, bytes: usize, places: usize): i32 {
  let found = 0
  for (let i = 0; i < count; i++, u += stride) {
    let zero = true
    for (let q: usize = 0; q < bytes; q += sizeof<T>())
      if (load<T>(u + q) != 0) {
        zero = false
        break
      }
    if (zero) continue
    store<i32>(places + (<usize>found << 2), i)
    found++
  }
  return found
}

/** Rows of `bytes` bytes from one stride to another; what is beyond them in a longer row becomes zero. */
export function copyRows(to: usize, toStride: usize, from: usize, fromStride: usize, bytes: usize, rows: i32): void {
  for (let i = 0; i < rows; i++, to += toStride, from += fromStride) {
    memory.copy(to, from, bytes)
    if (toStride > bytes) memory.fill(to + bytes, 0, toStride - bytes)
  }
}

/** Rows of `bytes` bytes from one stride to another, and nothing beside them. */
export function copyColumns(to: usize, toStride: usize, from: usize, fromStride: usize, bytes: usize, rows: i32): void {
  for (let i = 0; i < rows; i++, to += toStride, from += fromStride) memory.copy(to, from, bytes)
}

/** a <- a o b over rows first .. last - 1 of a lower triangle, row `first` standing at a and at b. */
export function multiplyLower<T>(a: usize, stride: usize, b: usize, strideOfB: usize, first: i32, last: i32): void {
  const entry = sizeof<T>()
  for (let i = first; i < last; i++, a += stride, b += strideOfB) {
    const bytes = <usize>(i + 1) * entry
    // Rows are padded: whole vectors may be written.
    for (let q: usize = 0; q < bytes; q += 16) v128.store(a + q, v128.mul<T>(v128.load(a + q), v128.load(b + q)))
  }
}

/** Row i of out <- 0 where column chosen_i of bits is. */
export function clearRows<T>(out: usize, stride: usize, n: i32, words: usize, wordStride: usize, chosen: usize, m: i32): void {
  for (let i = 0; i < m; i++, out += stride) {
    const column = words + <usize>load<i32>(chosen + (<usize>i << 2)) * wordStride
    for (let r = 0; r < n; r++)
      if (!((load<u8>(column + <usize>(r >> 3)) >> <u8>(r & 7)) & 1)) store<T>(out + <usize>r * sizeof<T>(), 0)
  }
}

/** Column i of out (n x m) <- 0 where column chosen_i of bits is. */
export function clearColumns<T>(
  out: usize,
  stride: usize,
  n: i32,
  words: usize,
  wordStride: usize,
  chosen: usize,
  m: i32,
): void {
  for (let r = 0; r < n; r++, out += stride) {
    const at = words + <usize>(r >> 3)
    const bit = <u8>(r & 7)
    for (let i = 0; i < m; i++)
      if (!((load<u8>(at + <usize>load<i32>(chosen + (<usize>i << 2)) * wordStride) >> bit) & 1))
        store<T>(out + <usize>i * sizeof<T>(), 0)
  }
}

/** Copies the rows where both columns of bits are 1, one after the other, and returns how many there are. */
export function gatherRows(to: usize, from: usize, stride: usize, n: i32, columnA: usize, columnB: usize): i32 {
  let found = 0
  for (let r = 0; r < n; r++) {
    const both = load<u8>(columnA + <usize>(r >> 3)) & load<u8>(columnB + <usize>(r >> 3))
    if (!((both >> <u8>(r & 7)) & 1)) continue
    memory.copy(to, from + <usize>r * stride, stride)
    to += stride
    found++
  }
  return found
}
