import * as v from 'valibot'
import { fromRows, gatedReluProgram, gatesFrom, groupL1, type Matrix, matrix, sweepSync } from '../../../src/index.ts'
import { compare } from '../compare.ts'
import { type Family, numbers, partialTolerances, read, rowsOfNumbers } from '../reference.ts'
import { asked } from '../tolerances.ts'

/**
 * Gated ReLU programs with several outputs and one group per gate, lambda sum_i |U_i|_F, loss 1/2 |fit - Y|^2.
 *
 * The files give patterns and not gates; a gate with each pattern is found first.
 */
export const gatedJoint: Family = {
  family: 'gated-joint',
  *check(reference) {
    const { name } = reference
    const file = read(jointFile, reference)
    const X = fromRows(file.X)
    const Y = fromRows(file.Y)
    const scale = Y.rows * Y.columns
    const vectors = matrix(file.D_columns.length, X.columns)
    file.D_columns.forEach((pattern, i) => {
      vectors.data.set(gateWithPattern(X, pattern), i * X.columns)
    })
    const gates = gatesFrom(vectors, X)
    const program = gatedReluProgram({ X, y: Y, gates, lambda: 0, penalty: groupL1({ joint: true }) })
    const lambdas = file.fits.map(({ lam }) => lam / scale)
    let k = 0
    for (const found of sweepSync(program, { lambdas, tolerance: asked, maxIterations: 1_000_000 })) {
      const point = file.fits[k++]!
      yield compare(
        `${name} ${(point.lam / file.lambda_max).toPrecision(3)}`,
        found,
        {
          objective: point.primal,
          accuracy: Math.abs(point.rel_gap),
          active: { size: X.columns * Y.columns, expected: point.active },
          lambdaMax: file.lambda_max,
          tolerances: file.tolerances,
        },
        scale,
      )
    }
  },
}

const jointFile = v.object({
  note: v.literal('unscaled loss 1/2|.|^2'),
  penalty: v.literal('lam*sum_i ||U_i||_F, U_i in R^{d x c}'),
  X: rowsOfNumbers,
  Y: rowsOfNumbers,
  D_columns: v.array(v.string()),
  lambda_max: v.number(),
  fits: v.pipe(
    v.array(v.object({ lam: v.number(), primal: v.number(), rel_gap: v.number(), active: numbers })),
    v.minLength(1),
  ),
  tolerances: partialTolerances,
})

/**
 * A g with 1[x'g >= 0] = pattern on the rows of X, by the perceptron rule (Rosenblatt 1958): add or subtract a row that
 * is on the wrong side. Ends after at most (largest row / margin)^2 corrections when there is such a g.
 */
function gateWithPattern(X: Matrix, pattern: string): Float64Array {
  if (pattern.length !== X.rows)
    throw new RangeError(`a pattern has ${pattern.length} entries and X has ${X.rows} rows`)
  const d = X.columns
  const g = new Float64Array(d)
  for (let pass = 0; pass < 1_000_000; pass++) {
    let wrong = 0
    for (let r = 0; r < X.rows; r++) {
      const side = pattern[r] === '1' ? 1 : -1
      let value = 0
      for (let j = 0; j < d; j++) value += X.data[r * d + j]! * g[j]!
      if (value * side > 0) continue
      wrong++
      for (let j = 0; j < d; j++) g[j]! += side * X.data[r * d + j]!
    }
    if (wrong === 0) return g
  }
  throw new RangeError(`no gate was found with the pattern ${pattern}`)
}
