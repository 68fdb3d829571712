/**
 * Gated ReLU programs of the size of MNIST and CIFAR-10 on one machine: X in bytes, products in float32, certificates in
 * float64; and how time and memory grow with rows and gates.
 *
 *     npm run bench:images -- [--data mnist|cifar10] [--rows 60000] [--gates 1000] [--ratio 0.003] [--tolerance 1e-2]
 *                             [--subset 6000] [--landmarks 700] [--threads 1] [--time-limit SECONDS] [--checkpoint FILE]
 *                             [--loss squared|softmax|logistic]
 *     npm run bench:images -- --growth
 *
 * Data come from the folder that CVXNN_DATA names (default ../shared/data). A subset of the rows is solved first, to a gap
 * of 4 per cent, and its coefficients are where the whole begins. CVXNN_BACKEND=blas computes with the system's BLAS. Seconds are
 * of processor time. A run that is stopped goes on from its checkpoint.
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
  lambdaMax,
  logistic,
  type Matrix,
  matrix,
  nystromNewton,
  nystromNewtonCg,
  openIdx,
  readCifar,
  readIdx,
  sampleGates,
  softmax,
  solve,
  squared,
  useBackend,
  type Vector,
} from '../src/index.ts'
import { expand } from '../src/numerics/compact-matrix.ts'
import { compactGatedOperator } from '../src/operators/index.ts'
import { machine, stopwatch } from './machine.ts'
import { brief, table } from './table.ts'

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: 'mnist' },
    rows: { type: 'string' },
    gates: { type: 'string', default: '1000' },
    ratio: { type: 'string', default: '0.003' },
    loss: { type: 'string', default: 'squared' },
    tolerance: { type: 'string', default: '1e-2' },
    subset: { type: 'string', default: '6000' },
    landmarks: { type: 'string', default: '700' },
    threads: { type: 'string', default: '1' },
    'time-limit': { type: 'string' },
    checkpoint: { type: 'string' },
    growth: { type: 'boolean', default: false },
  },
})

interface Images {
  readonly X: CompactMatrix
  readonly labels: ArrayLike<number>
}

const folder = join(process.env.CVXNN_DATA ?? '../shared/data', given.data)
const OUTPUTS = 10

async function mnist(part: 'train' | 't10k'): Promise<Images> {
  const labels = await readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`))
  return { X: await openIdx(join(folder, `${part}-images-idx3-ubyte.gz`), { divisor: 255 }), labels: labels.data }
}

async function cifar(file: string): Promise<Images> {
  const { X, labels } = await readCifar(join(folder, file))
  return { X: compactMatrix(X.rows, X.columns, Uint8Array.from(X.data), { divisor: 255 }), labels }
}

function firstRows(X: CompactMatrix, rows: number): CompactMatrix {
  return rows >= X.rows ? X : Object.freeze({ ...X, rows })
}

/** The losses there are to choose from, what solves them, and what targets are where the class is another. */
const losses = {
  squared: { loss: squared(), solver: nystromNewton, other: 0 },
  softmax: { loss: softmax(), solver: nystromNewtonCg, other: 0 },
  logistic: { loss: logistic(), solver: nystromNewtonCg, other: -1 },
}
const { loss, solver, other } = losses[lossName()]

function lossName(): keyof typeof losses {
  if (given.loss === 'squared' || given.loss === 'softmax' || given.loss === 'logistic') return given.loss
  throw new RangeError(`images: --loss is ${given.loss}, expected one of ${Object.keys(losses).join(', ')}.`)
}

/** 1 in the column of the row's class. */
function oneHot(labels: ArrayLike<number>, rows: number): Matrix {
  const Y = matrix(rows, OUTPUTS, new Float64Array(rows * OUTPUTS).fill(other))
  for (let r = 0; r < rows; r++) Y.data[r * OUTPUTS + labels[r]!] = 1
  return Y
}

/** The share of the test images whose largest output is that of their class, and the pairs of gate and output that are used. */
function scores(coefficients: Vector, gates: Gates, test: Images): { accuracy: number; pairs: number } {
  const patterns = gatesFrom(gates.vectors, test.X).patterns
  const fit = compactGatedOperator(test.X, patterns, OUTPUTS).apply(coefficients)
  let right = 0
  for (let r = 0; r < test.X.rows; r++) {
    const row = fit.subarray(r * OUTPUTS, (r + 1) * OUTPUTS)
    if (row.indexOf(Math.max(...row)) === test.labels[r]) right++
  }
  const d = test.X.columns
  let pairs = 0
  for (let from = 0; from < coefficients.length; from += d)
    if (coefficients.subarray(from, from + d).some((entry) => entry !== 0)) pairs++
  return { accuracy: right / test.X.rows, pairs }
}

/** The most memory that this process has held, in MiB: VmHWM where there is /proc. */
function peakMemory(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const found = /VmHWM:\s*(\d+) kB/.exec(status)
  return (found ? Number(found[1]) : process.resourceUsage().maxRSS) / 1024
}

async function solveImages(): Promise<void> {
  const train = given.data === 'mnist' ? await mnist('train') : await cifar('data_batch_1_first4000.bin.gz')
  const test = given.data === 'mnist' ? await mnist('t10k') : await cifar('test_batch_first1000.bin.gz')
  const rows = Math.min(Number(given.rows ?? train.X.rows), train.X.rows)
  const took = stopwatch()
  const X = firstRows(train.X, rows)
  const y = oneHot(train.labels, rows)
  const gates = sampleGates(X, { count: Number(given.gates), seed: 1 })
  const whole = gatedReluProgram({ X, y, gates, lambda: 1, loss })
  const lambda = Number(given.ratio) * lambdaMax(whole)
  console.log(`${rows} x ${X.columns}, ${gates.count} gates, lambda ${lambda.toPrecision(5)}: ${brief(took().cpu)} s`)
  const landmarks = Number(given.landmarks)
  const describe = (coefficients: Vector): string => {
    const { accuracy, pairs } = scores(coefficients, gates, test)
    return `test ${accuracy}, ${pairs} of ${gates.count * OUTPUTS} pairs`
  }
  let start: { coefficients: Vector } | undefined
  const subset = Math.min(Number(given.subset), rows)
  const resuming = given.checkpoint !== undefined && existsSync(given.checkpoint)
  if (subset < rows && !resuming) {
    const some = firstRows(X, subset)
    const part = gatedReluProgram({
      X: some,
      y: oneHot(train.labels, subset),
      gates: gatesFrom(gates.vectors, some),
      lambda,
      loss,
    })
    const { coefficients, certificate } = await solve(part, { solver: solver({ landmarks }), tolerance: 0.04 })
    start = { coefficients }
    const gap = certificate.relativeGap.toPrecision(3)
    console.log(`first ${subset} rows: gap ${gap}, ${describe(coefficients)}: ${brief(took().cpu)} s`)
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
  console.log(
    `${solution.status}: ${describe(solution.coefficients)}; ${brief(cpu)} s of processor time, ${brief(wall)} s on the clock, at most ${peakMemory().toFixed(0)} MiB`,
  )
}

/** One pass each, per size: A'p in float32 and float64, and A u with every pair in use. */
async function growth(): Promise<void> {
  const { X } = await mnist('train')
  const out = table(['rows', 'gates', "A'p, s", 'A u, s', "A'p in float64, s", 'GFLOP a pass', 'GFLOP/s', 'array MiB'])
  for (const [rows, count] of [
    [5_000, 250],
    [10_000, 250],
    [20_000, 250],
    [40_000, 250],
    [60_000, 250],
    [5_000, 500],
    [5_000, 1000],
    [5_000, 2000],
  ] as const) {
    const some = firstRows(X, rows)
    const gates = sampleGates(expand(some, 0, 500), { count, seed: 1 })
    const { patterns } = gatesFrom(gates.vectors, some)
    const operator = compactGatedOperator(some, patterns, OUTPUTS)
    const p = new Float64Array(operator.rows).fill(1 / rows)
    const u = operator.adjoint(p)
    const time = (work: () => void): number => {
      const took = stopwatch()
      work()
      return took().cpu
    }
    const back = time(() => operator.adjoint(p, u))
    const there = time(() => operator.apply(u, p))
    const exact = time(() => operator.exact.adjoint(p, u))
    const flops = (2 * rows * some.columns * count * OUTPUTS) / 1e9
    const bytes = 4 * rows * some.columns + patterns.words.byteLength + 8 * (u.length + p.length)
    out.row([
      rows,
      count,
      brief(back),
      brief(there),
      brief(exact),
      flops.toFixed(0),
      brief(flops / back),
      brief(bytes / 2 ** 20),
    ])
  }
}

if (given.threads !== '1') useBackend(backend().name, { threads: Number(given.threads) })
const { cpu, cores, memoryGiB, node, platform } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}; ${backend().description}`)
await (given.growth ? growth() : solveImages())
