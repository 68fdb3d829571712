import { given } from '../numerics/given.ts'
import type { Matrix, Vector } from '../types.ts'

/**
 * Refuses weights that are left out or of another kind, before their sizes are compared.
 *
 * @throws TypeError naming the first that is no matrix, or no Float64Array.
 */
export function requireWeights(
  matrices: Readonly<Record<string, Matrix>>,
  vectors: Readonly<Record<string, Vector>>,
  caller: string,
): void {
  for (const [name, M] of Object.entries(matrices))
    if (!(M?.data instanceof Float64Array))
      throw new TypeError(`${caller}: ${name} is ${given(M)}, expected a matrix; pass fromRows(rows).`)
  for (const [name, v] of Object.entries(vectors))
    if (!(v instanceof Float64Array))
      throw new TypeError(`${caller}: ${name} is ${given(v)}, expected a Float64Array; pass one, of zeros for none.`)
}
