import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { convexCnn, loadModel, matrix, readCifar, readIdx, readNpy } from '../../src/index.ts'
import { pixels } from '../../src/kernels/features.ts'
import { fuzzedReaders, readOnce, type Tally } from './readers.ts'

describe('a reader of damaged files answers soundly or refuses in its own words, at once', () => {
  for (const reader of fuzzedReaders())
    it(reader.name, async () => {
      const tally: Tally = { accepted: 0, refused: 0, slowest: 0 }
      await fc.assert(
        fc.asyncProperty(reader.inputs, (input) => readOnce(reader, input, tally)),
        { numRuns: 250 },
      )
      // Both happen, or the files are not damaged as they should be.
      expect(tally.accepted).toBeGreaterThan(0)
      expect(tally.refused).toBeGreaterThan(0)
    })
})

describe('what damaged files have taught', () => {
  const network = JSON.parse(
    JSON.stringify(
      convexCnn({
        ...{ shape: { height: 2, width: 2, channels: 1 }, patch: { size: 2 }, features: pixels(4) },
        filters: matrix(4, 1),
        linear: matrix(1, 1),
        intercept: Float64Array.of(0),
      }),
    ),
  )

  it.each([
    ['an image of 10^18 pixels', { shape: { height: 1e9, width: 1e9, channels: 1 } }, /expected at most 134217728/],
    [
      'windows of pooling that overlap 10^13 times',
      { shape: { height: 5000, width: 5000, channels: 1 }, patch: { size: 1 }, pool: { size: 4000, stride: 1 } },
      /windows of 4000, 1 apart, .*pass a larger stride/,
    ],
    [
      'a whitening that is not square',
      { features: { kind: 'whitened', matrix: [1, 2, 3], unit: true, of: { kind: 'pixels', length: 4 } } },
      /the matrix has 3 entries and patches 4/,
    ],
    [
      'landmarks that are no whole patches',
      { features: { kind: 'kernel', kernel: { name: 'linear' }, length: 4, landmarks: [1, 2, 3] } },
      /3 entries of landmarks do not make patches of 4/,
    ],
    [
      'directions without a phase',
      { features: { kind: 'fourier', length: 4, directions: [1, 2, 3, 4], phases: [] } },
      /4 entries of directions and 0 phases/,
    ],
  ])('%s is refused before anything is allocated', (_, fields, words) => {
    const before = process.memoryUsage().arrayBuffers
    expect(() => loadModel({ ...network, ...fields })).toThrow(words)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
  })

  it('a network of no neurons that reads 2^53 features is refused', () => {
    const empty = {
      format: 'cvxnn',
      version: 1,
      kind: 'relu-network',
      outputs: 1,
      W1: [],
      b1: [],
      W2: [],
      intercept: [1],
    }
    expect(() => loadModel({ ...empty, features: 2 ** 53 })).toThrow(/damaged at "features"/)
  })

  it('a small file that unpacks to hundreds of megabytes is left as soon as it has too much', async () => {
    // The header says two bytes, and 300 MB of zeros follow.
    const bomb = gzipSync(Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, 2]), Buffer.alloc(3e8)]), { level: 1 })
    const before = process.memoryUsage().rss
    await expect(readIdx(bomb)).rejects.toThrow(/readIdx: .* unpacks to more than the 10 bytes/)
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 27)
  })

  it('packed files of the formats are read still, whatever their size', async () => {
    const pixels = Buffer.alloc(200_000, 7)
    const head = Buffer.from([0, 0, 8, 2, 0, 0, 0, 200, 0, 0, 0x03, 0xe8])
    expect((await readIdx(gzipSync(Buffer.concat([head, pixels])))).shape).toEqual([200, 1000])
    expect((await readCifar(gzipSync(Buffer.alloc(3073 * 40)))).X.rows).toBe(40)
  })

  it('a shape of no entries but 10^15 rows is refused', async () => {
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000, 0), }".padEnd(117)
    const bytes = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.from([118, 0]),
      Buffer.from(`${header}\n`),
    ])
    await expect(readNpy(new Uint8Array(bytes))).rejects.toThrow(/which is no entry at all/)
    const empty = Uint8Array.of(0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
    await expect(readIdx(empty)).rejects.toThrow(/readIdx: .* is no entry at all/)
  })
})
