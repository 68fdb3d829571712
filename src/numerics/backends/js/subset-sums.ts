import type { Floats } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'

/** Entries of a vector summed at a time, one a register. */
const WIDTH = 8

// The tables of one batch, and the sums of one line that are being taken.
const tables = new Float64Array(2 ** 14)
const sum = new Float64Array(WIDTH)

/**
 * Sums of subsets of vectors by looking them up:  s_line = sum over groups of  table_group[code of the line].
 *
 * A group is `size` vectors; the sums of all its 2^size subsets are tabulated once, with one addition each, and then every
 * line takes one addition where it would have taken `size`. Products with 0/1 matrices are such sums.
 * Arlazarov, Dinic, Kronrod and Faradzev 1970, Dokl. Akad. Nauk SSSR 194 ("the four Russians").
 */
export interface Batch {
  /** `count` vectors of `length` entries, one after the other. */
  readonly vectors: Float64Array
  readonly count: number
  readonly length: number
  /** Vectors per group: 4 or 8. */
  readonly size: number
  /** For each line a byte per group: bit b is whether the group's vector b is in the line's subset. */
  readonly codes: Uint8Array
  readonly lines: number
}

/** Vectors per group: larger tables pay when many lines look into them. */
export function groupSize(lines: number): number {
  return lines < 256 ? 4 : 8
}

/** How many vectors the tables hold at once. */
export function batchSize(size: number): number {
  return (size * tables.length) / (WIDTH << size)
}

/** out[line, :] += s_line for out of lines x length; with `lower`, only where the column is not beyond the line. */
export function addSums(batch: Batch, out: Floats, lower = false): void {
  const { length, lines, codes, size } = batch
  const groups = Math.ceil(batch.count / size)
  for (let c = 0; c < length; c += WIDTH) {
    tabulate(batch, c)
    for (let line = lower ? c : 0; line < lines; line++) {
      lookUp(codes, line * groups, groups, WIDTH << size)
      const end = Math.min(WIDTH, length - c, lower ? line + 1 - c : WIDTH)
      for (let j = 0, to = line * length + c; j < end; j++) out[to + j]! += sum[j]!
    }
  }
}

/** out[line * stride] += x_line's_line for X of lines x length. */
export function addProducts(batch: Batch, X: Floats, out: Floats, stride: number): void {
  const { length, lines, codes, size } = batch
  const groups = Math.ceil(batch.count / size)
  for (let c = 0; c < length; c += WIDTH) {
    const end = Math.min(WIDTH, length - c)
    tabulate(batch, c)
    for (let line = 0; line < lines; line++) {
      lookUp(codes, line * groups, groups, WIDTH << size)
      let total = 0
      for (let j = 0, x = line * length + c; j < end; j++) total += X[x + j]! * sum[j]!
      out[line * stride]! += total
    }
  }
}

/** sum <- the line's sum, entries c .. c + WIDTH - 1 of it. */
function lookUp(codes: Uint8Array, code: number, groups: number, entries: number): void {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let s4 = 0
  let s5 = 0
  let s6 = 0
  let s7 = 0
  for (let table = 0; table < groups * entries; table += entries, code++) {
    const t = table + codes[code]! * WIDTH
    s0 += tables[t]!
    s1 += tables[t + 1]!
    s2 += tables[t + 2]!
    s3 += tables[t + 3]!
    s4 += tables[t + 4]!
    s5 += tables[t + 5]!
    s6 += tables[t + 6]!
    s7 += tables[t + 7]!
  }
  sum[0] = s0
  sum[1] = s1
  sum[2] = s2
  sum[3] = s3
  sum[4] = s4
  sum[5] = s5
  sum[6] = s6
  sum[7] = s7
}

/** The subset sums of every group, entries c .. c + WIDTH - 1: each is an earlier one plus one vector. */
function tabulate({ vectors, count, length, size }: Batch, c: number): void {
  const end = Math.min(WIDTH, length - c)
  for (let first = 0, table = 0; first < count; first += size, table += WIDTH << size) {
    tables.fill(0, table, table + WIDTH)
    for (let b = 0; b < size && first + b < count; b++) {
      const half = WIDTH << b
      const added = table + half
      const v = (first + b) * length + c
      for (let j = 0; j < WIDTH; j++) tables[added + j] = j < end ? vectors[v + j]! : 0
      for (let t = WIDTH; t < half; t++) tables[added + t] = tables[table + t]! + tables[added + (t & (WIDTH - 1))]!
    }
  }
}

/** The codes of columns: bits first .. first + count - 1 of each, in groups of `size`; `first` is a multiple of 32. */
export function codesOfColumns(
  { words, stride }: BitColumns,
  columns: Int32Array,
  first: number,
  count: number,
  size: number,
): Uint8Array {
  const groups = Math.ceil(count / size)
  const codes = new Uint8Array(columns.length * groups)
  const mask = (1 << size) - 1
  for (let i = 0, code = 0; i < columns.length; i++) {
    const column = columns[i]! * stride
    for (let bit = first; bit < first + count; bit += size, code++)
      codes[code] = (words[column + (bit >> 5)]! >>> (bit & 31)) & mask
  }
  return codes
}

/** The codes of rows: their bits in these columns, in groups of `size`. */
export function codesOfRows({ words, stride, rows }: BitColumns, columns: readonly number[], size: number): Uint8Array {
  const groups = Math.ceil(columns.length / size)
  const codes = new Uint8Array(rows * groups)
  columns.forEach((column, v) => {
    const group = Math.floor(v / size)
    const bit = v % size
    for (let r = 0; r < rows; r++)
      codes[r * groups + group]! |= ((words[column * stride + (r >> 5)]! >>> (r & 31)) & 1) << bit
  })
  return codes
}
