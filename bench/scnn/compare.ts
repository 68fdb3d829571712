/**
 * Gated ReLU programs, side by side with scnn, the reference software (NumPy on CPU), in one run and on one thread each:
 * processor seconds from zero until the objective is within 1e-3 and within 1e-6 of the certified optimum, relative.
 *
 *     npm run bench:scnn [-- --problems planted_s,breast_cancer] [--ratios 0.1,0.01,0.001]
 *                        [--solvers default,proximal-gradient] [--seconds 120] [--repeats 3] [--published]
 *
 * Both sides begin with data and patterns ready and take turns; a run is repeated while all its repeats stay below a
 * minute (each side for itself; ours twice as often and once more), and medians are shown; `*` marks the solver that `solve` chooses. Our seconds include
 * the certificates that show the distance; scnn's objective is at hand in each of its iterations. scnn is asked in float64
 * and in float32, its default; ratios are its seconds over ours.
 *
 * Reads the problems from the folder named by CVXNN_GOLDEN and starts the Python named by CVXNN_PYTHON; says so where
 * either is missing. With --published, seconds measured elsewhere stand in for scnn.
 */
import { parseArgs } from 'node:util'
import { type ConvexProgram, gatedReluProgram, gatesFrom, type Solver, walk } from '../../src/index.ts'
import { machine, median, stopwatch } from '../machine.ts'
import { solverNamed } from '../solvers.ts'
import { brief, type Table, table } from '../table.ts'
import { goldenProblem, type Solved } from './problems.ts'
import { published } from './published.ts'
import { type Scnn, scnnOn, whyNot } from './python.ts'

const DISTANCES = [1e-3, 1e-6] as const
const DTYPES = ['float64', 'float32'] as const
/** Seconds that all repeats of one row may take before it is not repeated again. */
const REPEAT_SECONDS = 60

type Dtype = (typeof DTYPES)[number]
/** Seconds and iterations to each distance; undefined is never. */
type Reached = readonly ({ readonly seconds: number; readonly iterations: number } | undefined)[]

const { values } = parseArgs({
  options: {
    problems: { type: 'string', default: 'planted_s,breast_cancer' },
    ratios: { type: 'string', default: '0.1,0.01,0.001' },
    solvers: { type: 'string', default: 'default,proximal-gradient' },
    seconds: { type: 'string', default: '120' },
    repeats: { type: 'string', default: '3' },
    published: { type: 'boolean', default: false },
  },
})
const limit = Number(values.seconds)

const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores, node ${node}`)
const why = values.published ? undefined : whyNot()
if (why !== undefined)
  console.log(`${why}\nscnn is left out; --published puts seconds that were measured elsewhere in its place.`)
const problems = values.problems.split(',').flatMap((name) => {
  const problem = goldenProblem(name)
  if (!problem) console.log(`No problem ${name} here; set CVXNN_GOLDEN to a folder that holds bench/${name}/.`)
  return problem ?? []
})
const heads = ['problem', 'lambda / lambda_max', 'distance', 'scnn float64 s', 'scnn float32 s']
const results = table(
  [...heads, 'solver', 'seconds', 'iterations', 'ratio float64', 'ratio float32'],
  [13, 0, 0, 0, 0, 20],
)
for (const problem of problems) {
  const scnn = values.published || why !== undefined ? undefined : scnnOn(problem)
  try {
    for (const ratio of values.ratios.split(',').map(Number)) compare(problem, ratio, scnn, results)
  } finally {
    scnn?.close()
  }
}

/** All rows of one problem at one lambda. */
function compare(problem: Solved, ratio: number, scnn: Scnn | undefined, results: Table): void {
  const optimum = problem.optima.get(ratio)
  if (optimum === undefined) return
  const { X, y } = problem
  const lambda = ratio * problem.lambdaMax
  const program = gatedReluProgram({ X, y, gates: gatesFrom(problem.gates, X), lambda })
  const chosen = solverNamed('default', program).name
  // By the solver's own name, of which the one asked for may be another.
  const words = new Map(values.solvers.split(',').map((word) => [solverNamed(word, program).name, word]))
  const theirs: Record<Dtype, Reached[]> = { float64: [], float32: [] }
  const ours = new Map<string, Reached[]>([...words.keys()].map((name) => [name, []]))
  const run = (name: string): Reached => once(program, solverNamed(words.get(name)!, program), optimum)
  const all = stopwatch()
  let repeats = 0
  do {
    // float32 is twice as fast or stalls: float64's seconds are enough to see which.
    let patience = limit
    for (const dtype of DTYPES)
      if (scnn) {
        const answer = asked(scnn, dtype, lambda, optimum, patience)
        theirs[dtype].push(answer)
        patience = Math.min(limit, 1 + (answer.at(-1)?.seconds ?? limit))
      }
    for (const [name, runs] of ours) runs.push(run(name))
    repeats++
  } while (repeats < Number(values.repeats) && (all().wall * (repeats + 1)) / repeats < REPEAT_SECONDS)
  // Ours is repeated further, also where scnn is too slow to be asked again: first runs in Node are compiled as they go.
  for (const [name, runs] of ours)
    for (const more = stopwatch(); runs.length < 2 * Number(values.repeats) + 1 && more().wall < REPEAT_SECONDS; )
      runs.push(run(name))
  for (const [k, distance] of DISTANCES.entries()) {
    const of = (dtype: Dtype): number | undefined =>
      values.published
        ? (published[problem.name]?.[ratio]?.[dtype][k] ?? undefined)
        : medianOf(theirs[dtype].map((run) => run[k]?.seconds))
    const seconds = DTYPES.map(of)
    for (const [name, runs] of ours) {
      const mine = medianOf(runs.map((run) => run[k]?.seconds))
      results.row([
        ...[problem.name, ratio, distance.toExponential(0)],
        ...seconds.map((value) => (scnn || values.published ? shown(value) : '-')),
        ...[name === chosen ? `${name} *` : name, shown(mine), runs[0]?.[k]?.iterations ?? '-'],
        ...seconds.map((value) => (mine === undefined || value === undefined ? '-' : brief(value / mine))),
      ])
    }
  }
}

function asked(scnn: Scnn, dtype: Dtype, lambda: number, optimum: number, seconds: number): Reached {
  const request = { method: 'solve', lambdas: [lambda], optima: [optimum], distances: DISTANCES, dtype } as const
  return scnn.ask({ ...request, seconds }).points[0]!.reached!.map((at) => at ?? undefined)
}

/** One run of ours from zero; ends at the last distance, or when the time is up. */
function once(program: ConvexProgram, solver: Solver, optimum: number): Reached {
  const reached: Reached[number][] = []
  const elapsed = stopwatch()
  const walking = walk(program, { solver, tolerance: 0, timeLimit: limit })
  for (let at = walking.next(); !at.done && reached.length < DISTANCES.length; at = walking.next()) {
    if (at.value === undefined) continue
    const distance = at.value.certificate.primal / optimum - 1
    while (reached.length < DISTANCES.length && distance <= DISTANCES[reached.length]!)
      reached.push({ seconds: elapsed().cpu, iterations: at.value.iteration })
  }
  walking.return(undefined as never)
  return DISTANCES.map((_, k) => reached[k])
}

/** The median, or undefined when one of them is. */
function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length > 0 && known.length === values.length ? median(known) : undefined
}

function shown(seconds: number | undefined): string {
  return seconds === undefined ? 'never' : brief(seconds)
}
