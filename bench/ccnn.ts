/**
 * Convexified convolutional networks:
 *
 *     npm run bench:ccnn                 the kernel-only dual against the explicit primal as n grows, and the dual solvers
 *     npm run bench:ccnn -- --images     MNIST and CIFAR-10 with the data folder at hand (minutes)
 *     npm run bench:ccnn -- --deep       the same MNIST images with two layers (minutes)
 *
 * Seconds are processor time of this process.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  CcnnClassifier,
  ccnnDual,
  ccnnProgram,
  columnGeneration,
  dualAscent,
  interiorPoint,
  logistic,
  type Matrix,
  matrix,
  rbf,
  readCifar,
  readIdx,
  solveKernel,
  solveSync,
} from '../src/index.ts'
import { random } from '../src/numerics/random.ts'
import { arrayBytes, machine, stopwatch } from './machine.ts'

const { values } = parseArgs({
  options: {
    images: { type: 'boolean', default: false },
    deep: { type: 'boolean', default: false },
    largest: { type: 'string' },
  },
})

/** Two copies of a class's 3 x 3 template at random places of a 10 x 10 image, with random sign and noise of 0.25. */
function templates(n: number, seed: number): { X: Matrix; y: Matrix } {
  const shared = random(7)
  const drawn = [0, 1].map(() => Float64Array.from({ length: 9 }, () => shared.normal()))
  const source = random(seed)
  const X = matrix(n, 100)
  const y = matrix(n, 1)
  for (let i = 0; i < n; i++) {
    const own = source.below(2)
    y.data[i] = own === 1 ? 1 : -1
    for (let k = 0; k < 100; k++) X.data[100 * i + k] = 0.25 * source.normal()
    for (let copy = 0; copy < 2; copy++) {
      const [top, left] = [source.below(8), source.below(8)]
      const sign = source.uniform() < 0.5 ? -1 : 1
      for (let a = 0; a < 3; a++)
        for (let b = 0; b < 3; b++) X.data[100 * i + (top + a) * 10 + left + b]! += sign * drawn[own]![3 * a + b]!
    }
  }
  return { X, y }
}

function options(n: number): Parameters<typeof ccnnDual>[0] {
  return {
    ...templates(n, 1),
    shape: { height: 10, width: 10, channels: 1 },
    patch: { size: 3 },
    pool: { size: 2 },
    kernel: rbf({ gamma: 0.2 }),
    loss: logistic(),
    lambdaRatio: 0.05,
  }
}

/** The same problem as an explicit primal, a kernel-only dual that keeps its kernel and one that computes it every pass. */
function growth(largest: number): void {
  console.log(
    '\n| n | features | primal: set-up s | solve s | MB | dual: set-up s | solve s | MB | streamed: solve s | MB | difference |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  for (let n = 20; n <= largest; n *= 2) {
    const primal = measure(
      () => ccnnProgram(options(n)),
      (program) => solveSync(program, { tolerance: 1e-6 }).certificate,
    )
    const dual = measure(
      () => ccnnDual(options(n)),
      (program) => solveKernel(program, { tolerance: 1e-6 }).certificate,
    )
    const streamed = measure(
      () => ccnnDual({ ...options(n), memory: 0 }),
      (program) => solveKernel(program, { tolerance: 1e-6 }).certificate,
    )
    const difference = Math.abs(primal.certificate.primal - dual.certificate.primal) / primal.certificate.primal
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
    console.log(
      `| ${n} | ${primal.program.operator.columns / 16} | ${primal.setup.toFixed(1)} | ${primal.solve.toFixed(1)} | ${mb(primal.bytes)} | ${dual.setup.toFixed(1)} | ${dual.solve.toFixed(1)} | ${mb(dual.bytes)} | ${streamed.solve.toFixed(1)} | ${mb(streamed.bytes)} | ${difference.toExponential(0)} |`,
    )
  }
}

interface Measured<P> {
  readonly program: P
  readonly certificate: { primal: number }
  readonly setup: number
  readonly solve: number
  /** In arrays that the program holds. */
  readonly bytes: number
}

function measure<P>(make: () => P, solve: (program: P) => { primal: number }): Measured<P> {
  const before = arrayBytes()
  const making = stopwatch()
  const program = make()
  const setup = making().cpu
  const bytes = arrayBytes() - before
  const solving = stopwatch()
  const certificate = solve(program)
  return { program, certificate, setup, solve: solving().cpu, bytes }
}

/** The three dual solvers on one problem, to a relative gap of 1e-8. */
function solvers(): void {
  console.log('\n| solver | status | iterates | seconds | relative gap |')
  console.log('| --- | --- | --- | --- | --- |')
  const program = ccnnDual(options(30))
  for (const solver of [columnGeneration(), dualAscent(), interiorPoint()]) {
    const watch = stopwatch()
    const { status, iterations, certificate } = solveKernel(program, { solver, tolerance: 1e-8, maxIterations: 30 })
    console.log(
      `| ${solver.name} | ${status} | ${iterations} | ${watch().cpu.toFixed(1)} | ${certificate.relativeGap.toExponential(0)} |`,
    )
  }
}

/** Accuracy on real images with landmarks: one layer on MNIST and on CIFAR-10, or two on MNIST. */
async function images(folder: string, deep: boolean): Promise<void> {
  if (!existsSync(join(folder, 'mnist'))) {
    console.log(`\nno data sets at ${folder}: set CVXNN_DATA to a folder with mnist/ and cifar10/`)
    return
  }
  const idx = async (name: string): Promise<Matrix> => readIdx(join(folder, 'mnist', name))
  const some = (M: Matrix, n: number): Matrix => matrix(n, M.columns, M.data.subarray(0, n * M.columns))
  const mnist = {
    name: 'MNIST, 10,000 to train on',
    shape: { height: 28, width: 28, channels: 1 },
    X: some(await idx('train-images-idx3-ubyte.gz'), 10_000),
    labels: Array.from((await idx('train-labels-idx1-ubyte.gz')).data.subarray(0, 10_000)),
    test: await idx('t10k-images-idx3-ubyte.gz'),
    testLabels: Array.from((await idx('t10k-labels-idx1-ubyte.gz')).data),
    layers: [{ pool: { size: 4 }, landmarks: 60, gamma: 0.2, whiten: { unit: false }, lambdaRatio: 5e-4 }],
    maxIterations: 90,
  }
  // The first layer is seen at 12 x 12 places, so that the second has something to convolve.
  const twice = {
    ...mnist,
    name: 'MNIST, two layers',
    layers: [
      { pool: { size: 2 }, landmarks: 32, gamma: 0.2, whiten: { unit: false }, lambdaRatio: 5e-4, filters: 16 },
      { patch: { size: 3, normalize: 'l2' as const }, landmarks: 150, gamma: 2, lambdaRatio: 5e-4 },
    ],
    maxIterations: 60,
  }
  const train = await readCifar(join(folder, 'cifar10/data_batch_1_first4000.bin.gz'))
  const test = await readCifar(join(folder, 'cifar10/test_batch_first1000.bin.gz'))
  const cifar = {
    name: 'CIFAR-10, 4,000 to train on',
    ...{ shape: train.shape, X: train.X, labels: train.labels, test: test.X, testLabels: test.labels },
    layers: [{ pool: { size: 7 }, landmarks: 80, lambdaRatio: 2e-3 }],
    maxIterations: 200,
  }
  console.log('\n| data | test error | train error | filters | gap | seconds to train | peak memory MB |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  for (const { name, shape, X, labels, layers, maxIterations, ...held } of deep ? [twice] : [cifar, mnist]) {
    const watch = stopwatch()
    const classifier = new CcnnClassifier({ shape, layers, maxIterations }).train(X, labels)
    const { cpu } = watch()
    const wrong = (rows: Matrix, own: readonly number[]): string =>
      `${(100 * (1 - classifier.score(rows, own))).toFixed(2)} %`
    const ranks = classifier.layers.map(({ rank }) => rank).join(', ')
    const gaps = classifier.layers.map(({ certificate }) => certificate.relativeGap.toPrecision(2)).join(', ')
    console.log(
      `| ${name} | ${wrong(held.test, held.testLabels)} | ${wrong(X, labels)} | ${ranks} | ${gaps} | ${cpu.toFixed(0)} | ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} |`,
    )
  }
}

const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores, Node ${node}`)
if (values.images || values.deep) await images(process.env.CVXNN_DATA ?? '../shared/data', values.deep)
else {
  growth(Number(values.largest ?? 160))
  solvers()
}
