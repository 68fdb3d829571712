import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readNpy, toNpy } from '../../src/data/index.ts'
import { matrix, toRows } from '../../src/numerics/matrix.ts'
import { refuses } from './tables.ts'

interface Type {
  readonly descr: string
  readonly size: number
  readonly values: fc.Arbitrary<number>
  readonly write: (view: DataView, at: number, value: number, little: boolean) => void
}

const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const finite = { noNaN: true, noDefaultInfinity: true }
const safe = Number.MAX_SAFE_INTEGER
const types: Type[] = [
  { descr: 'f8', size: 8, values: fc.double(finite), write: (v, at, x, little) => v.setFloat64(at, x, little) },
  { descr: 'f4', size: 4, values: fc.float(finite), write: (v, at, x, little) => v.setFloat32(at, x, little) },
  {
    descr: 'i8',
    size: 8,
    values: fc.maxSafeInteger(),
    write: (v, at, x, little) => v.setBigInt64(at, BigInt(x), little),
  },
  {
    descr: 'u8',
    size: 8,
    values: fc.maxSafeNat(),
    write: (v, at, x, little) => v.setBigUint64(at, BigInt(x), little),
  },
  {
    descr: 'i4',
    size: 4,
    values: whole(-(2 ** 31), 2 ** 31 - 1),
    write: (v, at, x, little) => v.setInt32(at, x, little),
  },
  { descr: 'u4', size: 4, values: whole(0, 2 ** 32 - 1), write: (v, at, x, little) => v.setUint32(at, x, little) },
  {
    descr: 'i2',
    size: 2,
    values: whole(-(2 ** 15), 2 ** 15 - 1),
    write: (v, at, x, little) => v.setInt16(at, x, little),
  },
  { descr: 'u2', size: 2, values: whole(0, 2 ** 16 - 1), write: (v, at, x, little) => v.setUint16(at, x, little) },
  { descr: 'i1', size: 1, values: whole(-128, 127), write: (v, at, x) => v.setInt8(at, x) },
  { descr: 'u1', size: 1, values: whole(0, 255), write: (v, at, x) => v.setUint8(at, x) },
  { descr: 'b1', size: 1, values: whole(0, 1), write: (v, at, x) => v.setUint8(at, x) },
]

/** The bytes of a .npy file; entries in the order in which they are stored. */
function npy(type: Type, entries: readonly number[], shape: string, options: Partial<Layout> = {}): Uint8Array {
  const { version = 1, little = true, fortran = false } = options
  const order = type.size === 1 ? '|' : little ? '<' : '>'
  const header = `{'descr': '${order}${type.descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`
  const prefix = version === 1 ? 10 : 12
  const bytes = new Uint8Array(prefix + header.length + entries.length * type.size)
  const view = new DataView(bytes.buffer)
  bytes.set([0x93, ...Buffer.from('NUMPY'), version, 0])
  if (version === 1) view.setUint16(8, header.length, true)
  else view.setUint32(8, header.length, true)
  bytes.set(Buffer.from(header), prefix)
  entries.forEach((entry, k) => {
    type.write(view, prefix + header.length + k * type.size, entry, little)
  })
  return bytes
}

interface Layout {
  version: number
  little: boolean
  fortran: boolean
}

describe('readNpy', () => {
  const layout = (): fc.Arbitrary<Layout> =>
    fc.record({ version: whole(1, 3), little: fc.boolean(), fortran: fc.constant(false) })

  for (const type of types)
    it(`reads ${type.descr} of both byte orders and any version`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 4 }),
          fc.integer({ min: 0, max: 4 }),
          fc.array(type.values, { minLength: 16, maxLength: 16 }),
          layout(),
          async (rows, columns, pool, options) => {
            const entries = pool.slice(0, rows * columns)
            const read = await readNpy(npy(type, entries, `(${rows}, ${columns})`, options))
            expect([read.rows, read.columns, ...read.shape]).toEqual([rows, columns, rows, columns])
            expect([...read.data]).toEqual(entries)
          },
        ),
      ))

  it('reads any dimension in Fortran order as in C order', () =>
    fc.assert(
      fc.asyncProperty(fc.array(whole(1, 4), { minLength: 1, maxLength: 4 }), async (shape) => {
        const size = shape.reduce((product, length) => product * length, 1)
        const stored: number[] = []
        // Entry (i, j, k, ...) is its own C position; the file has the first index run fastest.
        const walk = (axis: number, position: number, stride: number): void => {
          if (axis < 0) stored.push(position)
          else for (let i = 0; i < shape[axis]!; i++) walk(axis - 1, position + i * stride, stride * shape[axis]!)
        }
        walk(shape.length - 1, 0, 1)
        const read = await readNpy(npy(types[4]!, stored, `(${shape.join(', ')},)`, { fortran: true }))
        expect([read.rows, read.columns]).toEqual([shape[0], size / shape[0]!])
        expect([...read.data]).toEqual(Array.from({ length: size }, (_, k) => k))
      }),
    ))

  it('reads what toNpy wrote', () =>
    fc.assert(
      fc.asyncProperty(
        whole(0, 5),
        whole(0, 5),
        fc.array(fc.double(finite), { minLength: 25, maxLength: 25 }),
        async (r, c, pool) => {
          const M = matrix(r, c, Float64Array.from(pool.slice(0, r * c)))
          const bytes = toNpy(M)
          expect((bytes.length - 8 * r * c) % 64).toBe(0)
          expect(await readNpy(bytes)).toEqual({ ...M, shape: [r, c] })
        },
      ),
    ))

  it('makes a vector one column, a scalar 1 x 1 and a stack of images a row each', async () => {
    const u1 = types[9]!
    expect(toRows(await readNpy(npy(u1, [1, 2, 3], '(3,)')))).toEqual([[1], [2], [3]])
    expect(toRows(await readNpy(npy(u1, [7], '()')))).toEqual([[7]])
    const stack = await readNpy(npy(u1, [1, 2, 3, 4, 5, 6, 7, 8], '(2, 2, 2)'))
    expect(toRows(stack)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ])
    expect(stack.shape).toEqual([2, 2, 2])
  })

  it('reads bytes as numpy 2.4 saves them', async () => {
    // numpy.save of numpy.array([[1.5, -2.0]]) and of numpy.asfortranarray(numpy.array([[1, 2, 3], [4, 5, 6]], '>i2'))
    const floats = Buffer.from(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADA',
      'base64',
    )
    expect(toRows(await readNpy(floats))).toEqual([[1.5, -2]])
    expect(Buffer.from(toNpy(matrix(1, 2, Float64Array.of(1.5, -2))))).toEqual(floats)
    const integers = Buffer.from(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAQAEAAIABQADAAY=',
      'base64',
    )
    expect(toRows(await readNpy(integers))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  it('reads a path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'npy-'))
    await writeFile(join(folder, 'a.npy'), toNpy(matrix(1, 1, Float64Array.of(3))))
    expect(toRows(await readNpy(join(folder, 'a.npy')))).toEqual([[3]])
    await rm(folder, { recursive: true })
  })

  const good = npy(types[0]!, [1, 2, 3, 4], '(2, 2)')
  const changed = (at: number, byte: number): Uint8Array => Uint8Array.from(good).fill(byte, at, at + 1)
  const cases: [string, Uint8Array | string, string][] = [
    [
      'another beginning',
      changed(0, 0x50),
      'readNpy: the byte array does not begin as a .npy file does; save the array with numpy.save.',
    ],
    [
      'no bytes',
      new Uint8Array(0),
      'readNpy: the byte array does not begin as a .npy file does; save the array with numpy.save.',
    ],
    [
      'a version to come',
      changed(6, 4),
      'readNpy: the byte array is a .npy file of version 4, expected 1 to 3; save the array again with numpy.save.',
    ],
    [
      'a cut header',
      good.subarray(0, 40),
      'readNpy: the byte array ends within its header (40 bytes); copy the file again.',
    ],
    [
      'a cut prefix',
      good.subarray(0, 7),
      'readNpy: the byte array ends within its header (7 bytes); copy the file again.',
    ],
    [
      'cut data',
      good.subarray(0, good.length - 1),
      'readNpy: the byte array has 31 bytes of data and 4 entries of type f8 need 32; save the array again with numpy.save, one array a file.',
    ],
    [
      'another type',
      npy({ ...types[0]!, descr: 'c16' }, [1, 2, 3, 4], '(2, 2)'),
      `readNpy: the byte array has entries of type '<c16', expected floats of 4 or 8 bytes, integers or booleans; save it as array.astype('float64').`,
    ],
    [
      'no shape',
      npy(types[0]!, [1, 2, 3, 4], 'None'),
      'readNpy: the byte array says no shape in its header; save the array again with numpy.save.',
    ],
    [
      'an infinity',
      npy(types[1]!, [1, 2, 3, Number.NEGATIVE_INFINITY], '(2, 2)'),
      'readNpy: the byte array has -Infinity in row 1, column 1 (counted from 0); drop or impute the row.',
    ],
    [
      'a NaN',
      npy(types[0]!, [1, 2, Number.NaN, 4], '(2, 2)'),
      'readNpy: the byte array has NaN in row 1, column 0 (counted from 0); drop or impute the row.',
    ],
    [
      'a whole number that float64 would round',
      npy(types[2]!, [1, safe, 2 ** 60, 4], '(2, 2)'),
      'readNpy: the byte array has 1152921504606847000 in row 1, column 0 (counted from 0), beyond the whole numbers up to 2^53 that a float64 holds; save it as float64.',
    ],
    [
      'a path that is not there',
      'no-such.npy',
      'readNpy: no-such.npy does not exist; check the path, which starts at the working directory unless it is absolute.',
    ],
  ]
  for (const [what, source, sentence] of cases)
    it(`refuses ${what}`, () => refuses(readNpy(source), RangeError, sentence))

  it('refuses a source that is none', () =>
    refuses(
      readNpy({} as never),
      TypeError,
      'readNpy: the source is an object, expected a path, a file: URL or bytes; pass for example a path.',
    ))
})
