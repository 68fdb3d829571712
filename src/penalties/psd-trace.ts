import { symmetricEigen } from '../numerics/symmetric-eigen.ts'
import { psdCone, spectralPart, symmetricPart } from '../sets/psd-cone.ts'
import type { Penalty, Vector } from '../types.ts'

/**
 * R(B) = tr B on positive semidefinite matrices and Infinity elsewhere, row-major `size` x `size`: the nuclear norm once the
 * singular vectors are known. The prox takes `step` off every eigenvalue and leaves out what is negative.
 *
 * @throws RangeError when the size is not a positive whole number.
 */
export function psdTrace({ size }: { size: number }): Penalty {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`psdTrace: size is ${size}, expected a positive whole number; pass the rows of the matrix.`)
  const polar = (v: Vector): number => Math.max(0, symmetricEigen(symmetricPart(v, size), size).values[0]!)
  return {
    name: 'psd-trace',
    domain: psdCone({ size }),
    value(u) {
      let total = 0
      for (let i = 0; i < size; i++) total += u[i * size + i]!
      return total
    },
    prox: (v, step, out = new Float64Array(v.length)) => spectralPart(v, size, step, out),
    polar,
    conjugate: (v) => (polar(v) <= 1 ? 0 : Number.POSITIVE_INFINITY),
    subdifferentialDistance(u, v) {
      // At B = sum of b w w' the slopes are I less any W >= 0 with W B = 0, and anything antisymmetric.
      const { values, vectors } = symmetricEigen(symmetricPart(u, size), size)
      let rank = 0
      while (rank < size && values[rank]! > NEGLIGIBLE * values[0]!) rank++
      const S = symmetricPart(v, size)
      const turned = new Float64Array(size * size)
      for (let a = 0; a < size; a++)
        for (let b = 0; b < size; b++)
          for (let i = 0; i < size; i++)
            for (let j = 0; j < size; j++)
              turned[a * size + b]! += vectors[a * size + i]! * S[i * size + j]! * vectors[b * size + j]!
      let total = 0
      for (let a = 0; a < size; a++)
        for (let b = 0; b < size; b++)
          if (a < rank || b < rank) total += (turned[a * size + b]! - (a === b ? 1 : 0)) ** 2
      const rest = size - rank
      if (rest > 0) {
        const corner = new Float64Array(rest * rest)
        for (let a = 0; a < rest; a++)
          for (let b = 0; b < rest; b++) corner[a * rest + b] = turned[(rank + a) * size + rank + b]!
        for (const value of symmetricEigen(corner, rest).values) total += Math.max(0, value - 1) ** 2
      }
      return Math.sqrt(total)
    },
  }
}

/** Below this share of the largest, an eigenvalue is rounding of a zero. */
const NEGLIGIBLE = 1e-11
