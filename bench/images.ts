/**
 * Gated ReLU programs of the size of MNIST and CIFAR-10 on one machine: X in bytes, products in float32, certificates in
 * float64; and how time and memory grow with rows and gates.
 *
 *     npm run bench:images -- [--data mnist|cifar10] [--rows 60000] [--gates 1000] [--ratio 0.003] [--tolerance 1e-2]
 *                             [--draw differences] [--window 5,8] [--held-out 0] [--subset 6000] [--landmarks 700]
 *                             [--features pixels|patches] [--patch-landmarks 150] [--ridge SHARE]
 *                             [--threads 1] [--time-limit SECONDS] [--checkpoint FILE] [--coefficients FILE]
 *                             [--loss squared|softmax|logistic]
 *     npm run bench:images -- --growth
 *
 * Data come from the folder that CVXNN_DATA names (default ../shared/data). Subsets of the rows (--subset, one size or several)
 * are solved first (0: none), to a gap of 4 per cent, each from the one before, and the last is where the whole begins. With
 * --held-out, so many of the last training rows are kept back and scored instead of the test images: to choose by.
 * --features patches reads pooled features of whitened patches instead of pixels; --ridge fits ridge regression to the same
 * features instead, at these weights. CVXNN_BACKEND=blas computes with the system's BLAS. Seconds are of processor time. A run
 * that is stopped goes on from its checkpoint.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  backend,
  type CompactMatrix,
  compactMatrix,
  type Gates,
  gatedReluProgram,
  gatesFrom,
  imageFeatures,
  lambdaMax,
  type Matrix,
  matrix,
  nystrom,
  readCifar,
  ridge,
  type SampleGatesOptions,
  sampleGates,
  solve,
  useBackend,
  type Vector,
  whitened,
  writeNpy,
} from '../src/index.ts'
import { type BitColumns, bitColumns } from '../src/numerics/bits.ts'
import { expand } from '../src/numerics/compact-matrix.ts'
import { compactGatedOperator } from '../src/operators/index.ts'
import {
  dataFolder,
  firstRows,
  gatesOfImages,
  type Images,
  lossNamed,
  mnist,
  OUTPUTS,
  oneHot,
  rightOf,
} from './image-files.ts'
import { arrayBytes, machine, stopwatch } from './machine.ts'
import { brief, table } from './table.ts'

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: 'mnist' },
    rows: { type: 'string' },
    gates: { type: 'string', default: '1000' },
    ratio: { type: 'string', default: '0.003' },
    loss: { type: 'string', default: 'squared' },
    tolerance: { type: 'string', default: '1e-2' },
    features: { type: 'string', default: 'pixels' },
    draw: { type: 'string', default: 'differences' },
    window: { type: 'string' },
    'held-out': { type: 'string', default: '0' },
    'patch-landmarks': { type: 'string', default: '150' },
    ridge: { type: 'string' },
    subset: { type: 'string', default: '6000' },
    landmarks: { type: 'string', default: '700' },
    threads: { type: 'string', default: '1' },
    'time-limit': { type: 'string' },
    checkpoint: { type: 'string' },
    coefficients: { type: 'string' },
    growth: { type: 'boolean', default: false },
  },
})

async function cifar(file: string): Promise<Images> {
  const { X, labels } = await readCifar(join(dataFolder('cifar10'), file))
  return { X: compactMatrix(X.rows, X.columns, Uint8Array.from(X.data), { divisor: 255 }), labels }
}

function lastRows(images: Images, rows: number): Images {
  const { X, labels } = images
  const first = X.rows - rows
  return {
    X: Object.freeze({
      ...X,
      rows,
      read: <T extends Float64Array | Float32Array>(from: number, out: T): T => X.read(first + from, out),
    }),
    labels: Array.from(labels).slice(first),
  }
}

const shape = given.data === 'mnist' ? { height: 28, width: 28, channels: 1 } : { height: 32, width: 32, channels: 3 }

/**
 * Pooled features of whitened patches for both, fitted to the first: less their mean, over their deviation in all, and a column
 * of ones.
 */
function patchFeatures(train: Images, test: Images): { train: Images; test: Images } {
  const X = expand(train.X)
  const map = imageFeatures({
    X,
    shape,
    patch: { size: 6, stride: 2, normalize: 'contrast' },
    pool: { size: 4 },
    features: whitened(nystrom({ count: Number(given['patch-landmarks']) })),
  })
  const found = map.map(X)
  const d = map.width
  const mean = new Float64Array(d)
  for (let k = 0; k < found.data.length; k++) mean[k % d]! += found.data[k]! / found.rows
  let square = 0
  for (let k = 0; k < found.data.length; k++) square += (found.data[k]! - mean[k % d]!) ** 2 / found.data.length
  const table = ({ rows, data }: Matrix): CompactMatrix => {
    const out = new Float32Array(rows * (d + 1)).fill(1)
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < d; j++) out[r * (d + 1) + j] = (data[r * d + j]! - mean[j]!) / Math.sqrt(square)
    return compactMatrix(rows, d + 1, out)
  }
  return {
    train: { X: table(found), labels: train.labels },
    test: { X: table(map.map(expand(test.X))), labels: test.labels },
  }
}

/** What `sampleGates` is asked for on these images: features of patches are no image, and have no windows. */
const gateOptions = (): SampleGatesOptions =>
  gatesOfImages({ ...given, window: given.window ?? (given.features === 'pixels' ? '5,8' : '') }, shape)

const { loss, solver, other } = lossNamed(given.loss)

/** The share of the test images whose largest output is that of their class, and the pairs of gate and output that are used. */
function scores(coefficients: Vector, gates: Gates, test: Images): { accuracy: number; pairs: number } {
  const patterns = gatesFrom(gates.vectors, test.X).patterns
  const fit = compactGatedOperator(test.X, patterns, OUTPUTS).apply(coefficients)
  const d = test.X.columns
  let pairs = 0
  for (let from = 0; from < coefficients.length; from += d)
    if (coefficients.subarray(from, from + d).some((entry) => entry !== 0)) pairs++
  return { accuracy: rightOf(fit, test) / test.X.rows, pairs }
}

/** Ridge regression on the same features: one gate that is on for all rows, and no neuron shrunk to zero. */
async function ridgeRegression(train: Images, y: Matrix, test: Images): Promise<void> {
  const X = expand(train.X)
  const gates = gatesFrom(matrix(1, X.columns), X)
  for (const share of given.ridge!.split(',').map(Number)) {
    const program = gatedReluProgram({ X, y, gates, lambda: share * meanSquare(X), penalty: ridge() })
    const { coefficients, certificate } = await solve(program, { tolerance: 1e-4 })
    console.log(
      `ridge, lambda ${share} of the mean square: ${scores(coefficients, gates, test).accuracy}, gap ${certificate.relativeGap.toPrecision(2)}`,
    )
  }
}

function meanSquare({ data }: Matrix): number {
  return data.reduce((sum, entry) => sum + entry * entry, 0) / data.length
}

/** The most memory that this process has held, in MiB: VmHWM where there is /proc. */
function peakMemory(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const found = /VmHWM:\s*(\d+) kB/.exec(status)
  return (found ? Number(found[1]) : process.resourceUsage().maxRSS) / 1024
}

async function solveImages(): Promise<void> {
  const all = given.data === 'mnist' ? await mnist('train') : await cifar('data_batch_1_first4000.bin.gz')
  const heldOut = Number(given['held-out'])
  const rows = Math.min(Number(given.rows ?? all.X.rows), all.X.rows - heldOut)
  const first = { X: firstRows(all.X, rows), labels: all.labels }
  const last =
    heldOut > 0
      ? lastRows(all, heldOut)
      : given.data === 'mnist'
        ? await mnist('t10k')
        : await cifar('test_batch_first1000.bin.gz')
  const took = stopwatch()
  const { train, test } = given.features === 'patches' ? patchFeatures(first, last) : { train: first, test: last }
  const { X } = train
  const y = oneHot(train.labels, rows, other)
  if (given.ridge !== undefined) return ridgeRegression(train, y, test)
  const gates = sampleGates(X, gateOptions())
  const whole = gatedReluProgram({ X, y, gates, lambda: 1, loss })
  const lambda = Number(given.ratio) * lambdaMax(whole)
  console.log(`${rows} x ${X.columns}, ${gates.count} gates, lambda ${lambda.toPrecision(5)}: ${brief(took().cpu)} s`)
  const landmarks = Number(given.landmarks)
  const describe = (coefficients: Vector): string => {
    const { accuracy, pairs } = scores(coefficients, gates, test)
    return `${heldOut > 0 ? 'held out' : 'test'} ${accuracy}, ${pairs} of ${gates.count * OUTPUTS} pairs`
  }
  let start: { coefficients: Vector } | undefined
  const resuming = given.checkpoint !== undefined && existsSync(given.checkpoint)
  for (const subset of resuming
    ? []
    : given.subset
        .split(',')
        .map(Number)
        .filter((size) => size > 0 && size < rows)) {
    const some = firstRows(X, subset)
    const part = gatedReluProgram({
      X: some,
      y: oneHot(train.labels, subset, other),
      gates: gatesFrom(gates.vectors, some),
      lambda,
      loss,
    })
    const { coefficients, certificate } = await solve(part, {
      solver: solver({ landmarks }),
      tolerance: 0.04,
      ...(start && { start }),
    })
    start = { coefficients }
    const gap = certificate.relativeGap.toPrecision(3)
    console.log(
      `first ${subset} rows: gap ${gap}${heldOut > 0 ? `, ${describe(coefficients)}` : ''}: ${brief(took().cpu)} s`,
    )
  }
  const out = table(['steps', 'primal', 'dual', 'relative gap', 'processor s'], [6, 12, 12])
  const solution = await solve(
    { ...whole, lambda },
    {
      solver: solver({ landmarks }),
      tolerance: Number(given.tolerance),
      ...(start && { start }),
      ...(given['time-limit'] && { timeLimit: Number(given['time-limit']) }),
      ...(given.checkpoint && { checkpoint: { file: given.checkpoint } }),
      onProgress: ({ iteration, certificate: { primal, dual, relativeGap } }) =>
        out.row([iteration, primal.toPrecision(7), dual.toPrecision(7), relativeGap.toPrecision(3), brief(took().cpu)]),
    },
  )
  const { wall, cpu } = took()
  if (given.coefficients)
    await writeNpy(given.coefficients, matrix(solution.coefficients.length, 1, solution.coefficients))
  console.log(
    `${solution.status}: ${describe(solution.coefficients)}; ${brief(cpu)} s of processor time, ${brief(wall)} s on the clock, at most ${peakMemory().toFixed(0)} MiB`,
  )
}

const GROWTH = { rows: [5_000, 10_000, 20_000, 40_000, 60_000], gates: [250, 500, 1000, 2000] }

/** What is fitted to a column of the table of growth: log of it = a + slope log rows + slope log gates. */
interface Point {
  readonly rows: number
  readonly gates: number
  readonly value: number
}

/** One pass each, over all pairs of sizes: A'p and A u in float32 with every pair in use, and A'p in float64 along two sides. */
async function growth(): Promise<void> {
  const { X } = await mnist('train')
  const { vectors } = sampleGates(expand(X, 0, 500), { ...gateOptions(), count: Math.max(...GROWTH.gates) })
  const { patterns: all } = gatesFrom(vectors, X)
  const heads = ['rows', 'gates', "A'p, s", 'A u, s', "A'p in float64, s", 'GFLOP a pass', 'GFLOP/s', 'held MiB']
  const out = table([...heads, 'counted MiB'])
  const columns = new Map<string, Point[]>(["A'p", 'A u', 'memory'].map((name) => [name, []]))
  const time = (work: () => void): number => {
    const took = stopwatch()
    work()
    return took().cpu
  }
  for (const rows of GROWTH.rows)
    for (const count of GROWTH.gates) {
      const before = arrayBytes()
      const some = firstRows(X, rows)
      const patterns = firstBits(all, rows, count)
      const operator = compactGatedOperator(some, patterns, OUTPUTS)
      const p = new Float64Array(operator.rows).fill(1 / rows)
      const u = new Float64Array(operator.columns).fill(1 / operator.columns)
      // X is copied to float32 when it is first read.
      operator.select(Int32Array.of(0)).adjoint(p)
      const back = time(() => operator.adjoint(p, u))
      const there = time(() => operator.apply(u, p))
      const exact =
        count === GROWTH.gates[0] || rows === GROWTH.rows[0] ? time(() => operator.exact.adjoint(p, u)) : undefined
      const held = arrayBytes() - before
      const flops = (2 * rows * some.columns * count * OUTPUTS) / 1e9
      const counted =
        (4 * operator.rows * some.columns) / OUTPUTS + patterns.words.byteLength + 8 * (u.length + p.length)
      columns.get("A'p")!.push({ rows, gates: count, value: back })
      columns.get('A u')!.push({ rows, gates: count, value: there })
      columns.get('memory')!.push({ rows, gates: count, value: held })
      out.row([
        ...[
          rows,
          count,
          brief(back),
          brief(there),
          exact === undefined ? '' : brief(exact),
          flops.toFixed(0),
          brief(flops / back),
        ],
        ...[brief(held / 2 ** 20), brief(counted / 2 ** 20)],
      ])
    }
  for (const [name, points] of columns) console.log(`${name}: ${slopes(points)}`)
  console.log(`at most ${peakMemory().toFixed(0)} MiB`)
}

/** The first rows of the first columns. */
function firstBits(bits: BitColumns, rows: number, count: number): BitColumns {
  const some = bitColumns(rows, count)
  const last = rows % 32 === 0 ? -1 : (1 << (rows % 32)) - 1
  for (let k = 0; k < count; k++) {
    some.words.set(bits.words.subarray(k * bits.stride, k * bits.stride + some.stride), k * some.stride)
    some.words[(k + 1) * some.stride - 1]! &= last
  }
  return some
}

/** The exponents of rows and gates in a power law, by least squares on the logarithms, over a grid of both. */
function slopes(points: readonly Point[]): string {
  const logs = points.map(({ rows, gates, value }) => [Math.log(rows), Math.log(gates), Math.log(value)] as const)
  const mean = (k: 0 | 1 | 2): number => logs.reduce((sum, log) => sum + log[k], 0) / logs.length
  const product = (k: 0 | 1, l: 0 | 1 | 2): number =>
    logs.reduce((sum, log) => sum + (log[k] - mean(k)) * (log[l] - mean(l)), 0)
  // On a full grid the two do not mix, and each slope is that of its own.
  return `rows^${(product(0, 2) / product(0, 0)).toFixed(2)} gates^${(product(1, 2) / product(1, 1)).toFixed(2)}`
}

if (given.threads !== '1') useBackend(backend().name, { threads: Number(given.threads) })
const { cpu, cores, memoryGiB, node, platform } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; ${backend().description}`)
await (given.growth ? growth() : solveImages())
