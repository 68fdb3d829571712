import { cpus } from 'node:os'
import {
  augmentedLagrangian,
  coneNewton,
  lambdaMax,
  proximalGradient,
  reluProgram,
  type Solver,
  solveSync,
} from '../src/index.ts'
import { clarabel, conicForm, scs } from './conic.ts'
import { median, stopwatch } from './machine.ts'
import { type Planted, planted } from './problems.ts'

/**
 * Processor time to a certified gap of 1e-6 for ReLU programs, in one run: Newton's method on the cones, accelerated
 * proximal gradient on exact cone projections, the augmented Lagrangian, and two general conic solvers in WebAssembly, Clarabel and
 * SCS, on a size they can take.
 *
 *     npm run bench:relu [-- SECONDS [n,d,P ...]]
 *
 * A run that has not reached the gap after SECONDS (default 60) shows the gap it reached. The first two are run in turns, up to
 * fifteen times or for ten seconds, and show medians; what a run leaves to be compiled or collected is given a moment before the next.
 */
const TURNS = 15
/** Seconds after which there are turns enough, three at least. */
const ENOUGH = 10
/** Milliseconds between two runs. */
const PAUSE = 150
const limit = Number(process.argv[2] ?? 60)
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)
console.log(
  [
    'n, d, P'.padEnd(14),
    'lambda/max'.padEnd(11),
    'solver'.padEnd(22),
    'cpu s'.padEnd(9),
    'over newton'.padEnd(12),
    'iterations',
    'gap',
    'neurons',
  ].join(' '),
)

// Compiled code for all: the first problem is solved once without being shown.
const warm = planted({ rows: 100, features: 8, gates: 40 })
for (const solver of [coneNewton(), proximalGradient(), augmentedLagrangian()])
  solveSync(at(warm, 0.1), { solver, timeLimit: 2 })

const named = process.argv.slice(3)
for (const [n, d, P] of [
  [100, 8, 40],
  [200, 12, 100],
  [300, 20, 200],
  [500, 50, 250],
] as const) {
  if (named.length > 0 && !named.includes(`${n},${d},${P}`)) continue
  const data = planted({ rows: n, features: d, gates: P })
  for (const ratio of [0.3, 0.1, 0.01]) {
    const size = `${n}, ${d}, ${P}`
    const [newton] = await inTurns([coneNewton(), proximalGradient()], data, ratio, size)
    show(await run(augmentedLagrangian(), data, ratio), size, newton)
    if (n > 200) continue
    const program = at(data, ratio)
    const form = conicForm(program)
    const ours = solveSync(program, { solver: coneNewton(), tolerance: 1e-9 }).certificate.primal
    for (const [name, answer] of [
      ['Clarabel (cvxjs)', await clarabel(form)],
      ['SCS (scs-solver)', await scs(form, limit)],
    ] as const) {
      const off = Math.abs(answer.value - ours) / ours
      const rest = `${answer.solved ? 'solved by its own rule' : 'not solved'}, ${off.toExponential(1)} from the optimum`
      console.log(`${line(size, ratio, name, answer.seconds, newton)} ${rest}`)
    }
  }
}

/** The program at a ratio of lambda_max, made anew, so that no run starts from another's projections. */
function at({ X, y, gates }: Planted, ratio: number): ReturnType<typeof reluProgram> {
  const lambda = ratio * lambdaMax(reluProgram({ X, y, gates, lambda: 0 }))
  return reluProgram({ X, y, gates, lambda })
}

interface Run {
  readonly solver: string
  readonly ratio: number
  readonly seconds: number
  /** Iterations, gap and neurons. */
  readonly rest: string
}

async function run(solver: Solver, data: Planted, ratio: number): Promise<Run> {
  await new Promise((done) => setTimeout(done, PAUSE))
  const program = at(data, ratio)
  const took = stopwatch()
  const found = solveSync(program, { solver, tolerance: 1e-6, timeLimit: limit, maxIterations: 1e6 })
  const seconds = took().cpu
  const { iterations, certificate } = found
  const width = program.recover(found).width
  const rest = [String(iterations).padEnd(10), certificate.relativeGap.toExponential(1), width].join(' ')
  return { solver: solver.name, ratio, seconds, rest }
}

/** Prints the median seconds of each solver, and returns those of the first. */
async function inTurns(solvers: Solver[], data: Planted, ratio: number, size: string): Promise<number[]> {
  const runs: Run[][] = solvers.map(() => [])
  const all = stopwatch()
  for (let k = 0; k < TURNS && (k < 3 || all().cpu < ENOUGH); k++)
    for (const [i, solver] of solvers.entries()) runs[i]!.push(await run(solver, data, ratio))
  const seconds = runs.map((some) => median(some.map((one) => one.seconds)))
  runs.forEach((some, i) => {
    show({ ...some[0]!, seconds: seconds[i]! }, size, i > 0 ? seconds[0] : undefined)
  })
  return seconds
}

function show({ solver, ratio, seconds, rest }: Run, size: string, newton?: number): void {
  console.log(`${line(size, ratio, solver, seconds, newton)} ${rest}`)
}

function line(size: string, ratio: number, name: string, seconds: number, newton?: number): string {
  const times = newton === undefined ? '' : `${(seconds / newton).toFixed(1)} x`
  return [
    size.padEnd(14),
    String(ratio).padEnd(11),
    name.padEnd(22),
    seconds.toPrecision(3).padEnd(9),
    times.padEnd(12),
  ].join(' ')
}
