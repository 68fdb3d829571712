import { cutPatches, type PatchGrid } from '../operators/patches.ts'
import { type Pooling, pool, spread } from '../operators/pooling.ts'
import type { Matrix, Vector } from '../types.ts'
import type { PatchSource } from './features.ts'

/** The training patches, for features that are made from them. */
export function patchSource({
  images,
  grid,
  pooling,
}: {
  readonly images: Matrix
  readonly grid: PatchGrid
  readonly pooling: Pooling
}): PatchSource {
  const { count: P, length } = grid
  const n = images.rows
  const ofImage = (i: number, out: Vector, at: number): Vector =>
    cutPatches(grid, images.data, i * images.columns, out, at)
  const by = (rows: Vector, width: number, from: number, to: number, map: (part: Vector) => Vector): Vector => {
    const out = new Float64Array(n * to * width)
    for (let i = 0; i < n; i++) out.set(map(rows.subarray(i * from * width, (i + 1) * from * width)), i * to * width)
    return out
  }
  return {
    count: n * P,
    length,
    take(numbers) {
      const chosen = new Float64Array(numbers.length * length)
      const patches = new Float64Array(P * length)
      // Neighbouring numbers are often of one image.
      let cut = -1
      for (let k = 0; k < numbers.length; k++) {
        const image = Math.floor(numbers[k]! / P)
        if (image !== cut) ofImage((cut = image), patches, 0)
        const p = numbers[k]! % P
        chosen.set(patches.subarray(p * length, (p + 1) * length), k * length)
      }
      return chosen
    },
    all() {
      const patches = new Float64Array(n * P * length)
      for (let i = 0; i < n; i++) ofImage(i, patches, i * P * length)
      return patches
    },
    pooled: (rows, width) => by(rows, width, P, pooling.count, (part) => pool(pooling, part, width)),
    spread: (rows, width) => by(rows, width, pooling.count, P, (part) => spread(pooling, part, width)),
  }
}
