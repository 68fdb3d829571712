import { cpus } from 'node:os'
import { cscFromTriplets, solveConic } from 'cvxjs'
import {
  augmentedLagrangian,
  type ConvexProgram,
  coneNewton,
  lambdaMax,
  proximalGradient,
  reluProgram,
  type Solver,
  solveSync,
} from '../src/index.ts'
import { type Planted, planted } from './problems.ts'

/**
 * Processor time to a certified gap of 1e-6 for ReLU programs, in one run: Newton's method on the cones, accelerated
 * proximal gradient on exact cone projections, the augmented Lagrangian, and Clarabel, an interior-point method in
 * WebAssembly, on a size it can take.
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
  [300, 20, 200],
  [500, 50, 250],
] as const) {
  const data = planted({ rows: n, features: d, gates: P })
  for (const ratio of [0.3, 0.1, 0.01]) {
    const size = `${n}, ${d}, ${P}`
    const newton = run(coneNewton(), data, ratio, size)
    for (const solver of [proximalGradient(), augmentedLagrangian()]) run(solver, data, ratio, size, newton)
    if (n === 100) {
      const seconds = await clarabel(data, at(data, ratio))
      console.log(line(size, ratio, 'Clarabel (cvxjs)', seconds, newton))
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
  const begun = process.cpuUsage()
  const found = solveSync(program, { solver, tolerance: 1e-6, timeLimit: limit, maxIterations: 1e6 })
  const seconds = since(begun)
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

function since(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}

/**
 * minimise curvature/2 |e|^2 + lambda sum_b t_b  subject to  A u - e = y,  G u >= 0,  |u_b| <= t_b, to a gap of 1e-6: the
 * seconds of the solver alone. The optimum has to agree with ours.
 */
async function clarabel({ y }: Planted, program: ConvexProgram): Promise<number> {
  const { operator, constraint, penalty, lambda, loss } = program
  const size = penalty.blocks!.size
  const [n, m] = [operator.rows, operator.columns]
  const blocks = m / size
  const G = constraint!.operator
  const entries: [number, number, number][] = []
  const unit = new Float64Array(m)
  for (let k = 0; k < m; k++) {
    unit[k] = 1
    operator.apply(unit).forEach((value, r) => {
      if (value !== 0) entries.push([r, k, value])
    })
    G.apply(unit).forEach((value, r) => {
      if (value !== 0) entries.push([n + r, k, -value])
    })
    unit[k] = 0
  }
  for (let r = 0; r < n; r++) entries.push([r, m + r, -1])
  for (let b = 0; b < blocks; b++) {
    const first = n + G.rows + b * (size + 1)
    entries.push([first, m + n + b, -1])
    for (let j = 0; j < size; j++) entries.push([first + 1 + j, b * size + j, -1])
  }
  const variables = m + n + blocks
  const rows = n + G.rows + blocks * (size + 1)
  const right = new Float64Array(rows)
  right.set(y.data)
  const cost = new Float64Array(variables).fill(lambda, m + n)
  const { curvature } = loss.quadratic!
  const residuals = Array.from({ length: n }, (_, r) => m + r)
  const begun = process.cpuUsage()
  const answer = await solveConic(
    cscFromTriplets(
      variables,
      variables,
      residuals,
      residuals,
      residuals.map(() => curvature),
    ),
    cost,
    cscFromTriplets(
      rows,
      variables,
      entries.map(([r]) => r),
      entries.map(([, k]) => k),
      entries.map(([, , value]) => value),
    ),
    right,
    { zero: n, nonneg: G.rows, soc: Array.from({ length: blocks }, () => size + 1), exp: 0, power: [] },
    { tolGapAbs: 1e-6, tolGapRel: 1e-6 },
  )
  const seconds = since(begun)
  const ours = solveSync(program, { solver: coneNewton(), tolerance: 1e-9 }).certificate.primal
  if (answer.status !== 'optimal' || !(Math.abs(answer.objVal! - ours) <= 1e-4 * ours))
    throw new Error(`Clarabel ended with ${answer.status} at ${answer.objVal}, coneNewton at ${ours}.`)
  return seconds
}
