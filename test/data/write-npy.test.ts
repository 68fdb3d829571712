import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matrix, readNpy, toNpy, writeNpy } from '../../src/index.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'npy-'))
})
afterAll(() => rm(folder, { recursive: true }))

const finite = { noNaN: true, noDefaultInfinity: true }

describe('toNpy', () => {
  it('in float32 comes back as the nearest float32, at half the size', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.float(finite), { minLength: 6, maxLength: 6 }), async (entries) => {
        const M = matrix(2, 3, Float64Array.from(entries))
        const bytes = toNpy(M, { type: 'float32' })
        expect((bytes.length - 24) % 64).toBe(0)
        expect(await readNpy(bytes)).toEqual({ ...M, shape: [2, 3] })
      }),
    ))

  it('keeps a shape of any number of dimensions', async () => {
    for (const shape of [[12], [3, 2, 2], [2, 6], [1, 1, 12, 1]]) {
      const read = await readNpy(toNpy(matrix(3, 4), { shape }))
      expect(read.shape).toEqual(shape)
    }
  })

  it('refuses in a sentence what the file cannot hold', () => {
    const M = matrix(1, 2, Float64Array.of(1, 1e300))
    expect(() => toNpy(M, { type: 'float32' })).toThrow(/1e\+300 in row 0, column 1 .*beyond what float32 holds/)
    expect(() => toNpy(M, { type: 'int8' as never })).toThrow(/expected float64 or float32/)
    expect(() => toNpy(M, { shape: [3] })).toThrow(/shape is \[3\] and the matrix has 1 x 2 entries/)
    expect(() => toNpy(M, { shape: [-1, -2] })).toThrow(/shape is \[-1, -2\]/)
    expect(() => toNpy(matrix(1, 1, Float64Array.of(Number.NaN)))).toThrow(/NaN in row 0, column 0/)
  })
})

describe('writeNpy', () => {
  it('writes a file that is read again', async () => {
    const M = matrix(2, 2, Float64Array.of(1, 2, 3, 4.5))
    await writeNpy(join(folder, 'a.npy'), M)
    expect(await readNpy(join(folder, 'a.npy'))).toEqual({ ...M, shape: [2, 2] })
  })

  it('leaves what is there when it cannot write the new one', async () => {
    const path = join(folder, 'b.npy')
    await writeFile(path, 'old')
    await expect(writeNpy(path, matrix(1, 1, Float64Array.of(1e300)), { type: 'float32' })).rejects.toThrow(/float32/)
    expect(await readFile(path, 'utf8')).toBe('old')
    await expect(writeNpy(join(folder, 'none', 'c.npy'), matrix(1, 1))).rejects.toThrow(/cannot write .*c\.npy/)
    expect((await readdir(folder)).sort()).toEqual(['a.npy', 'b.npy'])
  })
})
