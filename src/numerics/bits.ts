/**
 * `count` columns of `rows` bits each, packed 32 rows to a word, one column after the other: an activation pattern per
 * column. Bit r of a word is row 32 w + r. Bits beyond `rows` are zero. Memory: count * ceil(rows / 32) * 4 bytes.
 */
export interface BitColumns {
  readonly rows: number
  readonly count: number
  /** Words per column. */
  readonly stride: number
  readonly words: Int32Array
}

/** `count` all-zero columns of `rows` bits. */
export function bitColumns(rows: number, count: number): BitColumns {
  const stride = Math.ceil(rows / 32)
  return { rows, count, stride, words: new Int32Array(stride * count) }
}

/** Whether bit `row` of `column` is set. */
export function isSet(bits: BitColumns, row: number, column: number): boolean {
  return ((bits.words[column * bits.stride + (row >> 5)]! >>> (row & 31)) & 1) === 1
}

/** Sets bit `row` of `column`. */
export function setBit(bits: BitColumns, row: number, column: number): void {
  bits.words[column * bits.stride + (row >> 5)]! |= 1 << (row & 31)
}

/** Number of bits set in a column. */
export function countSet(bits: BitColumns, column: number): number {
  let total = 0
  for (let k = column * bits.stride; k < (column + 1) * bits.stride; k++) total += popCount(bits.words[k]!)
  return total
}

/** The chosen columns, in the order given, copied. */
export function selectColumns(bits: BitColumns, columns: ArrayLike<number>): BitColumns {
  const chosen = bitColumns(bits.rows, columns.length)
  for (let k = 0; k < columns.length; k++) {
    const start = columns[k]! * bits.stride
    chosen.words.set(bits.words.subarray(start, start + bits.stride), k * bits.stride)
  }
  return chosen
}

/** The chosen rows of every column, in the order given. */
export function selectRows(bits: BitColumns, rows: ArrayLike<number>): BitColumns {
  const chosen = bitColumns(rows.length, bits.count)
  for (let k = 0; k < bits.count; k++) {
    const from = k * bits.stride
    const to = k * chosen.stride
    for (let r = 0; r < rows.length; r++)
      chosen.words[to + (r >> 5)]! |= ((bits.words[from + (rows[r]! >> 5)]! >>> (rows[r]! & 31)) & 1) << (r & 31)
  }
  return chosen
}

/** The bits of a column as text, one 0 or 1 per row: for files, tests and maps of patterns. */
export function bitText(bits: BitColumns, column: number): string {
  let text = ''
  for (let row = 0; row < bits.rows; row++) text += isSet(bits, row, column) ? '1' : '0'
  return text
}

function popCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
