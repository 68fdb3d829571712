import { requireFinite } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Matrix } from '../types.ts'
import { magic } from './read-npy.ts'
import { writeWhole } from './write-whole.ts'

/** The type and the shape of the array in the file. */
export interface NpyOptions {
  /** Default `float64`, which loses nothing; `float32` halves the file and rounds. */
  type?: 'float64' | 'float32'
  /** The array's dimensions, in C order (default rows x columns): of images for example [n, height, width, channels]. */
  shape?: readonly number[]
}

/**
 * A matrix as the bytes of a .npy file, which `numpy.load` and `readNpy` read: version 1, little-endian, C order.
 *
 * @throws RangeError when an entry is not finite or beyond float32, or the shape has another number of entries.
 */
export function toNpy(M: Matrix, options: NpyOptions = {}): Uint8Array {
  requireOptions(options, { type: true, shape: true }, 'toNpy')
  const { type = 'float64', shape = [M.rows, M.columns] } = options
  if (type !== 'float64' && type !== 'float32')
    throw new RangeError(`toNpy: type is '${String(type)}', expected float64 or float32; leave it out for float64.`)
  const count = shape.reduce((product, size) => product * size, 1)
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count !== M.data.length)
    throw new RangeError(
      `toNpy: shape is [${shape.join(', ')}] and the matrix has ${M.rows} x ${M.columns} entries; pass dimensions of that product.`,
    )
  requireFinite(M, 'toNpy', 'the matrix')
  const size = type === 'float64' ? 8 : 4
  // A single dimension is a tuple in Python only with its comma.
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const description = `{'descr': '<f${size}', 'fortran_order': False, 'shape': (${tuple}), }`
  // Magic, version, length and header together are a multiple of 64 bytes, ended by a line break.
  const start = Math.ceil((10 + description.length + 1) / 64) * 64
  const bytes = new Uint8Array(start + size * M.data.length)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  bytes.set([1, 0], magic.length)
  view.setUint16(8, start - 10, true)
  bytes.set(new TextEncoder().encode(`${description.padEnd(start - 11)}\n`), 10)
  M.data.forEach((value, k) => {
    if (size === 8) view.setFloat64(start + 8 * k, value, true)
    else if (Number.isFinite(Math.fround(value))) view.setFloat32(start + 4 * k, value, true)
    else
      throw new RangeError(
        `toNpy: the matrix has ${value} in row ${Math.floor(k / M.columns)}, column ${k % M.columns} (counted from 0), beyond what float32 holds; leave type out for float64.`,
      )
  })
  return bytes
}

/**
 * Writes a matrix as a .npy file, whole or not at all.
 *
 * @throws RangeError as `toNpy`; Error when the file cannot be written.
 */
export async function writeNpy(path: string, M: Matrix, options?: NpyOptions): Promise<void> {
  await writeWhole(path, toNpy(M, options))
}
