import type { Matrix, Vector } from '../types.ts'

/** [tr H_i L_k]_ik for what r filters see at the positions of each sample (`seen`: rows of size x r) and linear weights r x (outputs size). */
export function filterFit(
  { count, size, outputs }: { readonly count: number; readonly size: number; readonly outputs: number },
  seen: Vector,
  linear: Matrix,
): Vector {
  const r = linear.rows
  const fit = new Float64Array(count * outputs)
  for (let i = 0; i < count; i++)
    for (let k = 0; k < outputs; k++)
      for (let p = 0; p < size; p++)
        for (let j = 0; j < r; j++)
          fit[i * outputs + k]! += seen[(i * size + p) * r + j]! * linear.data[j * linear.columns + k * size + p]!
  return fit
}
