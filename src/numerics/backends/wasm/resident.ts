import type { Floats, RowReader } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import type { Address, Engine } from './engine.ts'
import { keep } from './kept.ts'

/** Most bytes of rows that are on their way from one stride to another. */
const PIECE = 2 ** 20

/** Bytes of X that are read at a time. */
const READ = 2 ** 24

/** Patterns in the engine's memory, for as long as something refers to this object. */
export interface ResidentPatterns {
  /** Where they are, in this turn of the engine. */
  readonly words: Address
  /** Bytes from one pattern to the next. */
  readonly wordStride: number
}

/** X, likewise. */
export interface ResidentRows {
  /** Where rows of X are, padded with zeros to whole vectors, in this turn of the engine. */
  readonly X: Address
  /** Bytes from one row of X to the next. */
  readonly ldx: number
}

/** X and patterns, likewise. */
export type Resident = ResidentPatterns & ResidentRows

/** Copies the patterns in. */
export function residentPatterns(engine: Engine, { stride, words }: BitColumns): ResidentPatterns {
  const room = keep(engine, 4 * words.length)
  engine.putWords(room.at(), words)
  return {
    get words() {
      return room.at()
    },
    wordStride: 4 * stride,
  }
}

/** Copies X (patterns.rows x d) and the patterns in. */
export function resident<T extends Floats>(
  engine: Engine,
  read: RowReader<T>,
  like: T,
  d: number,
  patterns: BitColumns,
): Resident {
  const bits = residentPatterns(engine, patterns)
  const rows = residentRows(engine, read, like, patterns.rows, d)
  return {
    get words() {
      return bits.words
    },
    wordStride: bits.wordStride,
    get X() {
      return rows.X
    },
    ldx: rows.ldx,
  }
}

/** Copies X (n x d) in. */
export function residentRows<T extends Floats>(
  engine: Engine,
  read: RowReader<T>,
  like: T,
  n: number,
  d: number,
): ResidentRows {
  const ldx = paddedBytes(like, d)
  const room = keep(engine, n * ldx)
  const step = Math.max(1, Math.floor(READ / Math.max(1, ldx)))
  for (let first = 0; first < n; first += step) {
    const count = Math.min(step, n - first)
    putPadded(engine, room.at() + first * ldx, read(first, count), count, d)
  }
  return {
    get X() {
      return room.at()
    },
    ldx,
  }
}

/** Bytes of a row of d entries that is padded to whole vectors. */
export function paddedBytes(like: Floats, d: number): number {
  return Math.ceil((d * like.BYTES_PER_ELEMENT) / 16) * 16
}

/** Copies rows of d entries in, padded. */
export function putPadded(engine: Engine, to: Address, from: Floats, rows: number, d: number): void {
  const bytes = d * from.BYTES_PER_ELEMENT
  const stride = paddedBytes(from, d)
  if (stride === bytes) {
    engine.put(to, from, rows, d, d)
    return
  }
  const step = pieceOf(rows, bytes)
  const raw = engine.room('unpadded', step * bytes)
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first)
    engine.put(raw, from.subarray(first * d), count, d, d)
    engine.kernels.copyRows(to + first * stride, stride, raw, bytes, bytes, count)
  }
}

/** Copies padded rows of d entries out. */
export function takePadded(engine: Engine, from: Address, to: Floats, rows: number, d: number): void {
  const bytes = d * to.BYTES_PER_ELEMENT
  const stride = paddedBytes(to, d)
  if (stride === bytes) {
    engine.take(from, to, rows, d, d)
    return
  }
  const step = pieceOf(rows, bytes)
  const raw = engine.room('unpadded', step * bytes)
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first)
    engine.kernels.copyRows(raw, bytes, from + first * stride, stride, bytes, count)
    engine.take(raw, to.subarray(first * d), count, d, d)
  }
}

/** Rows that go at a time. */
function pieceOf(rows: number, bytes: number): number {
  return Math.max(1, Math.min(rows, Math.floor(PIECE / Math.max(1, bytes))))
}
