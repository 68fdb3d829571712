import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readIdx } from '../../src/data/index.ts'
import { refuses } from './tables.ts'

interface Type {
  readonly name: string
  readonly code: number
  readonly size: number
  readonly values: fc.Arbitrary<number>
  readonly write: (view: DataView, at: number, value: number) => void
}

const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const finite = { noNaN: true, noDefaultInfinity: true }
const types: Type[] = [
  { name: 'unsigned bytes', code: 8, size: 1, values: whole(0, 255), write: (v, at, x) => v.setUint8(at, x) },
  { name: 'signed bytes', code: 9, size: 1, values: whole(-128, 127), write: (v, at, x) => v.setInt8(at, x) },
  { name: 'shorts', code: 11, size: 2, values: whole(-32768, 32767), write: (v, at, x) => v.setInt16(at, x) },
  { name: 'ints', code: 12, size: 4, values: whole(-(2 ** 31), 2 ** 31 - 1), write: (v, at, x) => v.setInt32(at, x) },
  { name: 'floats', code: 13, size: 4, values: fc.float(finite), write: (v, at, x) => v.setFloat32(at, x) },
  { name: 'doubles', code: 14, size: 8, values: fc.double(finite), write: (v, at, x) => v.setFloat64(at, x) },
]

function idx(type: Type, shape: readonly number[], entries: readonly number[]): Uint8Array {
  const start = 4 + 4 * shape.length
  const bytes = new Uint8Array(start + entries.length * type.size)
  const view = new DataView(bytes.buffer)
  bytes.set([0, 0, type.code, shape.length])
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size)
  })
  entries.forEach((entry, k) => {
    type.write(view, start + k * type.size, entry)
  })
  return bytes
}

describe('readIdx', () => {
  for (const type of types)
    it(`reads ${type.name} of any dimension, plain and compressed`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(whole(0, 3), { maxLength: 3 }),
          fc.array(type.values, { minLength: 27, maxLength: 27 }),
          fc.boolean(),
          async (shape, pool, compressed) => {
            const size = shape.reduce((product, length) => product * length, 1)
            const bytes = idx(type, shape, pool.slice(0, size))
            const read = await readIdx(compressed ? gzipSync(bytes) : bytes)
            expect(read.shape).toEqual(shape)
            expect(read.rows).toBe(shape[0] ?? 1)
            expect([...read.data]).toEqual(pool.slice(0, size))
          },
        ),
      ))

  const good = idx(types[0]!, [2, 2], [1, 2, 3, 4])
  const cases: [string, Uint8Array | string, string][] = [
    [
      'another beginning',
      Uint8Array.from(good).fill(7, 2, 3),
      'readIdx: the byte array does not begin as an IDX file does; pass an IDX file such as train-images-idx3-ubyte.gz.',
    ],
    [
      'no bytes',
      new Uint8Array(0),
      'readIdx: the byte array does not begin as an IDX file does; pass an IDX file such as train-images-idx3-ubyte.gz.',
    ],
    [
      'a cut header',
      good.subarray(0, 9),
      'readIdx: the byte array ends within its header (9 bytes); copy the file again.',
    ],
    [
      'cut data',
      good.subarray(0, 15),
      'readIdx: the byte array has 3 bytes of data and its size 2 x 2 needs 4; copy the file again.',
    ],
    [
      'a cut gzip file',
      gzipSync(good).subarray(0, 20),
      'readIdx: the byte array is broken as a gzip file (unexpected end of file); copy the file again.',
    ],
    [
      'a NaN',
      idx(types[4]!, [1, 2], [1, Number.NaN]),
      'readIdx: the byte array has NaN in row 0, column 1 (counted from 0); drop or impute the row.',
    ],
    ['a folder', 'test', 'readIdx: test is a directory, expected a file; pass the path of a file in it.'],
  ]
  for (const [what, source, sentence] of cases)
    it(`refuses ${what}`, () => refuses(readIdx(source), RangeError, sentence))
})
