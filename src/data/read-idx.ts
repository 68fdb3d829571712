import { matrix, requireFinite } from '../numerics/matrix.ts'
import { builtIn } from './built-in.ts'
import { type EntryReader, requireSmallWhenEmpty, type ShapedMatrix } from './read-npy.ts'
import { type ByteSource, readBytes } from './source.ts'

/** Entries by the third byte of the file; IDX is big-endian throughout. */
const readers: Record<number, EntryReader> = {
  8: { size: 1, bytes: true, read: (view, at) => view.getUint8(at) },
  9: { size: 1, read: (view, at) => view.getInt8(at) },
  11: { size: 2, read: (view, at) => view.getInt16(at) },
  12: { size: 4, read: (view, at) => view.getInt32(at) },
  13: { size: 4, read: (view, at) => view.getFloat32(at) },
  14: { size: 8, read: (view, at) => view.getFloat64(at) },
}

/**
 * An IDX file, the format of MNIST, plain or gzip-compressed, as a matrix of items x the product of the other
 * dimensions; labels become one column. Values are as in the file: pixels are 0 .. 255.
 *
 * @throws RangeError when it is no IDX file, is cut short or an entry is not finite.
 */
export async function readIdx(source: ByteSource): Promise<ShapedMatrix> {
  const { name, bytes: packed } = await readBytes(source, 'readIdx')
  const bytes = packed[0] === 0x1f && packed[1] === 0x8b ? await unpack(packed, name, 'readIdx', idxLength) : packed
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { reader, shape, start } = readIdxHeader(bytes, bytes.length, name, 'readIdx')
  const rows = shape[0] ?? 1
  const columns = shape.slice(1).reduce((product, size) => product * size, 1)
  requireSmallWhenEmpty(shape, 'readIdx', name)
  const M = matrix(rows, columns)
  for (let k = 0; k < M.data.length; k++) M.data[k] = reader.read(view, start + k * reader.size, false)
  requireFinite(M, 'readIdx', name)
  return { ...M, shape }
}

/**
 * The bytes of a gzip file. `needed` says from its beginning how many there may be, so that a small file that unpacks to
 * gigabytes is left as soon as it has more.
 */
export async function unpack(
  packed: Uint8Array,
  name: string,
  caller: string,
  needed: (beginning: Uint8Array) => number,
): Promise<Uint8Array> {
  const zlib = builtIn('node:zlib')
  if (!zlib)
    throw new RangeError(
      `${caller}: ${name} is gzip-compressed, which is unpacked in Node only; pass what .pipeThrough(new DecompressionStream('gzip')) gives.`,
    )
  const chunks: Uint8Array[] = []
  let length = 0
  let most: number | undefined
  const stream = zlib.createGunzip()
  stream.end(packed)
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      most ??= needed(chunk)
      chunks.push(chunk)
      length += chunk.length
      if (length > most) break
    }
  } catch (cause) {
    throw new RangeError(
      `${caller}: ${name} is broken as a gzip file (${(cause as Error).message}); copy the file again.`,
      { cause },
    )
  }
  if (most !== undefined && length > most)
    throw new RangeError(
      `${caller}: ${name} unpacks to more than the ${most} bytes that its beginning speaks of; copy the file again.`,
    )
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Bytes of a whole IDX file, from its header; one that has none is refused when it is read. */
export function idxLength(beginning: Uint8Array): number {
  const view = new DataView(beginning.buffer, beginning.byteOffset, beginning.byteLength)
  const dimensions = beginning[3] ?? 0
  const start = 4 + 4 * dimensions
  const size = readers[beginning[2] ?? -1]?.size ?? 0
  if (beginning.length < start) return beginning.length
  let entries = 1
  for (let axis = 0; axis < dimensions; axis++) entries *= view.getUint32(4 + 4 * axis)
  return start + entries * size
}

export interface IdxHeader {
  readonly reader: EntryReader
  readonly shape: readonly number[]
  /** Where the data begin. */
  readonly start: number
}

/** The header of an IDX file of `length` bytes, of which `bytes` are the first. */
export function readIdxHeader(bytes: Uint8Array, length: number, name: string, caller: string): IdxHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = readers[bytes[2] ?? -1]
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || !reader)
    throw new RangeError(
      `${caller}: ${name} does not begin as an IDX file does; pass an IDX file such as train-images-idx3-ubyte.gz.`,
    )
  const dimensions = bytes[3]!
  const start = 4 + 4 * dimensions
  if (bytes.length < start)
    throw new RangeError(`${caller}: ${name} ends within its header (${bytes.length} bytes); copy the file again.`)
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis))
  const entries = shape.reduce((product, size) => product * size, 1)
  if (length - start !== entries * reader.size)
    throw new RangeError(
      `${caller}: ${name} has ${length - start} bytes of data and its size ${shape.join(' x ')} needs ${entries * reader.size}; copy the file again.`,
    )
  return { reader, shape, start }
}
