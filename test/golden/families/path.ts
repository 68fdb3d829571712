import * as v from 'valibot'
import {
  type ConvexProgram,
  fromRows,
  gatedReluProgram,
  gatesFrom,
  reluProgram,
  sweepSync,
} from '../../../src/index.ts'
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
    const programs = {
      gated: gatedReluProgram({ X, y: file.y, gates, lambda: 0 }),
      relu: reluProgram({ X, y: file.y, gates, lambda: 0 }),
    }
    for (const [half, program] of Object.entries(programs) as ['gated' | 'relu', ConvexProgram][]) {
      const points = file[half]
      const lambdas = points.map(({ lam }) => lam / scale)
      let k = 0
      for (const found of sweepSync(program, { lambdas, tolerance: asked, maxIterations: 1_000_000 })) {
        const point = points[k++]!
        const title = `${name} ${half} ${point.ratio.toPrecision(3)}`
        if (Math.abs(point.rel_gap) > finished) {
          yield {
            kind: 'skipped',
            name: title,
            why: `the reference itself has a gap of ${point.rel_gap.toPrecision(2)}`,
          }
          continue
        }
        yield compare(
          title,
          found,
          {
            objective: point.primal,
            accuracy: Math.abs(point.rel_gap),
            fit: Float64Array.from(file.y, (target, i) => target - point.residual[i]!),
            ...(point.active && { active: { size: X.columns, expected: point.active } }),
            lambdaMax: file[`lambda_max_${half}`],
            tolerances: file.tolerances,
          },
          scale,
        )
      }
    }
  },
}

/** A reference point with a relative gap above this was not solved by its own solver: nothing to compare with. */
const finished = 1e-6

const point = v.object({
  lam: v.number(),
  ratio: v.number(),
  primal: v.number(),
  rel_gap: v.number(),
  active: v.optional(numbers),
  residual: numbers,
})

const pathFile = v.object({
  note: v.literal('unscaled loss 1/2|.|^2'),
  X: rowsOfNumbers,
  y: numbers,
  G: rowsOfNumbers,
  lambda_max_gated: v.number(),
  lambda_max_relu: v.number(),
  gated: v.pipe(v.array(point), v.minLength(1)),
  relu: v.pipe(v.array(point), v.minLength(1)),
  tolerances: partialTolerances,
})
