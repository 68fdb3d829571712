/**
 * Working sets and regularisation paths: processor seconds and their ratios, each ratio from one run.
 *
 *     npm run bench:path -- [--size small|large|relu|all] [--part sets|path|all] [--limit SECONDS]
 *
 * `sets`: `workingSet()` against its inner solver alone, `proximalGradient()`, to a certified gap of 1e-6 at 0.1, 0.01 and
 * 0.001 times lambda_max. `path`: a sweep over 100 lambdas down to 0.001 lambda_max (0.01 for ReLU) with every point
 * certified to 1e-6, against one solve from zero at the last lambda, with the default solver and with working sets. Every
 * run has a program of its own, so that none finds what another has learned. A solve that has not reached the gap after
 * SECONDS of processor time (default 120) shows the gap it reached, and a path ends after five times as many.
 */
import { parseArgs } from 'node:util'
import {
  type ConvexProgram,
  chooseSolver,
  gatedReluProgram,
  lambdaMax,
  logistic,
  proximalGradient,
  reluProgram,
  type Solution,
  type Solver,
  solveSync,
  sweepSync,
  workingSet,
} from '../src/index.ts'
import { machine, stopwatch } from './machine.ts'
import { type PlantedSize, planted } from './problems.ts'
import { brief, table } from './table.ts'

interface Family {
  readonly name: string
  readonly size: PlantedSize
  /** Smallest lambda of the path over lambda_max. */
  readonly end: number
  make(): ConvexProgram
}

const GAP = 1e-6
const COUNT = 100

const sizes: Readonly<Record<string, PlantedSize>> = {
  small: { rows: 500, features: 50, gates: 500 },
  large: { rows: 2000, features: 100, gates: 1000 },
  relu: { rows: 300, features: 20, gates: 200 },
}

function families(name: string): Family[] {
  const size = sizes[name]
  if (!size)
    throw new RangeError(`bench: size is ${name}, expected ${Object.keys(sizes).join(', ')} or all; pass --size small.`)
  const problem = planted(size)
  const signs = problem.y.data.map((value) => (value > 0 ? 1 : -1))
  const build = name === 'relu' ? reluProgram : gatedReluProgram
  const family = name === 'relu' ? 'ReLU' : 'gated'
  const end = name === 'relu' ? 0.01 : 0.001
  return [
    { name: `${family}, squared`, size, end, make: () => build({ ...problem, lambda: 0 }) },
    {
      name: `${family}, logistic`,
      size,
      end,
      make: () => build({ ...problem, y: { ...problem.y, data: signs }, lambda: 0, loss: logistic() }),
    },
  ]
}

/** Seconds to the gap, or the gap that was reached. */
interface Run {
  readonly seconds: number
  readonly found: Solution
}

function once(make: () => ConvexProgram, ratio: number, solver: Solver, limit: number): Run {
  const program = make()
  const at = { ...program, lambda: ratio * lambdaMax(program) }
  const took = stopwatch()
  const stop = new AbortController()
  const onProgress = (): void => {
    if (took().cpu > limit) stop.abort()
  }
  const found = solveSync(at, { solver, tolerance: GAP, maxIterations: 1e7, signal: stop.signal, onProgress })
  return { seconds: took().cpu, found }
}

function shown({ seconds, found }: Run): string {
  const { status, certificate } = found
  return status === 'solved' ? brief(seconds) : `gap ${certificate.relativeGap.toExponential(0)} at ${brief(seconds)}`
}

function sets(family: Family, limit: number): void {
  const heads = ['lambda / max', 'proximalGradient s', 'iterations', 'workingSet s', 'iterations', 'ratio', 'neurons']
  const { row } = table(heads)
  for (const ratio of [0.1, 0.01, 0.001].filter((value) => value >= family.end)) {
    const plain = once(family.make, ratio, proximalGradient(), limit)
    const set = once(family.make, ratio, workingSet(), limit)
    const both = plain.found.status === 'solved' && set.found.status === 'solved'
    const { width } = set.found.model as { width: number }
    row([
      ratio,
      shown(plain),
      plain.found.iterations,
      shown(set),
      set.found.iterations,
      both ? brief(plain.seconds / set.seconds) : '-',
      width,
    ])
  }
}

function path(family: Family, limit: number): void {
  const heads = ['solver', `${COUNT} lambdas s`, 'certified', 'worst gap', 'last one, cold s', 'ratio', 'ms a point']
  const { row } = table(heads, [30])
  const first = family.make()
  const usual = chooseSolver({ ...first, lambda: lambdaMax(first) })
  for (const solver of usual.name === proximalGradient().name ? [workingSet()] : [usual, workingSet()]) {
    const cold = once(family.make, family.end, solver, limit)
    const program = family.make()
    const took = stopwatch()
    let certified = 0
    let points = 0
    let worst = 0
    for (const { status, certificate } of sweepSync(program, {
      ...{ solver, count: COUNT, ratio: family.end, tolerance: GAP, maxIterations: 1e7 },
    })) {
      points++
      if (status === 'solved') certified++
      worst = Math.max(worst, certificate.relativeGap)
      if (took().cpu > 5 * limit) break
    }
    const { cpu } = took()
    row([
      solver.name,
      brief(cpu),
      `${certified} of ${points}`,
      worst.toExponential(0),
      shown(cold),
      points === COUNT && cold.found.status === 'solved' ? brief(cpu / cold.seconds) : '-',
      brief((1000 * cpu) / points),
    ])
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: 'small' },
      part: { type: 'string', default: 'all' },
      limit: { type: 'string', default: '120' },
    },
  })
  const { size, part } = values
  const limit = Number(values.limit)
  if (!(limit > 0)) throw new RangeError(`bench: limit is ${values.limit}, expected seconds above 0; pass --limit 120.`)
  if (!['sets', 'path', 'all'].includes(part))
    throw new RangeError(`bench: part is ${part}, expected sets, path or all; pass --part sets.`)
  const { cpu, cores, memoryGiB, node, platform } = machine()
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, node ${node}, ${platform}`)
  for (const family of (size === 'all' ? Object.keys(sizes) : [size]).flatMap(families)) {
    const { rows, features, gates } = family.size
    console.log(`\n${family.name}: n ${rows}, d ${features}, P ${gates}, to a relative gap of ${GAP.toExponential(0)}`)
    if (part !== 'path') sets(family, limit)
    if (part === 'all') console.log()
    if (part !== 'sets') path(family, limit)
  }
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
