/**
 * The protocol of Mishkin, Sahiner and Pilanci (ICML 2022, table 2) on UCI tables: accuracy over five folds, with
 * lambda and the sampling of the gates chosen by that same accuracy.
 *
 *     npm run bench:folds [-- NAME ...] [--program gated-relu|relu] [--loss squared|logistic] [--gates 500]
 *                         [--orders 0,2] [--lambdas 10] [--ratio 1e-4] [--seconds 300] [--solver NAME] [--json FILE]
 *
 * As there: a fifth of the rows is put aside; the others are split into five folds, shuffled; for every lambda and every
 * way to sample gates the accuracy is the median over the folds, and the best of these is the figure compared. With two
 * ways to sample and ten lambdas as many are tried as there, so that choosing by the figure that is shown favours both
 * alike. `test` is what nothing was chosen by: the accuracy on the fifth put aside, trained on the four.
 *
 * Otherwise than there: the draws; fewer gates (5000 and 2500 there); lambdas relative to lambda_max; gates of all
 * features or of `order` ones with an offset each, where theirs are of all features with or without a balanced one;
 * columns standardised on the training rows; and every solve is certified, to a relative gap of 1e-3 within folds and
 * 1e-6 in the end.
 *
 * Reads the folder named by CVXNN_DATA and says so when it is not there. A table that takes more than SECONDS of
 * processor time is shown with what was tried by then, and marked `cut`.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { kFolds, trainTestSplit } from '../src/index.ts'
import { machine, median } from './machine.ts'
import { type Candidate, part, type Selected, score, select } from './select.ts'
import { brief, table } from './table.ts'
import { dataFolder, uciTable } from './uci-table.ts'

/** Accuracies of the paper's convex programs: the median over five folds at the parameters it chose, as its code keeps them. */
const PAPER: Readonly<Record<string, readonly [gated: number, relu: number]>> = {
  'monks-1': [0.85, 1],
  parkinsons: [0.935, 0.935],
  'conn-bench-sonar-mines-rocks': [0.879, 0.848],
  'statlog-heart': [0.791, 0.795],
  'breast-cancer': [0.717, 0.739],
  ionosphere: [0.895, 0.911],
  'musk-1': [0.908, 0.921],
  'breast-cancer-wisc-diag': [0.967, 0.967],
  'hill-valley': [0.629, 0.722],
  'credit-approval': [0.873, 0.873],
  pima: [0.772, 0.772],
  'tic-tac-toe': [0.987, 0.994],
  mammographic: [0.831, 0.837],
  'statlog-german-credit': [0.744, 0.75],
  oocytes_merluccius_nucleus_4d: [0.822, 0.871],
  ozone: [0.97, 0.97],
  'chess-krvkp': [0.992, 0.996],
  spambase: [0.947, 0.948],
  'musk-2': [0.991, 0.994],
  twonorm: [0.978, 0.979],
  ringnorm: [0.974, 0.853],
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: 'string', default: 'gated-relu' },
    loss: { type: 'string', default: 'squared' },
    gates: { type: 'string', default: '500' },
    orders: { type: 'string', default: '0,2' },
    lambdas: { type: 'string', default: '10' },
    ratio: { type: 'string', default: '1e-4' },
    seconds: { type: 'string', default: '300' },
    solver: { type: 'string', default: 'default' },
    json: { type: 'string' },
  },
})

/** A table's row, as it is written to a file. */
interface Outcome {
  readonly set: string
  readonly rows: number
  readonly features: number
  readonly chosen: Candidate
  readonly lambda: number
  readonly folds: readonly number[]
  readonly accuracy: number
  readonly test: number
  readonly neurons: number
  readonly gap: number
  readonly seconds: number
  readonly cut: boolean
  readonly paper: readonly [number, number]
}

const { cpu, node } = machine()
console.log(`${cpu}, node ${node}; ${values.program}, ${values.loss} loss, ${values.gates} gates`)
const heads = ['set', 'n, d', 'folds', 'test', 'order', 'lambda', 'neurons', 'gap', 'C-GReLU', 'C-ReLU', 'verdict']
const results = table([...heads, 'seconds'], [29, 9, 5, 5, 5, 7, 7, 6, 7, 6, 16])
const outcomes: Outcome[] = []
for (const name of positionals.length > 0 ? positionals : Object.keys(PAPER)) {
  const outcome = await run(name)
  if (outcome) outcomes.push(outcome)
}
const count = (reached: (outcome: Outcome) => boolean): string =>
  `${outcomes.filter(reached).length} of ${outcomes.length}`
if (outcomes.length > 0)
  console.log(
    `At least the paper's C-GReLU on ${count(({ accuracy, paper }) => atLeast(accuracy, paper[0]))}, its C-ReLU on ${count(({ accuracy, paper }) => atLeast(accuracy, paper[1]))}, the better of both on ${count(({ accuracy, paper }) => atLeast(accuracy, Math.max(...paper)))}.`,
  )
if (values.json !== undefined) {
  const temporary = `${values.json}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify({ machine: machine(), options: values, outcomes }, null, 2)}\n`)
  renameSync(temporary, values.json)
}

async function run(name: string): Promise<Outcome | undefined> {
  const paper = PAPER[name]
  if (!paper) throw new RangeError(`bench: ${name} is not among the paper's tables: ${Object.keys(PAPER).join(', ')}.`)
  const data = await uciTable(`classification/${name}`)
  if (!data) {
    console.log(`No table ${name} at ${dataFolder}; set CVXNN_DATA to a folder that holds uci/.`)
    return undefined
  }
  const { train, test } = trainTestSplit({ X: data.X, y: data.y }, { testFraction: 0.2, seed: 1, stratify: false })
  const rows = part(data, train.rows)
  const found = select(rows, {
    candidates: values.orders.split(',').map((order) => candidate(Number(order))),
    folds: kFolds(rows.X.rows, { count: 5, seed: 1 }),
    ...{ lambdaCount: Number(values.lambdas), lambdaRatio: Number(values.ratio) },
    ...{ summary: 'median', foldTolerance: 1e-3, tolerance: 1e-6, seconds: Number(values.seconds) },
    solver: values.solver,
  })
  const { solution, predict } = found.train()
  const outcome: Outcome = {
    ...{ set: name, rows: data.X.rows, features: data.X.columns },
    ...{ chosen: found.best.candidate, lambda: found.best.lambda, folds: found.best.scores },
    accuracy: median(found.best.scores),
    test: score(predict(test.X), { task: 'classification', y: test.y }),
    ...{ neurons: solution.model.width, gap: solution.certificate.relativeGap },
    ...{ seconds: found.seconds, cut: found.cut, paper },
  }
  show(outcome, found)
  return outcome
}

function show(outcome: Outcome, { best }: Selected): void {
  const { set, rows, features, accuracy, test, lambda, neurons, gap, paper, seconds, cut } = outcome
  const verdict = atLeast(accuracy, Math.max(...paper))
    ? 'at least'
    : atLeast(accuracy, Math.min(...paper))
      ? 'between'
      : 'below'
  results.row([
    ...[set, `${rows}, ${features}`, accuracy.toFixed(3), test.toFixed(3), best.candidate.order || 'all'],
    ...[lambda.toExponential(1), neurons, gap.toExponential(0), ...paper.map((figure) => figure.toFixed(3))],
    ...[cut ? `${verdict}, cut` : verdict, brief(seconds)],
  ])
}

/** The paper's figures have three digits. */
function atLeast(accuracy: number, figure: number): boolean {
  return accuracy >= figure - 0.0005
}

function candidate(order: number): Candidate {
  const { program, loss, gates } = values
  if (program !== 'gated-relu' && program !== 'relu')
    throw new RangeError(`bench: program is ${program}, expected gated-relu or relu; pass --program gated-relu.`)
  if (loss !== 'squared' && loss !== 'logistic')
    throw new RangeError(`bench: loss is ${loss}, expected squared or logistic; pass --loss squared.`)
  if (!Number.isInteger(order) || order < 0)
    throw new RangeError(`bench: an order is ${order}, expected whole numbers, 0 for all features; pass --orders 0,2.`)
  return { program, loss, gates: Number(gates), order, draw: 'normal', seed: 1 }
}
