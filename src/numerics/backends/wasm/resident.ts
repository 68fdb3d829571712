import type { Floats, RowReader } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import type { Address, Engine } from './engine.ts'

/** Most bytes of rows that are on their way from one stride to another. */
const PIECE = 2 ** 20

/** Bytes of X that are read at a time. */
const READ = 2 ** 24

/** Room in the engine's memory, for as long as something refers to this object. */
export interface Rooms {
  room(bytes: number): Address
  /** Gives one back before that. */
  release(address: Address): void
}

/** Patterns, likewise. */
export interface ResidentPatterns extends Rooms {
  readonly words: Address
  /** Bytes from one pattern to the next. */
  readonly wordStride: number
}

/** X and patterns, likewise. */
export interface Resident extends ResidentPatterns {
  /** Rows of X, padded with zeros to whole vectors. */
  readonly X: Address
  /** Bytes from one row of X to the next. */
  readonly ldx: number
}

// What nobody refers to any more gives its room back.
const forgotten = new FinalizationRegistry<{ engine: Engine; addresses: Set<Address> }>(({ engine, addresses }) => {
  for (const address of addresses) engine.release(address)
})

function rooms(engine: Engine): Rooms {
  const addresses = new Set<Address>()
  const own: Rooms = {
    room(bytes) {
      // Whole vectors and pairs of bytes are read at the end.
      const address = engine.allocate(bytes + 32)
      addresses.add(address)
      return address
    },
    release(address) {
      if (addresses.delete(address)) engine.release(address)
    },
  }
  forgotten.register(own, { engine, addresses })
  return own
}

/** Copies the patterns in. */
export function residentPatterns(engine: Engine, { stride, words }: BitColumns): ResidentPatterns {
  const own = rooms(engine)
  const kept = { words: own.room(4 * words.length), wordStride: 4 * stride }
  engine.putWords(kept.words, words)
  // The same object: its room is given back when nobody refers to it.
  return Object.assign(own, kept)
}

/** Copies X (patterns.rows x d) and the patterns in. */
export function resident<T extends Floats>(
  engine: Engine,
  read: RowReader<T>,
  like: T,
  d: number,
  patterns: BitColumns,
): Resident {
  const kept = residentPatterns(engine, patterns)
  return Object.assign(kept, residentRows(engine, kept, read, like, patterns.rows, d))
}

/** Copies X (n x d) into room of `kept`. */
export function residentRows<T extends Floats>(
  engine: Engine,
  kept: Rooms,
  read: RowReader<T>,
  like: T,
  n: number,
  d: number,
): { X: Address; ldx: number } {
  const ldx = paddedBytes(like, d)
  const X = kept.room(n * ldx)
  const step = Math.max(1, Math.floor(READ / Math.max(1, ldx)))
  for (let first = 0; first < n; first += step) {
    const count = Math.min(step, n - first)
    putPadded(engine, X + first * ldx, read(first, count), count, d)
  }
  return { X, ldx }
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
