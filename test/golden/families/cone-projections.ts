import * as v from 'valibot'
import { fromRows } from '../../../src/index.ts'
// Projections are below the public names: the program's certificate stands on them.
import { bitColumns, setBit } from '../../../src/numerics/bits.ts'
import { activationCones, activeRows } from '../../../src/sets/index.ts'
import { type Family, numbers, read, rowsOfNumbers } from '../reference.ts'
import { tolerances } from '../tolerances.ts'

/** Euclidean projections onto activation cones: the point, its norm (the dual norm), the rows that hold with equality. */
export const coneProjections: Family = {
  family: 'cone-projections',
  *check(reference) {
    const { name } = reference
    for (const [p, problem] of read(projectionsFile, reference).problems.entries()) {
      const X = fromRows(problem.X)
      const patterns = bitColumns(X.rows, problem.D_columns.length)
      problem.D_columns.forEach((text, i) => {
        for (let r = 0; r < X.rows; r++) if (text[r] === '1') setBit(patterns, r, i)
      })
      const cones = activationCones(X, patterns)
      for (const { gate, sign, g, proj, dual_norm } of problem.blocks) {
        const begun = performance.now()
        const out = new Float64Array(X.columns)
        const got = cones.project(gate, Float64Array.from(g), 0, out, 0, activeRows(X.columns))
        const seconds = (performance.now() - begun) / 1000
        const error = Math.abs(got - dual_norm) / (1 + dual_norm)
        const farthest = proj.reduce((most, value, j) => Math.max(most, Math.abs(value - out[j]!)), 0)
        const gap = cones.violation(gate, out, 0)
        const misses = [
          ...(error <= tolerances.projection ? [] : [`the norm differs by ${error.toExponential(2)}`]),
          ...(farthest <= tolerances.projection ? [] : [`an entry differs by ${farthest.toExponential(2)}`]),
          ...(gap <= tolerances.projection * dual_norm ? [] : [`a row is violated by ${gap.toExponential(2)}`]),
        ]
        const title = `${name} ${p} gate ${gate} ${sign > 0 ? '+' : '-'}`
        yield { kind: 'checked', name: title, expected: dual_norm, got, error, gap, seconds, misses }
      }
    }
  },
}

const projectionsFile = v.object({
  problems: v.array(
    v.object({
      X: rowsOfNumbers,
      D_columns: v.array(v.string()),
      blocks: v.array(
        v.object({ gate: v.number(), sign: v.number(), g: numbers, proj: numbers, dual_norm: v.number() }),
      ),
    }),
  ),
})
