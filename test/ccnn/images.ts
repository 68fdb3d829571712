import fc from 'fast-check'
import { type Matrix, matrix } from '../../src/index.ts'
import { random } from '../../src/numerics/random.ts'
import type { ImageShape } from '../../src/operators/index.ts'

/** n seeded Gaussian images of one shape, a row each. */
export function gaussianImages(n: number, shape: ImageShape, seed: number): Matrix {
  const source = random(seed)
  const size = shape.height * shape.width * shape.channels
  return matrix(
    n,
    size,
    Float64Array.from({ length: n * size }, () => source.normal()),
  )
}

/** n rows of c seeded Gaussian targets. */
export function gaussianTargets(n: number, c: number, seed: number): Matrix {
  const source = random(seed + 1_000_000)
  return matrix(
    n,
    c,
    Float64Array.from({ length: n * c }, () => source.normal()),
  )
}

/** n signs, both there. */
export function signs(n: number, seed: number): Matrix {
  const source = random(seed + 2_000_000)
  return matrix(
    n,
    1,
    Float64Array.from({ length: n }, (_, r) => (r === 0 ? 1 : r === 1 ? -1 : source.uniform() < 0.5 ? -1 : 1)),
  )
}

/** n rows with at most one 1 among c columns. */
export function classes(n: number, c: number, seed: number): Matrix {
  const source = random(seed + 3_000_000)
  const Y = matrix(n, c)
  for (let r = 0; r < n; r++) {
    const own = r <= c ? r : source.below(c + 1)
    if (own < c) Y.data[r * c + own] = 1
  }
  return Y
}

export const seed: fc.Arbitrary<number> = fc.integer({ min: 0, max: 1_000_000 })

/** |a - b| entrywise, the largest. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  let most = 0
  for (let k = 0; k < a.length; k++) most = Math.max(most, Math.abs(a[k]! - b[k]!))
  return most
}
