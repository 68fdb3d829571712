import * as v from 'valibot'
import { fromRows, gatedReluProgram, gatesFrom, sweepSync } from '../../../src/index.ts'
import { compare, transposed } from '../compare.ts'
import { type Family, numbers, partialTolerances, read, rowsOfNumbers } from '../reference.ts'
import { asked } from '../tolerances.ts'

/**
 * Regularisation paths: the same problem at many lambdas, gated and ReLU, loss 1/2 |fit - y|^2 without 1/n.
 *
 * Ours has the 1/n, so lambda and the objective are divided by n on the way in and multiplied on the way out.
 */
export const path: Family = {
  family: 'path',
  *check(reference) {
    const { name } = reference
    const file = read(pathFile, reference)
    const X = fromRows(file.X)
    const scale = X.rows
    const gates = gatesFrom(transposed(file.G), X)
    const program = gatedReluProgram({ X, y: file.y, gates, lambda: 0 })
    const lambdas = file.gated.map(({ lam }) => lam / scale)
    let k = 0
    for (const found of sweepSync(program, { lambdas, tolerance: asked, maxIterations: 1_000_000 })) {
      const point = file.gated[k++]!
      yield compare(
        `${name} gated ${point.ratio.toPrecision(3)}`,
        found,
        {
          objective: point.primal,
          accuracy: Math.abs(point.rel_gap),
          fit: Float64Array.from(file.y, (target, i) => target - point.residual[i]!),
          active: { size: X.columns, expected: point.active },
          lambdaMax: file.lambda_max_gated,
          tolerances: file.tolerances,
        },
        scale,
      )
    }
    yield { kind: 'skipped', name: `${name} relu`, why: 'path of ReLU programs: not built yet' }
  },
}

const pathFile = v.object({
  note: v.literal('unscaled loss 1/2|.|^2'),
  X: rowsOfNumbers,
  y: numbers,
  G: rowsOfNumbers,
  lambda_max_gated: v.number(),
  gated: v.pipe(
    v.array(
      v.object({
        lam: v.number(),
        ratio: v.number(),
        primal: v.number(),
        rel_gap: v.number(),
        active: numbers,
        residual: numbers,
      }),
    ),
    v.minLength(1),
  ),
  tolerances: partialTolerances,
})
