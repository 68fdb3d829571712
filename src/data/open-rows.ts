import { checkSize, compactMatrix } from '../numerics/compact-matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import type { CompactMatrix } from '../types.ts'
import { builtIn } from './built-in.ts'
import { idxLength, readIdxHeader, unpack } from './read-idx.ts'
import { type EntryReader, npyReaders, readNpyHeader } from './read-npy.ts'
import { pathOf, unreadable } from './source.ts'

/** How the entries of a file are read, and how much of it is held in memory. */
export interface OpenOptions {
  /** What every entry is divided by when it is read (default 1); 255 for pixels. */
  divisor?: number
  /** Bytes of data up to which they are held in memory (default 2^30); more stay on disk and are read at every pass. */
  memory?: number
}

/** The rows of a file, and its shape: the first dimension is the rows, the others are flattened in C order. */
export interface OpenedRows extends CompactMatrix {
  readonly shape: readonly number[]
  /** Closes the file where it is held open; nothing can be read afterwards. */
  close(): void
}

/** What a header says of the data after it. */
interface Layout {
  readonly reader: EntryReader
  readonly littleEndian: boolean
  readonly shape: readonly number[]
  readonly start: number
}

/**
 * An IDX file, the format of MNIST, as a compact matrix: bytes stay bytes, and a file of more than `memory` stays on disk and is
 * read a block of rows at a time. A gzip-compressed one is unpacked into memory.
 *
 * @throws RangeError when it is no IDX file, is cut short or cannot be read.
 */
export async function openIdx(path: string | URL, options: OpenOptions = {}): Promise<OpenedRows> {
  return open(path, options, 'openIdx', idxLength, (head, length, name) => ({
    ...readIdxHeader(head, length, name, 'openIdx'),
    littleEndian: false,
  }))
}

/**
 * A .npy file in C order as a compact matrix, as `openIdx`: floats and integers of every size that `readNpy` takes.
 *
 * @throws RangeError when it is no .npy file, is in Fortran order, is cut short or cannot be read.
 */
export async function openNpy(path: string | URL, options: OpenOptions = {}): Promise<OpenedRows> {
  const lengthOf = (head: Uint8Array): number => {
    const { type, shape, start } = readNpyHeader(head, 'it', 'openNpy')
    return start + shape.reduce((product, size) => product * size, 1) * npyReaders[type]!.size
  }
  return open(path, options, 'openNpy', lengthOf, (head, length, name) => {
    const { type, bigEndian, fortran, shape, start } = readNpyHeader(head, name, 'openNpy')
    if (fortran)
      throw new RangeError(
        `openNpy: ${name} is in Fortran order, in which rows are not together; save it as numpy.ascontiguousarray(array).`,
      )
    const reader = npyReaders[type]!
    const needed = shape.reduce((product, size) => product * size, 1) * reader.size
    if (length - start !== needed)
      throw new RangeError(
        `openNpy: ${name} has ${length - start} bytes of data and its shape (${shape.join(', ')}) of type ${type} needs ${needed}; save the array again with numpy.save, one array a file.`,
      )
    return { reader, littleEndian: !bigEndian, shape, start }
  })
}

/** Bytes that a header may take. */
const HEADER = 2 ** 17

async function open(
  path: string | URL,
  options: OpenOptions,
  caller: string,
  lengthOf: (head: Uint8Array) => number,
  parse: (head: Uint8Array, length: number, name: string) => Layout,
): Promise<OpenedRows> {
  requireOptions(options, { divisor: 'number', memory: 'number' }, caller)
  const { divisor = 1, memory = 2 ** 30 } = options
  if (typeof path !== 'string' && !(path instanceof URL))
    throw new TypeError(
      `${caller}: the path is a ${typeof path}, expected a path or a file: URL; pass for example a path.`,
    )
  if (!(memory >= 0))
    throw new RangeError(`${caller}: memory is ${memory}, expected bytes of at least 0; pass for example 2 ** 30.`)
  const name = pathOf(path, caller)
  const fs = filesFor(name, caller)
  let file: number
  try {
    file = fs.openSync(path, 'r')
    fs.readSync(file, new Uint8Array(1), 0, 1, 0)
  } catch (error) {
    throw unreadable(error, name, caller)
  }
  try {
    const length = fs.fstatSync(file).size
    const head = bytesAt(0, Math.min(HEADER, length))
    if (head[0] === 0x1f && head[1] === 0x8b) {
      const bytes = await unpack(bytesAt(0, length), name, caller, lengthOf)
      fs.closeSync(file)
      return held(bytes, parse(bytes, bytes.length, name))
    }
    const layout = parse(head, length, name)
    if (length - layout.start > memory) return streamed(layout)
    const bytes = bytesAt(0, length)
    fs.closeSync(file)
    return held(bytes, layout)
  } catch (error) {
    closeQuietly()
    throw error
  }

  function bytesAt(from: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count)
    let read = 0
    while (read < count) {
      const got = fs.readSync(file, bytes, read, count - read, from + read)
      if (got === 0) throw new RangeError(`${caller}: ${name} ended while it was read; leave it as it is meanwhile.`)
      read += got
    }
    return bytes
  }

  function closeQuietly(): void {
    try {
      fs.closeSync(file)
    } catch {
      // Closed already.
    }
  }

  function held(bytes: Uint8Array, { reader, littleEndian, shape, start }: Layout): OpenedRows {
    const [rows, columns] = sizes(shape)
    const view = new DataView(bytes.buffer, bytes.byteOffset + start)
    // Bytes that are read as they are stay bytes; everything else is rounded to float32.
    const data =
      reader.bytes === true
        ? bytes.subarray(start, start + rows * columns)
        : Float32Array.from({ length: rows * columns }, (_, k) => reader.read(view, k * reader.size, littleEndian))
    return { ...compactMatrix(rows, columns, data, { divisor }), shape, close: () => {} }
  }

  function streamed({ reader, littleEndian, shape, start }: Layout): OpenedRows {
    const [rows, columns] = sizes(shape)
    checkSize(caller, rows, columns, divisor)
    return Object.freeze({
      rows,
      columns,
      shape,
      streamed: true,
      close: closeQuietly,
      read<T extends Float64Array | Float32Array>(from: number, out: T): T {
        const bytes = bytesAt(start + from * columns * reader.size, out.length * reader.size)
        const view = new DataView(bytes.buffer)
        for (let k = 0; k < out.length; k++) {
          const entry = reader.read(view, k * reader.size, littleEndian)
          if (!Number.isFinite(entry))
            throw new RangeError(
              `${caller}: ${name} has ${entry} in row ${from + Math.floor(k / columns)}, column ${k % columns} (counted from 0); drop or impute the row.`,
            )
          out[k] = entry / divisor
        }
        return out
      },
    })
  }
}

function filesFor(name: string, caller: string): typeof import('node:fs') {
  const fs = builtIn('node:fs')
  if (fs) return fs
  throw new RangeError(`${caller}: ${name} is a path, and a browser opens none; pass a compactMatrix of the bytes.`)
}

function sizes(shape: readonly number[]): [number, number] {
  return [shape[0] ?? 1, shape.slice(1).reduce((product, size) => product * size, 1)]
}
