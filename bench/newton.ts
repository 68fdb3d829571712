/**
 * Newton's methods against accelerated proximal gradient on gated ReLU programs: processor seconds to a certified relative
 * gap of 1e-6 in one run, and how the cost grows with n, d and P.
 *
 *     npm run bench:newton [-- --sizes wide|tall|growth|losses|tables|all] [--limit SECONDS] [--masked]
 *
 * `tables`: paths as cross-validation walks them, seven lambdas down to 1e-4 lambda_max to a gap of 1e-3, on standardised UCI
 * tables in the folder that CVXNN_DATA names, by etaNewton and by what is chosen where no factor is worth its time.
 *
 * `--masked` adds R-FISTA on products by gemm and masks, as software on dense matrices has them, in place of sums looked up.
 * A first-order run that has not reached the gap after SECONDS of wall clock (default 120) shows the gap it reached, and its
 * ratio is a lower bound.
 */
import { parseArgs } from 'node:util'
import {
  type ConvexProgram,
  chooseSolver,
  etaNewton,
  gatedReluProgram,
  huber,
  type LossChoice,
  lambdaMax,
  logistic,
  matrix,
  newtonCg,
  proximalGradient,
  type Solver,
  sampleGates,
  solveSync,
  squared,
  squaredHinge,
  standardize,
  sweepSync,
  workingSet,
} from '../src/index.ts'
import { backend } from '../src/numerics/backends/index.ts'
import { selectRows } from '../src/numerics/matrix.ts'
import type { LinearOperator } from '../src/types.ts'
import { machine, stopwatch } from './machine.ts'
import { maskedProducts } from './masked-products.ts'
import { planted } from './problems.ts'
import { brief, table } from './table.ts'
import { dataFolder, uciTable } from './uci-table.ts'

type Size = readonly [rows: number, features: number, gates: number]

const WIDE: readonly Size[] = [
  [500, 50, 500],
  [1000, 50, 2000],
  [2000, 100, 1000],
]
const TALL: readonly Size[] = [
  [5000, 20, 500],
  [5000, 200, 2000],
  [20000, 50, 500],
]
const RATIOS = [0.1, 0.01, 0.001]
const TOLERANCE = 1e-6

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'wide' },
    limit: { type: 'string', default: '120' },
    ratios: { type: 'string', default: RATIOS.join(',') },
    masked: { type: 'boolean', default: false },
  },
})
const limit = Number(values.limit)
const ratios = values.ratios.split(',').map(Number)

interface Run {
  readonly seconds: number
  readonly steps: number
  readonly gap: number
  readonly solved: boolean
}

async function main(): Promise<void> {
  const host = machine()
  console.log(`${host.cpu}, ${host.cores} cores, node ${host.node}; ${backend().name}: ${backend().description}`)
  const parts: Record<string, () => void | Promise<void>> = {
    wide: () => compare(WIDE),
    tall: () => compare(TALL),
    growth,
    tables,
    losses: () => compare([[500, 50, 500]], { logistic, squaredHinge, huber: () => huber({ delta: 0.5 }) }),
  }
  const names = values.sizes === 'all' ? Object.keys(parts) : values.sizes.split(',')
  for (const name of names) {
    const part = parts[name]
    if (!part)
      throw new RangeError(
        `bench: sizes is ${name}, expected ${Object.keys(parts).join(', ')} or all; pass --sizes wide.`,
      )
    console.log(`\n${name}\n`)
    await part()
  }
}

function compare(sizes: readonly Size[], losses: Record<string, () => LossChoice> = { squared }): void {
  const heads = [
    'n, d, P',
    'loss',
    'lambda/max',
    'solver',
    'seconds',
    'steps',
    'R-FISTA seconds',
    'iterations',
    'ratio',
  ]
  const rows = table(values.masked ? [...heads, 'by gemm, s', 'ratio'] : heads, [14])
  for (const [n, d, P] of sizes)
    for (const [name, loss] of Object.entries(losses)) {
      const { program, top, masked } = made([n, d, P], name, loss())
      for (const ratio of ratios) {
        const at = { ...program, lambda: ratio * top }
        const solver = chooseSolver(at)
        const ours = run(at, solver)
        const first = run(at, proximalGradient())
        const slow = values.masked ? run({ ...at, operator: masked() }, proximalGradient()) : undefined
        rows.row([
          `${n}, ${d}, ${P}`,
          name,
          ratio,
          solver.name,
          shown(ours),
          ours.steps,
          shown(first),
          first.steps,
          over(first, ours),
          ...(slow ? [shown(slow), over(slow, ours)] : []),
        ])
      }
    }
}

/** Rows at even distances of each table; gates of all features and of one. */
async function tables(): Promise<void> {
  const rows = table(['table', 'n, d', 'features a gate', 'eta-newton', 'working-set(newton-cg)', 'ratio'], [18])
  for (const [name, count] of TABLES) {
    const read = await uciTable(name)
    if (!read) {
      console.log(`No table ${name} at ${dataFolder}; set CVXNN_DATA to a folder that holds uci/.`)
      continue
    }
    const n = Math.min(count, read.X.rows)
    const chosen = Int32Array.from({ length: n }, (_, r) => r * Math.floor(read.X.rows / n))
    const { X } = standardize(selectRows(read.X, chosen))
    const { X: y } = standardize(selectRows(read.y, chosen))
    for (const order of [0, 1]) {
      const gates = sampleGates(X, { count: 300, bias: true, ...(order > 0 && { order }) })
      const [eta, sets] = [etaNewton(), workingSet({ inner: newtonCg(), growth: 3 })].map((solver) => {
        const program = gatedReluProgram({ X, y, gates, bias: true, lambda: 0 })
        const watch = stopwatch()
        let left = 0
        const path = { solver, count: 7, ratio: 1e-4, tolerance: 1e-3, timeLimit: limit }
        for (const { status } of sweepSync(program, path)) if (status !== 'solved') left++
        return { seconds: watch().cpu, left }
      })
      const cell = ({ seconds, left }: typeof eta & object): string =>
        left > 0 ? `${brief(seconds)} (${left} not solved)` : brief(seconds)
      rows.row([
        ...[name.split('/')[1]!, `${n}, ${X.columns}`, order || 'all'],
        ...[cell(eta!), cell(sets!), `${sets!.left > 0 ? '> ' : ''}${brief(sets!.seconds / eta!.seconds)}`],
      ])
    }
  }
}

const TABLES: readonly (readonly [name: string, rows: number])[] = [
  ['regression/energy', 1000],
  ['regression/kin8nm', 1000],
  ['regression/wine-quality-red', 2000],
  ['regression/kin8nm', 2000],
  ['regression/california-housing', 2000],
  ['regression/kin8nm', 4000],
  ['regression/california-housing', 4000],
  ['regression/power-plant', 4000],
  ['regression/protein', 4000],
  ['regression/elevators', 4000],
]

/** How many times as long, or longer than that where it was stopped. */
function over(other: Run, ours: Run): string {
  return `${other.solved ? '' : '> '}${brief(other.seconds / ours.seconds)}`
}

/** Each of n, d and P doubled three times, the others fixed: seconds, and the slope of log seconds over the last doubling. */
function growth(): void {
  const rows = table(['n, d, P', 'lambda/max', 'seconds', 'steps', 'times the last'], [14])
  for (const [base, which] of [
    [[250, 20, 500], 0],
    [[500, 10, 500], 1],
    [[500, 20, 250], 2],
  ] as const)
    for (const ratio of [0.1, 0.01]) {
      let last = Number.NaN
      for (let doubling = 0; doubling <= 3; doubling++) {
        const size = base.map((entry, k) => (k === which ? entry * 2 ** doubling : entry)) as unknown as Size
        const { program, top } = made(size, 'squared', squared())
        const at = { ...program, lambda: ratio * top }
        const { seconds, steps } = run(at, chooseSolver(at))
        rows.row([size.join(', '), ratio, brief(seconds), steps, Number.isNaN(last) ? '' : brief(seconds / last)])
        last = seconds
      }
    }
}

function made(
  [rows, features, gates]: Size,
  name: string,
  loss: LossChoice,
): { program: ConvexProgram; top: number; masked: () => LinearOperator } {
  const problem = planted({ rows, features, gates })
  const classes = name === 'logistic' || name === 'squaredHinge'
  const y = classes ? problem.y.data.map((value) => (value > 0 ? 1 : -1)) : problem.y.data
  const program = gatedReluProgram({ X: problem.X, gates: problem.gates, y: matrix(rows, 1, y), loss, lambda: 0 })
  return { program, top: lambdaMax(program), masked: () => maskedProducts(problem) }
}

/** The median of five runs where one is cheap. */
function run(program: ConvexProgram, solver: Solver): Run {
  const first = once(program, solver)
  if (first.seconds > CHEAP) return first
  const runs = [first, ...Array.from({ length: 4 }, () => once(program, solver))]
  return runs.sort((a, b) => a.seconds - b.seconds)[2]!
}

/** Seconds up to which a run is made five times. */
const CHEAP = 1.5

function once(program: ConvexProgram, solver: Solver): Run {
  const watch = stopwatch()
  const found = solveSync(program, { solver, tolerance: TOLERANCE, timeLimit: limit, maxIterations: 1e7 })
  return {
    seconds: watch().cpu,
    steps: found.iterations,
    gap: found.certificate.relativeGap,
    solved: found.status === 'solved',
  }
}

function shown({ seconds, gap, solved }: Run): string {
  return solved ? brief(seconds) : `${brief(seconds)} (gap ${gap.toExponential(0)})`
}

await main()
