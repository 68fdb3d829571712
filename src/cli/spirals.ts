import { fromRows } from '../numerics/matrix.ts'
import { random } from '../numerics/random.ts'
import type { Rows } from './table-data.ts'

/**
 * The embedded data set: two interleaved spirals in the plane, `count` points of each with Gaussian noise. No line can
 * tell them apart.
 */
export function spirals(count: number, seed: number): Required<Rows> {
  const draws = random(seed)
  const rows: number[][] = []
  const labels: string[] = []
  for (let k = 0; k < count; k++)
    for (const [arm, name] of ['inner', 'outer'].entries()) {
      const turn = 0.35 + 1.15 * draws.uniform()
      const angle = 2 * Math.PI * turn + arm * Math.PI
      rows.push([turn * Math.cos(angle) + 0.05 * draws.normal(), turn * Math.sin(angle) + 0.05 * draws.normal()])
      labels.push(name)
    }
  const y = fromRows(labels.map((name) => [name === 'outer' ? 1 : -1]))
  return { X: fromRows(rows), y, labels }
}
