import { matrix, requireFinite } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { type ByteSource, readBytes } from './source.ts'

/** A matrix that was an array of any dimension: the first one is the rows, the others are flattened in C order. */
export interface ShapedMatrix extends Matrix {
  readonly shape: readonly number[]
}

/** Bytes of an entry and how it is read; `littleEndian` says the order of its bytes. */
export interface EntryReader {
  readonly size: number
  /** Whether an entry is the byte that is stored. */
  readonly bytes?: true
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number
}

export const npyReaders: Record<string, EntryReader> = {
  f8: { size: 8, read: (view, at, little) => view.getFloat64(at, little) },
  f4: { size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  i8: { size: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  i4: { size: 4, read: (view, at, little) => view.getInt32(at, little) },
  i2: { size: 2, read: (view, at, little) => view.getInt16(at, little) },
  i1: { size: 1, read: (view, at) => view.getInt8(at) },
  u8: { size: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  u4: { size: 4, read: (view, at, little) => view.getUint32(at, little) },
  u2: { size: 2, read: (view, at, little) => view.getUint16(at, little) },
  u1: { size: 1, bytes: true, read: (view, at) => view.getUint8(at) },
  b1: { size: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
}

/**
 * A .npy file (versions 1 to 3) as a matrix: float64 and float32, integers of 1 to 8 bytes and booleans, of either byte
 * order, in C or Fortran order.
 *
 * An n-dimensional array becomes its first dimension x the product of the others; a vector becomes one column and a
 * scalar 1 x 1. Integers beyond 2^53 are refused rather than rounded.
 *
 * @throws RangeError when it is no .npy file, is cut short, holds another type, or an entry is not finite.
 */
export async function readNpy(source: ByteSource): Promise<ShapedMatrix> {
  const { name, bytes } = await readBytes(source, 'readNpy')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { type, bigEndian, fortran, shape, start } = readNpyHeader(bytes, name, 'readNpy')
  const reader = npyReaders[type]!
  const rows = shape[0] ?? 1
  const columns = shape.slice(1).reduce((product, size) => product * size, 1)
  requireSmallWhenEmpty(shape, 'readNpy', name)
  const needed = rows * columns * reader.size
  if (bytes.length - start !== needed)
    throw new RangeError(
      `readNpy: ${name} has ${bytes.length - start} bytes of data and ${rows * columns} entries of type ${type} need ${needed}; save the array again with numpy.save, one array a file.`,
    )
  const M = matrix(rows, columns)
  const { data } = M
  const position = fortran ? fortranOrder(shape) : undefined
  for (let k = 0; k < data.length; k++) {
    const value = reader.read(view, start + (position ? position() : k) * reader.size, !bigEndian)
    if (reader.size === 8 && type !== 'f8' && !Number.isSafeInteger(value))
      throw new RangeError(
        `readNpy: ${name} has ${value} in row ${Math.floor(k / columns)}, column ${k % columns} (counted from 0), beyond the whole numbers up to 2^53 that a float64 holds; save it as float64.`,
      )
    data[k] = value
  }
  requireFinite(M, 'readNpy', name)
  return { ...M, shape }
}

/** \x93NUMPY */
export const magic: Uint8Array = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)

/**
 * Refuses a shape of no entries with a dimension beyond any array's: no byte backs it, and whoever walks its rows never ends.
 */
export function requireSmallWhenEmpty(shape: readonly number[], caller: string, name: string): void {
  if (shape.includes(0) && shape.some((size) => size > LARGEST_EMPTY))
    throw new RangeError(
      `${caller}: ${name} has the shape ${shape.join(' x ')}, which is no entry at all; save the array again with its data.`,
    )
}

const LARGEST_EMPTY = 1e6

export interface NpyHeader {
  type: string
  bigEndian: boolean
  fortran: boolean
  shape: number[]
  /** Where the data begin. */
  start: number
}

/** The header of a .npy file, of which `bytes` are the first. */
export function readNpyHeader(bytes: Uint8Array, name: string, caller: string): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!magic.every((byte, k) => bytes[k] === byte))
    throw new RangeError(`${caller}: ${name} does not begin as a .npy file does; save the array with numpy.save.`)
  const version = bytes[6]
  if (version !== undefined && (version < 1 || version > 3))
    throw new RangeError(
      `${caller}: ${name} is a .npy file of version ${version}, expected 1 to 3; save the array again with numpy.save.`,
    )
  const prefix = version === 1 ? 10 : 12
  const length = bytes.length < prefix ? Number.NaN : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = prefix + length
  if (!(start <= bytes.length))
    throw new RangeError(`${caller}: ${name} ends within its header (${bytes.length} bytes); copy the file again.`)
  const header = new TextDecoder().decode(bytes.subarray(prefix, start))
  const descr = /'descr'\s*:\s*'([<>|=])([^']*)'/.exec(header)
  if (!descr || !Object.hasOwn(npyReaders, descr[2]!))
    throw new RangeError(
      `${caller}: ${name} has entries of type ${/'descr'\s*:\s*('[^']*'|\[.*\])/.exec(header)?.[1] ?? 'unknown'}, expected floats of 4 or 8 bytes, integers or booleans; save it as array.astype('float64').`,
    )
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number)
  if (!shape && !/'shape'\s*:\s*\(\s*\)/.test(header))
    throw new RangeError(`${caller}: ${name} says no shape in its header; save the array again with numpy.save.`)
  return {
    type: descr[2]!,
    bigEndian: descr[1] === '>',
    fortran: /'fortran_order'\s*:\s*True/.test(header),
    shape: shape ?? [],
    start,
  }
}

/** Positions in the file, in which the first index runs fastest, of the entries in C order. */
function fortranOrder(shape: readonly number[]): () => number {
  const index = shape.map(() => 0)
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1))
  let position = 0
  return () => {
    const current = position
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      position -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
    return current
  }
}
