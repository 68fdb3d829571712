import type { Vector } from '../types.ts'
import type { Floats } from './backend.ts'

/**
 * x <- L^-1 x, or L'^-1 x when `transpose`, for one right-hand side and L's lower triangle of n rows, `ldl` entries apart.
 *
 * n^2 flops on n^2 / 2 entries that are read once: bound by memory, so that nothing is gained by a backend, and a copy into
 * one would cost more than the work.
 */
export function solveTriangle(transpose: boolean, n: number, L: Floats, x: Vector, ldl: number = n): Vector {
  if (transpose) {
    for (let i = n - 1; i >= 0; i--) {
      const row = i * ldl
      const value = x[i]! / L[row + i]!
      x[i] = value
      for (let j = 0; j < i; j++) x[j]! -= value * L[row + j]!
    }
    return x
  }
  for (let i = 0; i < n; i++) {
    const row = i * ldl
    // Four sums, so that no addition waits for the one before.
    let [a, b, c, e] = [0, 0, 0, 0]
    let j = 0
    for (; j + 4 <= i; j += 4) {
      a += L[row + j]! * x[j]!
      b += L[row + j + 1]! * x[j + 1]!
      c += L[row + j + 2]! * x[j + 2]!
      e += L[row + j + 3]! * x[j + 3]!
    }
    for (; j < i; j++) a += L[row + j]! * x[j]!
    x[i] = (x[i]! - (a + b + c + e)) / L[row + i]!
  }
  return x
}
