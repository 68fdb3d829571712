import { matrix } from '../../src/numerics/matrix.ts'
import { random } from '../../src/numerics/random.ts'
import type { Matrix } from '../../src/types.ts'

/** Normal inputs and y = |x_0| + max(0, x_1 - x_2) + noise: what no line explains and a few neurons do. */
export function bent(rows: number, seed = 1, noise = 0.05): { X: Matrix; y: number[] } {
  const draws = random(seed)
  const X = matrix(rows, 3)
  for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
  const y = Array.from({ length: rows }, (_, r) => {
    const [a, b, c] = X.data.subarray(3 * r, 3 * r + 3) as unknown as [number, number, number]
    return Math.abs(a) + Math.max(0, b - c) + noise * draws.normal()
  })
  return { X, y }
}

/** Points of the plane on `count` rays around the origin, one class each, a little blurred. */
export function rays<L>(rows: number, classes: readonly L[], seed = 1): { X: Matrix; labels: L[] } {
  const draws = random(seed)
  const X = matrix(rows, 2)
  const labels = Array.from({ length: rows }, (_, r) => {
    const k = r % classes.length
    const angle = (2 * Math.PI * (k + 0.15 * draws.normal())) / classes.length
    const radius = 0.5 + draws.uniform()
    X.data.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * r)
    return classes[k]!
  })
  return { X, labels }
}

/** The largest difference of two lists of numbers. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let most = 0
  for (let k = 0; k < a.length; k++) most = Math.max(most, Math.abs(a[k]! - b[k]!))
  return most
}
