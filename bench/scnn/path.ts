/**
 * A whole path of lambdas on real tables: `sweep` side by side with optimize_path of scnn, the reference software (NumPy
 * on CPU), in one run and on one thread each, both warm started, on the very same gates.
 *
 *     npm run bench:scnn:path [-- --sets breast-cancer-wisc-diag,ionosphere] [--count 50] [--ratio 0.001] [--gates 500]
 *                             [--distances 1e-3,1e-6] [--seconds 60]
 *
 * Ours certifies every point: its seconds are those to a relative duality gap of each distance at every lambda. scnn is
 * told the optimum and leaves each lambda as soon as it is within that distance of it (float64; `missed` counts the
 * lambdas where it was not within SECONDS), which is less than it would have to do to know. `as shipped` is scnn as its
 * users get it, float32 and its own stopping rule, with the largest distance it leaves at any lambda. `ratio` is its
 * seconds over ours.
 */
import { parseArgs } from 'node:util'
import { type ConvexProgram, gatedReluProgram, gatesFrom, lambdaGrid, sweepSync } from '../../src/index.ts'
import { machine, stopwatch } from '../machine.ts'
import { brief, table } from '../table.ts'
import { realProblem, type Shared } from './problems.ts'
import { scnnOn, whyNot } from './python.ts'

const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: 'breast-cancer-wisc-diag,ionosphere,parkinsons,statlog-heart' },
    count: { type: 'string', default: '50' },
    ratio: { type: 'string', default: '0.001' },
    gates: { type: 'string', default: '500' },
    distances: { type: 'string', default: '1e-3,1e-6' },
    seconds: { type: 'string', default: '60' },
  },
})
const distances = values.distances.split(',').map(Number)
const lambdas = { count: Number(values.count), ratio: Number(values.ratio) }

const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores, node ${node}; ${lambdas.count} lambdas down to ${lambdas.ratio} lambda_max`)
const why = whyNot()
if (why !== undefined) console.log(`${why}\nscnn is left out.`)
const results = table(
  ['set', 'n, d, P', 'distance', 'our seconds', 'largest gap', 'scnn seconds', 'largest distance', 'missed', 'ratio'],
  [23, 12, 10],
)
for (const name of values.sets.split(',')) {
  const problem = await realProblem(name, Number(values.gates))
  if (problem) compare(problem)
  else console.log(`No table ${name} here; set CVXNN_DATA to a folder that holds uci/classification/${name}.csv.`)
}

interface Path {
  readonly seconds: number
  readonly objectives: readonly number[]
  readonly largestGap: number
}

function compare(problem: Shared): void {
  const { name, X, y, gates } = problem
  const program = gatedReluProgram({ X, y, gates: gatesFrom(gates, X), lambda: 0 })
  const grid = lambdaGrid(program, lambdas)
  const size = `${X.rows}, ${X.columns}, ${gates.rows}`
  const scnn = why === undefined ? scnnOn(problem) : undefined
  try {
    let exact: Path | undefined
    for (const distance of [...distances].sort((a, b) => a - b)) {
      const ours = path(program, grid, distance)
      exact ??= ours
      const told = { lambdas: grid, optima: exact.objectives, distances: [distance], seconds: Number(values.seconds) }
      const theirs = scnn?.ask({ ...told, method: 'path', dtype: 'float64' })
      const missed = theirs?.points.filter(({ reached }) => reached?.[0] === null).length
      row(distance.toExponential(0), ours, theirs, missed)
    }
    const request = { lambdas: grid, optima: exact!.objectives, distances: [], seconds: 0 }
    const shipped = scnn?.ask({ ...request, method: 'shipped', dtype: 'float32' })
    if (shipped) row('as shipped', exact!, shipped)
  } finally {
    scnn?.close()
  }

  function row(distance: string, ours: Path, theirs?: ReturnType<NonNullable<typeof scnn>['ask']>, missed?: number) {
    const worst = theirs && Math.max(...theirs.points.map((point) => point.distance))
    results.row([
      ...[name, size, distance, brief(ours.seconds), ours.largestGap.toExponential(1)],
      ...[theirs ? brief(theirs.seconds) : '-', worst?.toExponential(1) ?? '-', missed ?? '-'],
      theirs ? brief(theirs.seconds / ours.seconds) : '-',
    ])
  }
}

function path(program: ConvexProgram, grid: readonly number[], tolerance: number): Path {
  const elapsed = stopwatch()
  const found = [...sweepSync(program, { lambdas: grid, tolerance })].map(({ certificate }) => certificate)
  return {
    seconds: elapsed().cpu,
    objectives: found.map(({ primal }) => primal),
    largestGap: Math.max(...found.map(({ relativeGap }) => relativeGap)),
  }
}
