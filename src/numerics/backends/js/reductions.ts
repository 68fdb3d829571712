import type { Floats } from '../../backend.ts'

/** a'b, in four sums. */
export function dot(a: Floats, b: Floats): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let k = 0
  for (; k + 4 <= a.length; k += 4) {
    s0 += a[k]! * b[k]!
    s1 += a[k + 1]! * b[k + 1]!
    s2 += a[k + 2]! * b[k + 2]!
    s3 += a[k + 3]! * b[k + 3]!
  }
  for (; k < a.length; k++) s0 += a[k]! * b[k]!
  return s0 + s2 + (s1 + s3)
}

/** out_b <- |u_b|_2 */
export function blockNorms(u: Floats, size: number, out: Floats): void {
  for (let b = 0, start = 0; start < u.length; b++, start += size) {
    let total = 0
    for (let j = start; j < start + size; j++) total += u[j]! * u[j]!
    out[b] = Math.sqrt(total)
  }
}

/** out_b <- max(0, 1 - step / |v_b|) v_b */
export function shrinkBlocks(v: Floats, size: number, step: number, out: Floats): void {
  for (let start = 0; start < v.length; start += size) {
    let total = 0
    for (let j = start; j < start + size; j++) total += v[j]! * v[j]!
    const length = Math.sqrt(total)
    const scale = length > step ? 1 - step / length : 0
    for (let j = start; j < start + size; j++) out[j] = scale * v[j]!
  }
}
