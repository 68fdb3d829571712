import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import {
  certify,
  coneDecomposition,
  gatedReluProgram,
  matrix,
  openIdx,
  openNpy,
  readIdx,
  readNpy,
  reluProgram,
  sampleGates,
  solveSync,
  toNpy,
} from '../../src/index.ts'
import { expand } from '../../src/numerics/compact-matrix.ts'
import { random } from '../../src/numerics/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'cvxnn-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

const draws = random(1)
const pixels = Uint8Array.from({ length: 40 * 6 }, () => draws.below(256))
/** 40 images of 2 x 3. */
const idx = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 3, ...pixels])

function saved(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

describe('openIdx and openNpy', () => {
  it('give what readIdx gives, held in memory, left on disk, or compressed', async () => {
    const full = await readIdx(idx)
    for (const [path, memory, streamed] of [
      [saved('a.idx', idx), undefined, false],
      [saved('a.idx', idx), 0, true],
      [saved('a.idx.gz', gzipSync(idx)), 0, false],
    ] as const) {
      const M = await openIdx(path, { divisor: 255, ...(memory !== undefined && { memory }) })
      expect([M.rows, M.columns, M.shape, M.streamed]).toEqual([40, 6, [40, 2, 3], streamed])
      expect(expand(M).data).toEqual(full.data.map((entry) => entry / 255))
      expect(M.read(39, new Float32Array(6))).toEqual(
        new Float32Array(pixels.slice(39 * 6)).map((entry) => entry / 255),
      )
      M.close()
    }
  })

  it('give what readNpy gives, to float32 where that is held', async () => {
    const path = saved('m.npy', toNpy(matrix(3, 2, Float64Array.of(0.1, 2, -3, 4e5, 0, 1e-9))))
    const full = await readNpy(path)
    const onDisk = await openNpy(path, { memory: 0 })
    expect(expand(onDisk).data).toEqual(full.data)
    onDisk.close()
    const held = await openNpy(path)
    expect(expand(held).data).toEqual(Float64Array.from(new Float32Array(full.data)))
  })

  it('give the same ReLU network of a gated solution, and certificate, from disk and from memory', async () => {
    const path = saved('c.idx', idx)
    const y = Float64Array.from({ length: 40 }, (_, r) => pixels[6 * r]! / 255)
    const [onDisk, held] = await Promise.all([
      openIdx(path, { divisor: 255, memory: 0 }),
      openIdx(path, { divisor: 255 }),
    ])
    const [one, other] = [onDisk, held].map((X) => {
      const gates = sampleGates(X, { count: 6, seed: 2 })
      const coefficients = Float64Array.from({ length: 36 }, (_, k) => Math.sin(k))
      const split = coneDecomposition({ X, gates, coefficients })
      return { ...split, certificate: certify(reluProgram({ X, y, gates, lambda: 1e-2 }), split) }
    })
    onDisk.close()
    expect(one).toEqual(other)
    expect(one!.method).toBe('working-set')
    expect(one!.certificate.primalFeasibility).toBe(0)
  })

  it('train the same network from disk and from memory', async () => {
    const path = saved('b.idx', idx)
    const y = Float64Array.from({ length: 40 }, (_, r) => pixels[6 * r]! / 255)
    const [onDisk, held] = await Promise.all([
      openIdx(path, { divisor: 255, memory: 0 }),
      openIdx(path, { divisor: 255 }),
    ])
    const solved = [onDisk, held].map((X) => {
      const gates = sampleGates(X, { count: 6, bias: true, seed: 2 })
      return solveSync(gatedReluProgram({ X, y, gates, lambda: 1e-3 }), { tolerance: 1e-3 })
    })
    onDisk.close()
    expect(solved[0]!.status).toBe('solved')
    expect(solved[0]!.coefficients).toEqual(solved[1]!.coefficients)
  })

  it('refuse what is no such file, by name', async () => {
    await expect(openIdx(join(folder, 'none.idx'))).rejects.toThrow(/openIdx: .*none.idx does not exist/)
    await expect(openIdx(saved('cut.idx', idx.subarray(0, 100)))).rejects.toThrow(
      /has 84 bytes of data and its size 40 x 2 x 3 needs 240/,
    )
    await expect(openNpy(saved('no.npy', idx))).rejects.toThrow(/openNpy: .*does not begin as a .npy file does/)
    await expect(openIdx(saved('a.idx', idx), { divisor: -1, memory: 0 })).rejects.toThrow(/divisor is -1/)
    await expect(openIdx(saved('a.idx', idx), { memory: Number.NaN })).rejects.toThrow(/memory is NaN/)
  })
})
