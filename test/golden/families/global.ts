import * as v from 'valibot'
import {
  type ConvexProgram,
  enumerateGates,
  fromRows,
  gatedReluProgram,
  type Matrix,
  type ReluNetwork,
  reluProgram,
  type Solution,
  sampleGates,
  solveGlobalSync,
  solveSync,
} from '../../../src/index.ts'
import { compare, counted, type Known } from '../compare.ts'
import { type Checked, type Family, type Finding, numbers, read, rowsOfNumbers } from '../reference.ts'
import { asked } from '../tolerances.ts'

/** ReLU networks of any width on small data, loss |fit - y|^2 / (2 n): optima at three lambdas, and how many patterns there are. */
export const global: Family = {
  family: 'global',
  *check(reference) {
    const { name } = reference
    const file = read(globalFile, reference)
    const X = fromRows(file.X)
    yield patternsCounted(`${name} patterns`, X, file.patternCount)
    for (const { lambda, lambdaRatio, objective, fit, tolerance } of file.path)
      yield* bothWays(`${name} ${lambdaRatio}`, X, file.y, lambda, {
        objective,
        accuracy: tolerance,
        // A strongly convex loss: the fit is as far off as the square root of the objective's error.
        ...(tolerance <= 1e-8 && { fit: Float64Array.from(fit) }),
      })
  },
}

/** The same with loss 1/2 |fit - y|^2 without 1/n, one lambda a problem; gated networks over all patterns as well. */
export const globalOptima: Family = {
  family: 'global-optima',
  *check(reference) {
    const file = read(optimaFile, reference)
    for (const problem of file.problems) {
      const X = fromRows(problem.X)
      const { y } = problem
      const lambda = problem.lam / X.rows
      const title = `${problem.name} ${problem.lam}`
      // Here the pattern that is off everywhere is not counted.
      yield patternsCounted(`${title} patterns`, X, problem.n_patterns, false)
      yield* bothWays(
        title,
        X,
        y,
        lambda,
        {
          objective: problem.relu_global_optimum,
          accuracy: Math.abs(problem.relu_rel_gap),
          lambdaMax: problem.lambda_max_relu_all_patterns,
        },
        X.rows,
      )
      const gated = gatedReluProgram({ X, y, gates: enumerateGates(X), lambda })
      yield compare(
        `${title} gated`,
        solveSync(gated, { tolerance: asked, maxIterations: 1_000_000 }),
        {
          objective: problem.gated_all_patterns_optimum,
          accuracy: Math.abs(problem.gated_rel_gap),
          lambdaMax: problem.lambda_max_gated_all_patterns,
        },
        X.rows,
      )
    }
  },
}

const globalFile = v.object({
  X: rowsOfNumbers,
  y: numbers,
  patternCount: v.number(),
  path: v.array(
    v.object({
      lambda: v.number(),
      lambdaRatio: v.number(),
      objective: v.number(),
      fit: numbers,
      tolerance: v.number(),
    }),
  ),
})

const optimaFile = v.object({
  note: v.literal('unscaled loss 1/2|.|^2; all patterns'),
  problems: v.array(
    v.object({
      name: v.string(),
      X: rowsOfNumbers,
      y: numbers,
      lam: v.number(),
      n_patterns: v.number(),
      relu_global_optimum: v.number(),
      relu_rel_gap: v.number(),
      gated_all_patterns_optimum: v.number(),
      gated_rel_gap: v.number(),
      lambda_max_relu_all_patterns: v.number(),
      lambda_max_gated_all_patterns: v.number(),
    }),
  ),
})

/** Once with all patterns listed, and once from four sampled gates by pricing, with the proof that no pattern is missing. */
function* bothWays(
  name: string,
  X: Matrix,
  y: readonly number[],
  lambda: number,
  known: Known,
  scale = 1,
): Generator<Finding> {
  const all: ConvexProgram<ReluNetwork> = reluProgram({ X, y, gates: enumerateGates(X), lambda })
  // The fit is as far off as sqrt(2 n gap): 1e-5 of it takes a gap below 5e-12 at ten rows.
  const near = { tolerance: asked / 100, maxIterations: 1_000_000 }
  const listed = compare(`${name} listed`, solveSync(all, near), known, scale)
  yield { ...listed, misses: [...listed.misses, ...(all.scope === 'network' ? [] : ['the bound is of no network'])] }
  const few = reluProgram({ X, y, gates: sampleGates(X, { count: 4 }), lambda })
  const found = solveGlobalSync(few, { tolerance: asked })
  const { lambdaMax: _, ...rest } = known
  const generated = compare(`${name} generated`, found as Solution, rest, scale)
  const { verdict } = found.certificate
  yield { ...generated, misses: [...generated.misses, ...(verdict === 'proved' ? [] : [`the verdict is ${verdict}`])] }
}

/** The number of patterns against the file's; `off`: whether it counts the one that is off on every row, as arrangements do. */
function patternsCounted(name: string, X: Matrix, expected: number, off = true): Checked {
  const begun = performance.now()
  const got = enumerateGates(X, { maxCount: 1_000_000 }).count + (off ? offCells(X) : 0)
  return counted(name, expected, got, (performance.now() - begun) / 1000)
}

/** 1 when some u is off on every row; u then is -v for a v that is on on every row. */
function offCells(X: Matrix): number {
  const { patterns, count } = enumerateGates(X, { maxCount: 1_000_000 })
  for (let i = 0; i < count; i++) {
    let on = 0
    for (let r = 0; r < X.rows; r++) on += (patterns.words[i * patterns.stride + (r >> 5)]! >>> (r & 31)) & 1
    if (on === X.rows) return X.data.every((_, k) => k % X.columns > 0 || hasEntry(X, k / X.columns)) ? 1 : 0
  }
  return 0
}

/** Whether a row is other than zero: a row of zeros is on in every pattern. */
function hasEntry(X: Matrix, row: number): boolean {
  return X.data.subarray(row * X.columns, (row + 1) * X.columns).some((entry) => entry !== 0)
}
