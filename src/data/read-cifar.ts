import { matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { unpack } from './read-idx.ts'
import { type ByteSource, readBytes } from './source.ts'

/** Images of 32 x 32 pixels in three colours, a row each, with their classes. */
export interface CifarImages {
  /** n x 3072: pixel by pixel, red, green and blue together, 0 .. 255. */
  readonly X: Matrix
  /** 0 .. 9 */
  readonly labels: number[]
  readonly shape: { readonly height: 32; readonly width: 32; readonly channels: 3 }
}

/** A label byte and three planes of 32 x 32. */
const RECORD = 3073

/** Bytes that a packed file may unpack to: 300,000 images, five times the whole data set. */
const LARGEST = 300_000 * RECORD

/**
 * A CIFAR-10 binary file, plain or gzip-compressed. The file has its colours one after the other; here they are together in
 * each pixel, as everything that cuts patches expects them.
 *
 * @throws RangeError when the size is no multiple of a record's 3073 bytes or a label is not 0 .. 9.
 */
export async function readCifar(source: ByteSource): Promise<CifarImages> {
  const { name, bytes: packed } = await readBytes(source, 'readCifar')
  const bytes =
    packed[0] === 0x1f && packed[1] === 0x8b ? await unpack(packed, name, 'readCifar', () => LARGEST) : packed
  if (bytes.length === 0 || bytes.length % RECORD !== 0)
    throw new RangeError(
      `readCifar: ${name} has ${bytes.length} bytes, expected a multiple of ${RECORD}; pass a binary file of CIFAR-10 such as data_batch_1.bin.`,
    )
  const n = bytes.length / RECORD
  const X = matrix(n, 3072)
  const labels: number[] = []
  for (let i = 0; i < n; i++) {
    const label = bytes[i * RECORD]!
    if (label > 9)
      throw new RangeError(
        `readCifar: record ${i} of ${name} has the label ${label}, expected 0 to 9; pass a binary file of CIFAR-10.`,
      )
    labels.push(label)
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < 1024; p++) X.data[i * 3072 + p * 3 + c] = bytes[i * RECORD + 1 + c * 1024 + p]!
  }
  return { X, labels, shape: { height: 32, width: 32, channels: 3 } }
}
