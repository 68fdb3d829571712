/**
 * Lifted deep networks against Adam on the same network and against the certified two-layer program, in one run:
 *
 *     npm run bench:lifted                           five UCI tables [--only tikhonov]
 *     npm run bench:lifted -- mnist [--epochs 8] [--rows 60000] [--hidden 300] [--only fenchel,adam]
 *     npm run bench:lifted -- digits                 the acceptance figures on 8 x 8 digits
 *
 * Accuracy on rows held out, seconds of processor time, what is guaranteed. Reads the folder named by CVXNN_DATA and says
 * so when it is not there.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { applyStandardization } from '../src/data/standardize.ts'
import {
  fenchelNetwork,
  type LiftedNetwork,
  lpomNetwork,
  type Matrix,
  matrix,
  ReluClassifier,
  readIdx,
  standardize,
  tikhonovNetwork,
  trainSync,
} from '../src/index.ts'
import { selectRows } from '../src/numerics/matrix.ts'
import { adam } from './deep-adam.ts'
import { arrayBytes, machine, stopwatch } from './machine.ts'
import { brief, table } from './table.ts'
import { dataFolder, isTestRow, uciTable } from './uci-table.ts'

interface Rows {
  readonly X: Matrix
  /** 1 in the column of the class, 0 elsewhere. */
  readonly y: Matrix
}

interface Split {
  readonly train: Rows
  readonly test: Rows
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string', default: '8' },
    rows: { type: 'string', default: '60000' },
    hidden: { type: 'string', default: '300' },
    only: { type: 'string', default: '' },
  },
})
const { cpu, cores, node } = machine()
console.log(`${cores} x ${cpu}, Node ${node}`)
const what = positionals[0] ?? 'uci'
if (!existsSync(dataFolder)) console.log(`No data at ${dataFolder}; set CVXNN_DATA to a folder with uci/ and mnist/.`)
else if (what === 'uci') await tables()
else if (what === 'digits') await digits()
else await mnist()

/** Five tables of the fixed split: the three methods, Adam and the certified program. */
async function tables(): Promise<void> {
  const results = table(['set', 'method', 'accuracy', 'seconds', 'guaranteed'], [24, 26, 8, 7, 40])
  for (const name of ['ionosphere', 'wine', 'seeds', 'vertebral-column-3clases', 'statlog-vehicle']) {
    const split = await uciSplit(name)
    if (!split) continue
    const { train, test } = split
    const row = (method: string, accuracy: number, seconds: number, guaranteed: string): void =>
      results.row([name, method, accuracy.toFixed(4), brief(seconds), guaranteed])
    const common = { ...train, hidden: [64] }
    for (const [method, program, maxSweeps] of [
      ['fenchel 64', fenchelNetwork(common), 100],
      ['lpom 64', lpomNetwork(common), 100],
      ['tikhonov 128, refitted', tikhonovNetwork({ ...common, hidden: [128] }), 20],
    ] as const) {
      if (!wanted(method)) continue
      const watch = stopwatch()
      const { state, certificate } = trainSync(program, { maxSweeps })
      const at = method.startsWith('tikhonov') ? program.refit(state) : state
      const rest = `blocks at rest to ${certificate.stationarity.toExponential(0)}`
      row(method, accuracyOf(program.recover(at).predict(test.X), test.y), watch().cpu, rest)
    }
    if (wanted('adam')) {
      const watch = stopwatch()
      const run = adam(train.X, train.y, { hidden: [64], batch: 32, epochs: 200, rate: 1e-2, seed: 1 })
      for (const _ of run.steps);
      row('Adam 64', accuracyOf(run.network().predict(test.X), test.y), watch().cpu, 'nothing')
    }
    if (wanted('certified')) {
      const watch = stopwatch()
      const labelsOf = ({ y }: Rows): number[] => Array.from({ length: y.rows }, (_, r) => best(y, r))
      const classifier = new ReluClassifier({ gates: 100, tolerance: 1e-4, standardize: false })
      classifier.train(train.X, labelsOf(train))
      const gap = classifier.certificate.relativeGap.toExponential(0)
      row(
        'two layers, certified',
        classifier.score(test.X, labelsOf(test)),
        watch().cpu,
        `within ${gap} of the optimum`,
      )
    }
  }
}

/** The acceptance figures of digits of 8 x 8 pixels: 1348 rows to train on, 449 to test. */
async function digits(): Promise<void> {
  const all = await uciTable('classification/optical')
  if (!all) return console.log(`No uci/classification/optical.csv at ${dataFolder}.`)
  const pixels = pixelsOf(all.X)
  const X = matrix(1797, pixels.columns, pixels.data.slice(0, 1797 * pixels.columns))
  const y = matrix(1797, all.y.columns, all.y.data.map((value) => (value + 1) / 2).slice(0, 1797 * all.y.columns))
  const pick = (test: boolean): Rows => {
    const rows = Array.from({ length: X.rows }, (_, i) => i).filter((i) => (i % 4 === 3) === test)
    return { X: selectRows(X, rows), y: selectRows(y, rows) }
  }
  const [train, test] = [pick(false), pick(true)]
  const results = table(['method', 'train', 'test', 'refitted', 'seconds', 'rises', 'residual 10 -> end'], [24])
  const cases: [string, LiftedNetwork, number][] = [
    ['fenchel 64', fenchelNetwork({ ...train, hidden: [64] }), 200],
    ['fenchel 64, batches', fenchelNetwork({ ...train, hidden: [64], batch: 100 }), 20],
    ['fenchel 64, squared', fenchelNetwork({ ...train, hidden: [64], loss: 'squared' }), 200],
    ['lpom 64', lpomNetwork({ ...train, hidden: [64] }), 200],
    ['lpom 64, batches', lpomNetwork({ ...train, hidden: [64], batch: 100 }), 20],
    ['linear', fenchelNetwork({ ...train, hidden: [], loss: 'squared' }), 1],
    ['tikhonov 64, theta 1', tikhonovNetwork({ ...train, hidden: [64], relaxation: 1 }), 40],
    ['tikhonov 256', tikhonovNetwork({ ...train, hidden: [256] }), 20],
  ]
  for (const [name, program, maxSweeps] of cases.filter(([name]) => wanted(name))) {
    const watch = stopwatch()
    const { model, state, history, measure } = trainSync(program, { maxSweeps, tolerance: 0 })
    const seconds = watch().cpu
    const rises = history.filter((at, t) => t > 0 && at.objective > history[t - 1]!.objective * (1 + 1e-12)).length
    const early = history.find(({ sweep }) => sweep === 10)?.measure?.nodeResidual
    results.row([
      ...[
        name,
        accuracyOf(model.predict(train.X), train.y).toFixed(4),
        accuracyOf(model.predict(test.X), test.y).toFixed(4),
      ],
      ...[accuracyOf(program.recover(program.refit(state)).predict(test.X), test.y).toFixed(4), brief(seconds), rises],
      `${early?.toExponential(1) ?? '-'} -> ${measure.nodeResidual.toExponential(1)}`,
    ])
  }
  if (!wanted('adam')) return
  const watch = stopwatch()
  const run = adam(train.X, train.y, { hidden: [64], batch: 100, epochs: 100, rate: 1e-2, seed: 1 })
  for (const _ of run.steps);
  const network = run.network()
  const [own, held] = [train, test].map(({ X, y }) => accuracyOf(network.predict(X), y).toFixed(4))
  results.row(['Adam 64', own!, held!, '-', brief(watch().cpu), '-', '-'])
}

/** Pixels of 0 to 16 sixteenths, read back from standardised columns: each is its pixel's distance from the darkest in steps. */
function pixelsOf({ rows, columns, data }: Matrix): Matrix {
  const pixels = matrix(rows, columns)
  for (let j = 0; j < columns; j++) {
    const column = Float64Array.from({ length: rows }, (_, i) => data[i * columns + j]!)
    const levels = Float64Array.from(new Set(column)).sort()
    let step = Number.POSITIVE_INFINITY
    for (let k = 1; k < levels.length; k++) step = Math.min(step, levels[k]! - levels[k - 1]!)
    for (let i = 0; i < rows; i++) pixels.data[i * columns + j] = Math.round((column[i]! - levels[0]!) / step) / 16
  }
  return pixels
}

/** MNIST in batches of 100: a Fenchel network, LPOM, and Adam on the same layers for as many epochs. */
async function mnist(): Promise<void> {
  const folder = join(dataFolder, 'mnist')
  if (!existsSync(folder)) return console.log(`No data at ${folder}; set CVXNN_DATA to a folder that holds mnist/.`)
  const part = async (name: string, most: number): Promise<Rows> => {
    const images = await readIdx(join(folder, `${name}-images-idx3-ubyte.gz`))
    const labels = await readIdx(join(folder, `${name}-labels-idx1-ubyte.gz`))
    const rows = Math.min(most, images.rows)
    const X = matrix(rows, images.columns, images.data.slice(0, rows * images.columns))
    for (let e = 0; e < X.data.length; e++) X.data[e]! /= 255
    const y = matrix(rows, 10)
    for (let r = 0; r < rows; r++) y.data[10 * r + labels.data[r]!] = 1
    return { X, y }
  }
  const train = await part('train', Number(values.rows))
  const test = await part('t10k', 10_000)
  const epochs = Number(values.epochs)
  const hidden = values.hidden.split(',').map(Number)
  const sizes = [784, ...hidden, 10].join('-')
  console.log(`${train.X.rows} images to train on, ${test.X.rows} to test, ${sizes}, batches of 100`)
  const results = table(['method', 'epoch', 'test', 'seconds', 'held for a batch'], [16])
  const common = { ...train, hidden, batch: 100 }
  const methods: [string, () => LiftedNetwork][] = [
    ['fenchel', () => fenchelNetwork(common)],
    ['lpom', () => lpomNetwork(common)],
  ]
  for (const [name, make] of methods.filter(([name]) => wanted(name))) {
    const before = arrayBytes()
    const program = make()
    const state = program.initial(1)
    let held = 0
    const watch = stopwatch()
    let spent = 0
    for (let epoch = 1; epoch <= epochs; epoch++) {
      let batches = 0
      for (const _ of program.sweep(state, epoch)) if (epoch === 1 && ++batches === 3) held = arrayBytes() - before
      const seconds = watch().cpu - spent
      const right = accuracyOf(program.recover(state).predict(test.X), test.y)
      results.row([name, epoch, right.toFixed(4), brief(seconds), epoch === 1 ? megabytes(held) : ''])
      spent = watch().cpu - seconds
    }
  }
  if (!wanted('adam')) return
  const before = arrayBytes()
  const run = adam(train.X, train.y, { hidden, batch: 100, epochs, rate: 1e-3, seed: 1 })
  const watch = stopwatch()
  let held = 0
  let batches = 0
  for (const epoch of run.steps) {
    batches++
    if (batches === 3) held = arrayBytes() - before
    if (batches % Math.floor(train.X.rows / 100) === 0)
      results.row([
        ...['Adam', epoch, accuracyOf(run.network().predict(test.X), test.y).toFixed(4), brief(watch().cpu)],
        epoch === 1 ? megabytes(held) : '',
      ])
  }
}

/** Whether `--only` leaves this one in. */
function wanted(name: string): boolean {
  return values.only.split(',').some((part) => name.includes(part))
}

async function uciSplit(name: string): Promise<Split | undefined> {
  const all = await uciTable(`classification/${name}`)
  if (!all) {
    console.log(`No uci/classification/${name}.csv at ${dataFolder}.`)
    return undefined
  }
  const { X, y } = all
  // One column of -1 and 1 for two classes becomes two.
  const classes = matrix(y.rows, Math.max(2, y.columns))
  for (let r = 0; r < y.rows; r++)
    if (y.columns === 1) classes.data[2 * r + (y.data[r]! > 0 ? 1 : 0)] = 1
    else for (let k = 0; k < y.columns; k++) classes.data[r * y.columns + k] = y.data[r * y.columns + k]! > 0 ? 1 : 0
  const rows = Array.from({ length: X.rows }, (_, i) => i)
  const [kept, held] = [rows.filter((i) => !isTestRow(i)), rows.filter(isTestRow)]
  const scaling = standardize(selectRows(X, kept))
  return {
    train: { X: scaling.X, y: selectRows(classes, kept) },
    test: { X: applyStandardization(selectRows(X, held), scaling), y: selectRows(classes, held) },
  }
}

function accuracyOf(scores: Matrix, y: Matrix): number {
  let right = 0
  for (let r = 0; r < y.rows; r++) if (best(scores, r) === best(y, r)) right++
  return right / y.rows
}

/** The column of the largest entry of a row. */
function best({ columns, data }: Matrix, r: number): number {
  let at = 0
  for (let k = 1; k < columns; k++) if (data[r * columns + k]! > data[r * columns + at]!) at = k
  return at
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
