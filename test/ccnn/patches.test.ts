import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averagePooling, cutPatches, patchGrid, pool, spread } from '../../src/operators/index.ts'
import { vector } from '../arbitraries.ts'
import { gaussianImages, largestDifference, seed } from './images.ts'

const side = fc.integer({ min: 1, max: 6 })
const shapes = fc.record({
  height: side,
  width: side,
  channels: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 2 }),
})

describe('patches', () => {
  it('are the pixels that plain loops find, zeros outside, for every size, stride and padding', () => {
    fc.assert(
      fc.property(shapes, seed, ({ height, width, channels, size, stride, padding }, from) => {
        fc.pre(height + 2 * padding >= size && width + 2 * padding >= size)
        const X = gaussianImages(2, { height, width, channels }, from)
        const grid = patchGrid({ height, width, channels }, { size, stride, padding })
        const found = cutPatches(grid, X.data, X.columns, new Float64Array(grid.count * grid.length))
        const expected: number[] = []
        for (let top = -padding; top + size <= height + padding; top += stride)
          for (let left = -padding; left + size <= width + padding; left += stride)
            for (let y = top; y < top + size; y++)
              for (let x = left; x < left + size; x++)
                for (let c = 0; c < channels; c++)
                  expected.push(
                    y < 0 || y >= height || x < 0 || x >= width
                      ? 0
                      : X.data[X.columns + (y * width + x) * channels + c]!,
                  )
        expect(Array.from(found)).toEqual(expected)
      }),
    )
  })

  it('of l2 have length 1, of contrast mean 0 and length below 1, and both leave a patch of zeros alone', () => {
    const shape = { height: 4, width: 4, channels: 1 }
    const X = gaussianImages(1, shape, 3)
    X.data.fill(0, 0, 8)
    for (const normalize of ['l2', 'contrast'] as const) {
      const grid = patchGrid(shape, { size: 2, stride: 2, normalize })
      const patches = cutPatches(grid, X.data, 0, new Float64Array(16))
      expect(Array.from(patches.subarray(0, 8))).toEqual(new Array(8).fill(0))
      for (const start of [8, 12]) {
        const patch = patches.subarray(start, start + 4)
        const size = Math.hypot(...patch)
        if (normalize === 'l2') expect(size).toBeCloseTo(1, 14)
        else {
          expect(patch.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 14)
          expect(size).toBeLessThan(1)
        }
      }
    }
  })

  it('that do not fit are refused in a sentence', () => {
    const shape = { height: 4, width: 4, channels: 1 }
    expect(() => patchGrid(shape, { size: 5 })).toThrow(/size is 5 and the image is 4 x 4/)
    expect(() => patchGrid(shape, { size: 2.5 })).toThrow(/size is 2.5, expected a whole number/)
    expect(() => patchGrid(shape, { size: 2, stride: 0 })).toThrow(/stride is 0/)
    expect(() => patchGrid(shape, { size: 2, padding: -1 })).toThrow(/padding is -1/)
  })
})

describe('average pooling', () => {
  const pools = fc.record({ rows: side, columns: side, size: side, stride: fc.integer({ min: 1, max: 3 }) })

  it('averages its windows: constants stay, and the adjoint is spread', () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 1, max: 3 }), seed, ({ rows, columns, size, stride }, width, from) => {
        fc.pre(rows >= stride && columns >= stride)
        const G = averagePooling(rows, columns, { size, stride })
        const ones = new Float64Array(G.positions * width).fill(1)
        for (const value of pool(G, ones, width)) expect(value).toBeCloseTo(1, 14)
        const shape = { height: G.positions, width, channels: 1 }
        const V = gaussianImages(1, shape, from).data
        const W = gaussianImages(1, { height: G.count, width, channels: 1 }, from + 1).data
        const there = pool(G, V, width).reduce((sum, value, k) => sum + value * W[k]!, 0)
        const back = spread(G, W, width).reduce((sum, value, k) => sum + value * V[k]!, 0)
        expect(Math.abs(there - back)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(there)) * width * G.positions)
      }),
    )
  })

  it('of 5 x 5 by 3 every 2 cuts the windows at the border, as the published software has it', () => {
    const G = averagePooling(5, 5, { size: 3, stride: 2 })
    expect([G.rows, G.columns]).toEqual([2, 2])
    const sizes = Array.from({ length: 4 }, (_, w) => G.starts[w + 1]! - G.starts[w]!)
    expect(sizes).toEqual([9, 9, 9, 9])
    const cut = averagePooling(4, 4, { size: 3, stride: 2 })
    expect(Array.from({ length: 4 }, (_, w) => cut.starts[w + 1]! - cut.starts[w]!)).toEqual([9, 6, 6, 4])
  })

  it('without options keeps every position', () => {
    fc.assert(
      fc.property(vector(6), (v) => {
        expect(largestDifference(pool(averagePooling(2, 3), v, 1), v)).toBe(0)
      }),
    )
  })
})
