import { cpus } from 'node:os'
import {
  augmentedLagrangian,
  lambdaMax,
  proximalGradient,
  reluProgram,
  type Solver,
  sampleGates,
  solveSync,
} from '../src/index.ts'
import { planted } from './problems.ts'

/**
 * Time to a certified gap of 1e-6 for ReLU programs: accelerated proximal gradient on exact cone projections against the
 * augmented Lagrangian, in one run.
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
    'seconds'.padEnd(9),
    'iterations',
    'gap',
    'neurons',
  ].join(' '),
)
for (const [n, d, P] of [
  [300, 20, 200],
  [500, 50, 250],
] as const) {
  const { X, y } = planted({ rows: n, features: d, gates: P })
  const base = reluProgram({ X, y, gates: sampleGates(X, { count: P, seed: 1 }), lambda: 0 })
  const top = lambdaMax(base)
  for (const ratio of [0.3, 0.1, 0.01])
    for (const solver of [proximalGradient(), augmentedLagrangian()]) row(solver, ratio, `${n}, ${d}, ${P}`)

  function row(solver: Solver, ratio: number, size: string): void {
    const found = solveSync(
      { ...base, lambda: ratio * top },
      { solver, tolerance: 1e-6, timeLimit: limit, maxIterations: 1e6 },
    )
    const { seconds, iterations, certificate, model } = found
    console.log(
      [
        ...[size.padEnd(14), String(ratio).padEnd(11), solver.name.padEnd(22), seconds.toFixed(2).padEnd(9)],
        ...[String(iterations).padEnd(10), certificate.relativeGap.toExponential(1), model.width],
      ].join(' '),
    )
  }
}
