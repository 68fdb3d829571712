/**
 * Accelerated proximal gradient on gated ReLU programs: time to a certified relative gap of 1e-3 and of 1e-6, what the
 * program holds in memory, and how fast the two products with A = [D_1 X ... D_P X] run.
 *
 *     npm run bench -- [--size small|large|all] [--json FILE]
 *
 * Prints tables; writes nothing unless a file is named. Seconds are of processor time, so that a busy machine does not
 * count against them; the wall clock stands beside. `ratio` is the time to the last gap over the time to the first.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type ConvexProgram, gatedReluProgram, lambdaMax, proximalGradient, solveSync } from '../src/index.ts'
import { countSet } from '../src/numerics/bits.ts'
import { arrayBytes, type Machine, machine, median, secondsOf, stopwatch, type Took } from './machine.ts'
import { type Planted, type PlantedSize, planted } from './problems.ts'

const SIZES: Readonly<Record<string, PlantedSize>> = {
  small: { rows: 500, features: 50, gates: 500 },
  large: { rows: 2000, features: 100, gates: 1000 },
}
const RATIOS = [0.1, 0.01]
const GAPS = [1e-3, 1e-6]
/** A run is repeated up to three times while all of its repeats together stay below this. */
const REPEAT_SECONDS = 15
const TIME_LIMIT_SECONDS = 900

/** When a gap was first certified: medians over the repeats, absent when never. */
interface Reached {
  readonly gap: number
  readonly took?: Took
  readonly iterations?: number
}

interface Timing {
  readonly ratio: number
  readonly lambda: number
  readonly repeats: number
  readonly reached: readonly Reached[]
  readonly objective: number
  readonly neurons: number
}

interface Memory {
  /** X, y, gate vectors, packed patterns: counted from their lengths. */
  readonly programBytes: number
  /** The same from the growth of process.memoryUsage().arrayBuffers. */
  readonly programMeasuredBytes: number
  readonly patternBytes: number
  /** One vector of coefficients. */
  readonly coefficientBytes: number
  /** Growth of arrayBuffers in the middle of a solve, over the program: the solver's and the certificate's vectors. */
  readonly solveMeasuredBytes: number
  /** What [D_1 X ... D_P X] would hold in float64. */
  readonly formedBytes: number
}

interface Products {
  readonly applySeconds: number
  readonly adjointSeconds: number
  /** Medians of processor time. Flops done, 2 d for every row a pattern lets through, over the time; every block of the argument non-zero. */
  readonly applyGflops: number
  readonly adjointGflops: number
}

interface Measured {
  readonly size: PlantedSize
  readonly memory: Memory
  readonly products: Products
  readonly timings: readonly Timing[]
}

function main(): void {
  const { sizes, json } = options()
  const host = machine()
  console.log(`${host.cpu}, ${host.cores} cores, ${host.memoryGiB} GiB, node ${host.node}, ${host.platform}`)
  const measured: Measured[] = []
  for (const size of sizes) {
    const one = measure(size)
    measured.push(one)
    print(one)
  }
  if (json !== undefined) write(json, { machine: host, measured })
}

function measure(size: PlantedSize): Measured {
  const before = arrayBytes()
  const problem = planted(size)
  const program = gatedReluProgram({ ...problem, lambda: 0 })
  const programMeasuredBytes = arrayBytes() - before
  const top = lambdaMax(program)
  const held = { programMeasuredBytes, solveMeasuredBytes: duringSolve({ ...program, lambda: 0.1 * top }) }
  return {
    size,
    memory: memory(size, problem, held),
    products: products(program, problem),
    timings: RATIOS.map((ratio) => timing({ ...program, lambda: ratio * top }, ratio)),
  }
}

function memory(
  { rows, features, gates }: PlantedSize,
  { X, y, gates: { patterns, vectors } }: Planted,
  held: Pick<Memory, 'programMeasuredBytes' | 'solveMeasuredBytes'>,
): Memory {
  return {
    programBytes: X.data.byteLength + y.data.byteLength + vectors.data.byteLength + patterns.words.byteLength,
    patternBytes: patterns.words.byteLength,
    coefficientBytes: 8 * features * gates,
    formedBytes: 8 * rows * features * gates,
    ...held,
  }
}

/** Bytes that a short solve holds over what was there before it. */
function duringSolve(program: ConvexProgram): number {
  const before = arrayBytes()
  let most = 0
  solveSync(program, {
    solver: proximalGradient(),
    tolerance: 0,
    maxIterations: 20,
    onProgress: () => {
      most = Math.max(most, arrayBytes() - before)
    },
  })
  return most
}

function products(program: ConvexProgram, { X, gates }: Planted): Products {
  const { operator } = program
  let rowsOn = 0
  for (let i = 0; i < gates.count; i++) rowsOn += countSet(gates.patterns, i)
  const gigaflops = (2 * X.columns * rowsOn) / 1e9
  const u = new Float64Array(operator.columns).fill(1)
  const p = new Float64Array(operator.rows).fill(1)
  const fit = new Float64Array(operator.rows)
  const gradient = new Float64Array(operator.columns)
  const applySeconds = secondsOf(() => operator.apply(u, fit))
  const adjointSeconds = secondsOf(() => operator.adjoint(p, gradient))
  return {
    applySeconds,
    adjointSeconds,
    applyGflops: gigaflops / applySeconds,
    adjointGflops: gigaflops / adjointSeconds,
  }
}

/** One run gives both gaps: the progress at the first certificate at or below each. */
function timing(program: ConvexProgram, ratio: number): Timing {
  const runs: (Omit<Timing, 'repeats'> & { seconds: number })[] = []
  let spent = 0
  do {
    const run = once(program, ratio)
    runs.push(run)
    spent += run.seconds
  } while (runs.length < 3 && spent + runs[0]!.seconds < REPEAT_SECONDS)
  const { lambda, objective, neurons } = runs[0]!
  const reached = GAPS.map((gap, k) => {
    const times = runs.flatMap((run) => run.reached[k]!.took ?? [])
    // Every repeat walks the same iterates.
    const { iterations } = runs[0]!.reached[k]!
    if (times.length === 0 || iterations === undefined) return { gap }
    return { gap, iterations, took: { wall: median(times.map((t) => t.wall)), cpu: median(times.map((t) => t.cpu)) } }
  })
  return { ratio, lambda, repeats: runs.length, reached, objective, neurons }
}

function once(program: ConvexProgram, ratio: number): Omit<Timing, 'repeats'> & { seconds: number } {
  const reached: Reached[] = GAPS.map((gap) => ({ gap }))
  const elapsed = stopwatch()
  const found = solveSync(program, {
    solver: proximalGradient(),
    tolerance: Math.min(...GAPS),
    maxIterations: 1_000_000,
    timeLimit: TIME_LIMIT_SECONDS,
    onProgress: ({ iteration, certificate }) => {
      reached.forEach(({ gap, took }, k) => {
        if (took === undefined && certificate.relativeGap <= gap)
          reached[k] = { gap, took: elapsed(), iterations: iteration }
      })
    },
  })
  const neurons = (found.model as { width: number }).width
  const { lambda } = program
  return { ratio, lambda, reached, objective: found.certificate.primal, neurons, seconds: found.seconds }
}

function print({ size, memory: held, products: speed, timings }: Measured): void {
  const { rows, features, gates } = size
  console.log(`\nn ${rows}, d ${features}, P ${gates}: planted ReLU teacher with noise, X with unit-norm columns`)
  console.log(
    `  holds ${bytes(held.programBytes)} (measured ${bytes(held.programMeasuredBytes)}), of that patterns ${bytes(held.patternBytes)}; coefficients ${bytes(held.coefficientBytes)}`,
  )
  console.log(
    `  a solve holds another ${bytes(held.solveMeasuredBytes)} (measured); [D_1 X ... D_P X] formed would hold ${bytes(held.formedBytes)}`,
  )
  console.log(
    `  A u ${milliseconds(speed.applySeconds)}, ${speed.applyGflops.toFixed(2)} GFLOP/s; A'p ${milliseconds(speed.adjointSeconds)}, ${speed.adjointGflops.toFixed(2)} GFLOP/s`,
  )
  const heading = GAPS.flatMap((gap) => [`to ${gap.toExponential(0)}: s`, 'wall s', 'iterations'])
  console.log(columns(['lambda/max', ...heading, 'ratio', 'neurons', 'runs']))
  for (const { ratio, reached, neurons, repeats } of timings) {
    const cells = reached.flatMap(({ took, iterations }) =>
      took === undefined ? ['never', '-', '-'] : [took.cpu.toFixed(2), took.wall.toFixed(2), String(iterations)],
    )
    const [first, last] = [reached[0]!.took, reached.at(-1)!.took]
    const times = first && last ? (last.cpu / first.cpu).toFixed(1) : '-'
    console.log(columns([String(ratio), ...cells, times, String(neurons), String(repeats)]))
  }
}

function columns(cells: readonly string[]): string {
  return `  ${cells.map((cell, k) => cell.padStart(k === 0 ? 10 : k < 7 ? 11 : 8)).join('')}`
}

function bytes(count: number): string {
  return count >= 1e9 ? `${(count / 1e9).toFixed(2)} GB` : `${(count / 1e6).toFixed(2)} MB`
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toFixed(1)} ms`
}

/** Written whole or not at all: another program never reads half a file. */
function write(path: string, result: { machine: Machine; measured: readonly Measured[] }): void {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify(result, null, 2)}\n`)
  renameSync(temporary, path)
}

function options(): { sizes: readonly PlantedSize[]; json: string | undefined } {
  const { values } = parseArgs({ options: { size: { type: 'string', default: 'small' }, json: { type: 'string' } } })
  const names = Object.keys(SIZES)
  const chosen = values.size === 'all' ? names : [values.size]
  const sizes = chosen.map((name) => {
    const size = SIZES[name]
    if (!size) throw new RangeError(`bench: size is ${name}, expected ${names.join(', ')} or all; pass --size small.`)
    return size
  })
  return { sizes, json: values.json }
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
