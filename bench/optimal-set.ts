/**
 * Optimal sets and small networks: how many optima there are, how few neurons one of them has, and what finding out costs.
 *
 *     npm run bench:optimal-set -- [--size quick|all]
 *
 * Each problem is solved to a relative gap of 1e-12 by the default solver, and roughly, to 1e-4, by `proximalGradient()`.
 * Shown are the neurons of both before and after `prune`, the optimal set, whether it is proved to be a single point, and
 * processor time as multiples of the precise solve.
 */
import { parseArgs } from 'node:util'
import {
  type ConvexProgram,
  enumerateGates,
  fromRows,
  gatedReluProgram,
  lambdaMax,
  logistic,
  minimumNorm,
  optimalSet,
  proximalGradient,
  prune,
  reluProgram,
  solveSync,
} from '../src/index.ts'
import { machine, stopwatch } from './machine.ts'
import { planted } from './problems.ts'
import { brief, table } from './table.ts'

interface Problem {
  readonly name: string
  readonly quick: boolean
  make(): ConvexProgram
}

const sampled = (rows: number, features: number, gates: number) => planted({ rows, features, gates })

/** All patterns of planted data of few features. */
function everyPattern(rows: number, features: number, bias: boolean): ConvexProgram {
  const { X, y } = planted({ rows, features, gates: 1 })
  const withOnes = fromRows(
    Array.from({ length: rows }, (_, r) => [...X.data.subarray(r * features, (r + 1) * features), 1]),
  )
  const inputs = bias ? withOnes : X
  return reluProgram({ X: inputs, y, gates: enumerateGates(inputs), lambda: 1 })
}

const problems: Problem[] = [
  { name: 'ReLU, all patterns, 100, 2', quick: true, make: () => everyPattern(100, 2, false) },
  { name: 'ReLU, all patterns, 100, 1 and a bias', quick: true, make: () => everyPattern(100, 1, true) },
  { name: 'ReLU, all patterns, 40, 3', quick: true, make: () => everyPattern(40, 3, false) },
  { name: 'ReLU, 300, 20, 200', quick: true, make: () => reluProgram({ ...sampled(300, 20, 200), lambda: 1 }) },
  { name: 'gated, 500, 50, 500', quick: true, make: () => gatedReluProgram({ ...sampled(500, 50, 500), lambda: 1 }) },
  { name: 'gated, 60, 5, 1000', quick: true, make: () => gatedReluProgram({ ...sampled(60, 5, 1000), lambda: 1 }) },
  {
    name: 'gated logistic, 200, 10, 500',
    quick: false,
    make() {
      const { X, y, gates } = sampled(200, 10, 500)
      return gatedReluProgram({ X, y: y.data.map((value) => (value > 0 ? 1 : -1)), gates, lambda: 1, loss: logistic() })
    },
  },
  {
    name: 'gated, 1000, 50, 2000',
    quick: false,
    make: () => gatedReluProgram({ ...sampled(1000, 50, 2000), lambda: 1 }),
  },
]

function row({ name, make }: Problem, ratio: number): string[] {
  const base = make()
  const program = { ...base, lambda: ratio * lambdaMax(base) }
  const solving = stopwatch()
  const precise = solveSync(program, { tolerance: 1e-12 })
  const whole = solving().cpu
  const cost = (work: () => void): string => {
    const time = stopwatch()
    work()
    return brief(time().cpu / whole)
  }
  const rough = solveSync(program, { solver: proximalGradient(), tolerance: 1e-4, maxIterations: 5000 })
  let set = optimalSet(program, precise)
  let small = prune(program, precise)
  const costs = [
    cost(() => {
      set = optimalSet(program, precise)
    }),
    cost(() => {
      small = prune(program, precise)
    }),
    cost(() => minimumNorm(program, precise)),
  ]
  const width = (at: typeof small | typeof precise): string => `${(at.model as { width: number }).width}`
  const change = Math.abs(small.certificate.primal / precise.certificate.primal - 1)
  return [
    name,
    `${ratio}`,
    `${width(precise)} -> ${width(small)}`,
    change === 0 ? '0' : change.toExponential(0),
    `${width(rough)} -> ${width(prune(program, rough))}`,
    `${set.size}`,
    `${set.dimension}`,
    `${set.copies}`,
    set.proved ? 'proved' : set.unique ? 'yes' : 'no',
    ...costs,
  ]
}

const { values } = parseArgs({ options: { size: { type: 'string', default: 'quick' } } })
console.log(JSON.stringify(machine()))
const shown = table(
  [
    'program, n, d, P',
    'lambda / lambda_max',
    'neurons at 1e-12 -> pruned',
    'change of objective',
    'at 1e-4 -> pruned',
    'size of the set',
    'dimension',
    'copies',
    'unique',
    'optimalSet / solve',
    'prune / solve',
    'minimumNorm / solve',
  ],
  [36],
)
for (const problem of problems)
  if (problem.quick || values.size === 'all') for (const ratio of [0.3, 0.1, 0.01]) shown.row(row(problem, ratio))
