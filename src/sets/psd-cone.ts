import { symmetricEigen } from '../numerics/symmetric-eigen.ts'
import type { ConvexSet, Vector } from '../types.ts'

/**
 * { B : B = B', B positive semidefinite }, row-major `size` x `size`. The projection takes the symmetric part and leaves out
 * negative eigenvalues; `violation` is how far it moves the point, relative to its length.
 */
export function psdCone({ size }: { size: number }): ConvexSet {
  const project = (s: Vector, out: Vector = new Float64Array(s.length)): Vector => spectralPart(s, size, 0, out)
  return {
    name: 'psd-cone',
    project,
    support(y) {
      const top = symmetricEigen(symmetricPart(y, size), size).values[0]!
      return top > 1e-14 * Math.max(...y.map(Math.abs)) ? Number.POSITIVE_INFINITY : 0
    },
    violation(s) {
      const near = project(s)
      let moved = 0
      let length = 0
      for (let k = 0; k < s.length; k++) {
        moved += (near[k]! - s[k]!) ** 2
        length += s[k]! ** 2
      }
      const share = length > 0 ? Math.sqrt(moved / length) : 0
      return share > 1e-14 ? share : 0
    },
  }
}

/** out <- sum_e (e - shift)_+ v v' over the eigenpairs of the symmetric part. */
export function spectralPart(s: Vector, size: number, shift: number, out: Vector): Vector {
  const { values, vectors } = symmetricEigen(symmetricPart(s, size), size)
  out.fill(0)
  for (let e = 0; e < size && values[e]! > shift; e++)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        out[i * size + j]! += (values[e]! - shift) * vectors[e * size + i]! * vectors[e * size + j]!
  return out
}

/** (S + S') / 2 */
export function symmetricPart(s: Vector, size: number): Vector {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) out[i * size + j] = s[i * size + j]! / 2 + s[j * size + i]! / 2
  return out
}
