/**
 * Which gates to sample, found out without the test rows: on the fixed split of baselines.json, cross-validation on the
 * training rows chooses lambda and how many features enter a gate (all, or one or two of them drawn at random), and the
 * test rows are looked at once, by the winner.
 *
 *     npm run bench:choices [-- NAME ...] [--program gated-relu|relu] [--loss logistic|squared] [--gates 300]
 *                           [--orders 0,1,2] [--draw normal|differences] [--lambdas 12] [--ratio 1e-4] [--seconds 600] [--solver NAME] [--json FILE]
 *
 * Five folds, stratified; 0 stands for all features; the loss is for classes, regression takes the squared one. Shown
 * are the held-out metric at each order's best lambda, and of the winner the test metric with the half width of its
 * 95 % interval over the test rows (Student's t), beside the linear baseline and the perceptron of 100 ReLUs trained by
 * Adam. Accuracy for classes; root mean squared error, where smaller is better, for regression.
 *
 * Reads the folder named by CVXNN_DATA and says so when it is not there.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { kFolds } from '../src/index.ts'
import { machine, median } from './machine.ts'
import { type Candidate, type Judged, part, type Rows, rowScores, select } from './select.ts'
import { ahead, type Measured, measured, standing } from './standing.ts'
import { brief, table } from './table.ts'
import { baselinesOf, dataFolder, isTestRow, type UciTable, uciSets, uciTable } from './uci-table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: 'string', default: 'gated-relu' },
    loss: { type: 'string', default: 'logistic' },
    gates: { type: 'string', default: '300' },
    orders: { type: 'string', default: '0,1,2' },
    draw: { type: 'string', default: 'normal' },
    lambdas: { type: 'string', default: '12' },
    ratio: { type: 'string', default: '1e-4' },
    seconds: { type: 'string', default: '600' },
    solver: { type: 'string', default: 'default' },
    json: { type: 'string' },
  },
})
const orders = values.orders.split(',').map(Number)

interface Outcome {
  readonly set: string
  /** The best of each order, in the order given. */
  readonly held: readonly number[]
  readonly chosen: Candidate
  readonly lambda: number
  readonly status: string
  readonly gap: number
  readonly neurons: number
  readonly ours: Measured
  readonly linear: number
  readonly mlp: number
  /** Against the perceptron. */
  readonly standing: string
  /** Relative to the perceptron; above zero is better. */
  readonly ahead: number
  readonly seconds: number
}

const { cpu, node } = machine()
console.log(
  `${cpu}, node ${node}; ${values.program}, ${values.loss} loss for classes, ${values.gates} gates, ${values.draw}`,
)
const named = orders.map((order) => `held out: ${order || 'all'}`)
const heads = ['set', ...named, 'order', 'lambda', 'neurons', 'gap', 'test', '±95 %', 'linear', 'MLP', 'against MLP']
const results = table([...heads, 'seconds'], [24, ...named.map(() => 8), 5, 7, 7, 6, 8, 8, 8, 8, 12])
const outcomes: Outcome[] = []
const chosen =
  positionals.length > 0 ? uciSets.filter((set) => positionals.some((name) => set.endsWith(`/${name}`))) : uciSets
for (const set of chosen) {
  const data = await uciTable(set)
  if (!data) {
    console.log(`No table ${set} at ${dataFolder}; set CVXNN_DATA to a folder that holds uci/.`)
    continue
  }
  const outcome = run(data)
  outcomes.push(outcome)
  show(outcome)
}
if (outcomes.length > 0) {
  const level = outcomes.filter(({ ahead }) => ahead >= 0).length
  const noise = outcomes.filter(({ standing }) => standing !== 'worse').length
  console.log(
    `At least level with the perceptron on ${level} of ${outcomes.length}, within noise of it or above on ${noise}; on the median set ${(100 * median(outcomes.map(({ ahead }) => ahead))).toFixed(2)} % ahead.`,
  )
}
if (values.json !== undefined) {
  const temporary = `${values.json}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify({ machine: machine(), options: values, outcomes }, null, 2)}\n`)
  renameSync(temporary, values.json)
}

function run(data: UciTable): Outcome {
  const { task, X, labels } = data
  const all = Int32Array.from({ length: X.rows }, (_, i) => i)
  const training = all.filter((i) => !isTestRow(i))
  const rows = part(data, training)
  const folds = kFolds(rows.X.rows, {
    count: 5,
    seed: 1,
    ...(labels && { stratify: Array.from(training, (i) => labels[i]!) }),
  })
  const found = select(rows, {
    candidates: orders.map((order) => candidate(order, task)),
    folds,
    ...{ lambdaCount: Number(values.lambdas), lambdaRatio: Number(values.ratio) },
    ...{ summary: 'mean', foldTolerance: 1e-3, tolerance: 1e-6, seconds: Number(values.seconds) },
    solver: values.solver,
  })
  const { solution, predict } = found.train()
  const test = part(data, all.filter(isTestRow))
  const ours = measured(rowScores(predict(test.X), test), task)
  const { linear, mlp } = baselinesOf(data)
  return {
    set: data.name,
    held: orders.map((order) => metricOf(best(found.judged, order), task)),
    ...{ chosen: found.best.candidate, lambda: found.best.lambda, status: solution.status },
    ...{ gap: solution.certificate.relativeGap, neurons: solution.model.width },
    ...{ ours, linear, mlp, standing: standing(ours, mlp, task), seconds: found.seconds },
    ahead: ahead(ours, mlp, task) / mlp,
  }
}

function show({ set, held, chosen, lambda, neurons, gap, ours, linear, mlp, standing, seconds }: Outcome): void {
  results.row([
    ...[set.split('/')[1]!, ...held.map((value) => value.toPrecision(4)), chosen.order || 'all'],
    ...[lambda.toExponential(1), neurons, gap.toExponential(0)],
    ...[ours.metric.toPrecision(4), ours.halfWidth.toPrecision(2), linear.toPrecision(4), mlp.toPrecision(4)],
    ...[standing, brief(seconds)],
  ])
}

/** Mean score on held-out rows at an order's best lambda. */
function best(judged: readonly Judged[], order: number): number {
  return Math.max(...judged.filter((at) => at.candidate.order === order).map(({ summary }) => summary))
}

/** Accuracy as it is; root of the mean squared error. */
function metricOf(summary: number, task: Rows['task']): number {
  return task === 'classification' ? summary : Math.sqrt(-summary)
}

function candidate(order: number, task: Rows['task']): Candidate {
  const { program, loss, gates, draw } = values
  if (program !== 'gated-relu' && program !== 'relu')
    throw new RangeError(`bench: program is ${program}, expected gated-relu or relu; pass --program gated-relu.`)
  if (draw !== 'normal' && draw !== 'differences')
    throw new RangeError(`bench: draw is ${draw}, expected normal or differences; pass --draw normal.`)
  if (loss !== 'squared' && loss !== 'logistic')
    throw new RangeError(`bench: loss is ${loss}, expected squared or logistic; pass --loss logistic.`)
  if (!Number.isInteger(order) || order < 0)
    throw new RangeError(
      `bench: an order is ${order}, expected whole numbers, 0 for all features; pass --orders 0,1,2.`,
    )
  return { program, loss: task === 'regression' ? 'squared' : loss, gates: Number(gates), order, draw, seed: 1 }
}
