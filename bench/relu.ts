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
import { stopwatch } from './machine.ts'
import { type Planted, planted } from './problems.ts'

/**
 * Processor time to a certified gap of 1e-6 for ReLU programs, in one run: Newton's method on the cones, accelerated
 * proximal gradient on exact cone projections, the augmented Lagrangian, and two general conic solvers in WebAssembly, Clarabel and
 * SCS, on a size they can take.
 *
 *     npm run bench:relu [-- SECONDS]
 *
 * A run that has not reached the gap after SECONDS (default 60) shows the gap it reached.
 */
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

for (const [n, d, P] of [
  [100, 8, 40],
  [200, 12, 100],
  [300, 20, 200],
  [500, 50, 250],
] as const) {
  const data = planted({ rows: n, features: d, gates: P })
  for (const ratio of [0.3, 0.1, 0.01]) {
    const size = `${n}, ${d}, ${P}`
    const newton = run(coneNewton(), data, ratio, size)
    for (const solver of [proximalGradient(), augmentedLagrangian()]) run(solver, data, ratio, size, newton)
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

/** Prints a row and returns the seconds. */
function run(solver: Solver, data: Planted, ratio: number, size: string, newton?: number): number {
  const program = at(data, ratio)
  const took = stopwatch()
  const found = solveSync(program, { solver, tolerance: 1e-6, timeLimit: limit, maxIterations: 1e6 })
  const seconds = took().cpu
  const { iterations, certificate } = found
  const width = program.recover(found).width
  const rest = [String(iterations).padEnd(10), certificate.relativeGap.toExponential(1), width].join(' ')
  console.log(`${line(size, ratio, solver.name, seconds, newton)} ${rest}`)
  return seconds
}

function line(size: string, ratio: number, name: string, seconds: number, newton?: number): string {
  const times = newton === undefined ? '' : `${(seconds / newton).toFixed(1)} x`
  return [
    size.padEnd(14),
    String(ratio).padEnd(11),
    name.padEnd(22),
    seconds.toFixed(2).padEnd(9),
    times.padEnd(12),
  ].join(' ')
}
