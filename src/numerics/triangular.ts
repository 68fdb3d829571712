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
    let i = n - 1
    // Four rows of L at a time, so that x is read and written once for them.
    for (; i >= 3; i -= 4) {
      const [r, s, t, u] = [i * ldl, (i - 1) * ldl, (i - 2) * ldl, (i - 3) * ldl]
      const a = x[i]! / L[r + i]!
      const b = (x[i - 1]! - a * L[r + i - 1]!) / L[s + i - 1]!
      const c = (x[i - 2]! - a * L[r + i - 2]! - b * L[s + i - 2]!) / L[t + i - 2]!
      const e = (x[i - 3]! - a * L[r + i - 3]! - b * L[s + i - 3]! - c * L[t + i - 3]!) / L[u + i - 3]!
      x[i] = a
      x[i - 1] = b
      x[i - 2] = c
      x[i - 3] = e
      for (let j = 0; j < i - 3; j++) x[j]! -= a * L[r + j]! + b * L[s + j]! + (c * L[t + j]! + e * L[u + j]!)
    }
    for (; i >= 0; i--) {
      const row = i * ldl
      const value = x[i]! / L[row + i]!
      x[i] = value
      for (let j = 0; j < i; j++) x[j]! -= value * L[row + j]!
    }
    return x
  }
  let i = 0
  // Four rows at a time: four sums, none of which waits for another, over one reading of x.
  for (; i + 4 <= n; i += 4) {
    const [r, s, t, u] = [i * ldl, (i + 1) * ldl, (i + 2) * ldl, (i + 3) * ldl]
    let [a, b, c, e] = [0, 0, 0, 0]
    for (let j = 0; j < i; j++) {
      const value = x[j]!
      a += L[r + j]! * value
      b += L[s + j]! * value
      c += L[t + j]! * value
      e += L[u + j]! * value
    }
    const first = (x[i]! - a) / L[r + i]!
    const second = (x[i + 1]! - b - L[s + i]! * first) / L[s + i + 1]!
    const third = (x[i + 2]! - c - L[t + i]! * first - L[t + i + 1]! * second) / L[t + i + 2]!
    x[i] = first
    x[i + 1] = second
    x[i + 2] = third
    x[i + 3] = (x[i + 3]! - e - L[u + i]! * first - L[u + i + 1]! * second - L[u + i + 2]! * third) / L[u + i + 3]!
  }
  for (; i < n; i++) {
    const row = i * ldl
    let sum = 0
    for (let j = 0; j < i; j++) sum += L[row + j]! * x[j]!
    x[i] = (x[i]! - sum) / L[row + i]!
  }
  return x
}

/** Copies the lower triangle of A (n x n) to the upper one. */
export function mirrorLower(n: number, A: Floats): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) A[j * n + i] = A[i * n + j]!
}
