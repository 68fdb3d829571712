import type { Floats } from '../../backend.ts'
import { KEPT_ROWS } from '../js/gated.ts'
import type { Address } from './engine.ts'
import { type Kept, keep } from './kept.ts'
import { codesOfRows, multiplyAdd, pass } from './parallel.ts'
import { groupSize, type Inside, putList } from './passes.ts'
import { paddedBytes } from './resident.ts'

/** Bytes of X X' that are kept. */
const KEPT = 8 * KEPT_ROWS ** 2

/** Rows of X X' at a time, each strip as long as its last row. */
const STRIP = 256

/** Bytes of a row that are summed at a time, at most. */
const CHUNK = 128

/** X X' of one precision, lower triangle. */
export interface Products {
  entry?: 4 | 8
  room?: Kept
}

/** Lower triangle of `to` <- sum_i weights_i D_i X X' D_i over these columns of the patterns, rows of padded n entries apart. */
export function kernelMatrix(
  inside: Inside & { X: Address },
  held: Products,
  columns: Int32Array,
  weights: Floats,
  to: Address,
): void {
  const { engine, typed, n, d, words, wordStride, X, ldx } = inside
  const { entry } = typed
  const m = columns.length
  const line = paddedBytes(weights, n)
  const size = groupSize(n / 2, m)
  const list = putList(engine, columns)
  const codes = engine.room('codes', n * Math.ceil(m / size))
  const w = engine.room('fit', m * entry)
  engine.put(w, weights, 1, m, m)
  // A chunk of a row that the diagonal cuts is summed whole.
  for (let r = 0; r < n; r++) engine.clear(to + r * line, Math.min(line, (r + 1) * entry + CHUNK))
  codesOfRows(engine, words, wordStride, list, m, 0, n, size, codes)
  // sum_i weights_i 1_i 1_i' over the patterns' 0/1 columns 1_i, and then its product with X X', entry by entry.
  pass(engine, entry, {
    source: 'bits',
    weights: w,
    weightStride: entry,
    chosen: list,
    words,
    wordStride,
    count: m,
    size,
    codes,
    lines: n,
    length: line,
    lower: true,
    out: to,
    outStride: line,
  })
  const strips = stripsOf(n, weights)
  const bytes = strips.reduce((sum, { rows, length }) => sum + rows * length, 0)
  const products = (at: Address, { r, rows, length }: Strip): void => {
    engine.clear(at, rows * length)
    multiplyAdd(engine, entry, 0, 1, rows, r + rows, d, 1, X + r * ldx, ldx, X, ldx, at, length, 0)
  }
  const keeps = bytes <= KEPT
  const made = keeps && held.entry === entry
  if (keeps && !made) {
    held.room?.release()
    delete held.room
    delete held.entry
    held.room = keep(engine, bytes)
  }
  let place = keeps ? held.room!.at() : 0
  for (const strip of strips) {
    const { r, rows, length } = strip
    const at = keeps ? place : engine.room('strip', STRIP * line)
    if (!made) products(at, strip)
    typed.multiplyLower(to + r * line, line, at, length, r, r + rows)
    place += rows * length
  }
  if (keeps) held.entry = entry
}

/** Rows r .. r + rows - 1 of a lower triangle, `length` bytes each. */
interface Strip {
  readonly r: number
  readonly rows: number
  readonly length: number
}

function stripsOf(n: number, like: Floats): Strip[] {
  return Array.from({ length: Math.ceil(n / STRIP) }, (_, k) => {
    const r = k * STRIP
    const rows = Math.min(STRIP, n - r)
    return { r, rows, length: paddedBytes(like, r + rows) }
  })
}
