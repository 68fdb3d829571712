import type { Floats } from '../../backend.ts'
import type { BitColumns } from '../../bits.ts'
import type { Address, Engine } from './engine.ts'

/** X and patterns in the engine's memory, for as long as something refers to this object. */
export interface Resident {
  /** Rows of X, padded with zeros to whole vectors. */
  readonly X: Address
  /** Bytes from one row of X to the next. */
  readonly ldx: number
  readonly words: Address
  /** Bytes from one pattern to the next. */
  readonly wordStride: number
  /** More room that lives as long. */
  room(bytes: number): Address
}

// What nobody refers to any more gives its room back.
const forgotten = new FinalizationRegistry<{ engine: Engine; addresses: Address[] }>(({ engine, addresses }) => {
  for (const address of addresses) engine.release(address)
})

/** Copies X (patterns.rows x d) and the patterns in. */
export function resident(engine: Engine, X: Floats, d: number, patterns: BitColumns): Resident {
  const { rows: n, stride, words } = patterns
  const ldx = paddedBytes(X, d)
  const addresses: Address[] = []
  const room = (bytes: number): Address => {
    // Whole vectors and pairs of bytes are read at the end.
    const address = engine.allocate(bytes + 32)
    addresses.push(address)
    return address
  }
  const kept: Resident = { X: room(n * ldx), ldx, words: room(4 * words.length), wordStride: 4 * stride, room }
  forgotten.register(kept, { engine, addresses })
  putPadded(engine, kept.X, X, n, d)
  engine.putWords(kept.words, words)
  return kept
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
  const raw = engine.room('unpadded', rows * bytes)
  engine.put(raw, from, rows, d, d)
  engine.kernels.copyRows(to, stride, raw, bytes, bytes, rows)
}

/** Copies padded rows of d entries out. */
export function takePadded(engine: Engine, from: Address, to: Floats, rows: number, d: number): void {
  const bytes = d * to.BYTES_PER_ELEMENT
  const stride = paddedBytes(to, d)
  if (stride === bytes) {
    engine.take(from, to, rows, d, d)
    return
  }
  const raw = engine.room('unpadded', rows * bytes)
  engine.kernels.copyRows(raw, bytes, from, stride, bytes, rows)
  engine.take(raw, to, rows, d, d)
}
