import { extname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { lambdaGrid, sweep } from '../../../solvers/index.ts'
import { requireSquares, requireVariation } from '../../estimators/cross-validate.ts'
import { gateOrders, type TrainSettings, trainSettings } from '../../estimators/options.ts'
import { preparation, trainingProgram } from '../../estimators/prepare.ts'
import { unstandardize } from '../../models/unstandardize.ts'
import { crossValidate } from '../../sweeps/cross-validate.ts'
import type { PathSummary } from '../../sweeps/summarize.ts'
import type { SweepGridOptions, SweepGridProgress } from '../../sweeps/sweep-plan.ts'
import { executorNamed } from '../executor.ts'
import { requireWritable, writeWhole } from '../files.ts'
import { taskOf } from '../fitted-table.ts'
import { type Metrics, metricsOf } from '../metrics.ts'
import {
  addOutputOptions,
  addTableOptions,
  addTrainOptions,
  executorOption,
  positive,
  type TableFlags,
  type TrainFlags,
  trainOptions,
  whole,
} from '../options.ts'
import { type PathPoint, pathPage } from '../path-page.ts'
import { type Rows, readSplitTable, remarkOn, requireLossFor } from '../table-data.ts'
import { orStandardInput, tableName, tablePath } from '../table-source.ts'
import { brief, interruptSignal, print, progressDisplay, remark, type Terminal, table } from '../terminal.ts'

type Flags = TableFlags &
  TrainFlags &
  Terminal & { count: number; ratio: number; out?: string; folds?: number; executor: string }

/** cvxnn path: a table in, one certified network per lambda out. */
export function addPath(program: Command): void {
  const command = program
    .command('path')
    .description('train along a path of lambdas, from the largest that matters down')
    .argument('<data.csv>', `table with a header row ${orStandardInput}`)
  addTableOptions(command)
    .option('--count <number>', 'lambdas on the path', whole, 20)
    .option('--ratio <number>', 'last lambda over the first', ratio, 1e-3)
    .option('--folds <count>', 'also cross-validate every lambda, with its standard error, in so many folds', folds)
    .addOption(executorOption())
  addOutputOptions(addTrainOptions(command))
    .option('-o, --out <file>', 'page with charts (.html), table (.csv) or points (.json)')
    .addHelpText(
      'after',
      `
Examples:
  $ cvxnn path houses.csv --target price --out path.html
  $ cvxnn path iris.csv --target species --count 40 --ratio 0.0001 --json
  $ cvxnn path houses.csv --target price --folds 5 --executor threads

Exit code: 0 when every point was solved to the tolerance, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (path: string, flags: Flags) => {
      process.exitCode = await followPath(path, flags)
    })
}

async function followPath(path: string, flags: Flags): Promise<number> {
  const write = flags.out === undefined ? undefined : writerFor(flags.out)
  if (flags.out !== undefined) await requireWritable(flags.out)
  if (flags.executor !== 'inline' && flags.folds === undefined)
    throw new Error('--executor divides the folds of a cross-validation, and --folds is not given; add --folds 5.')
  if (flags.penalty === 'ridge')
    throw new Error(
      '--penalty ridge has no largest lambda for a path to start from; choose another, or fit one --lambda.',
    )
  const { dataset, train, test } = await readSplitTable(path, flags)
  const { classes } = dataset
  remarkOn(dataset, flags)
  requireLossFor(dataset, flags.loss)
  const settings = trainSettings(
    trainOptions({ ...flags, lambda: 0, folds: flags.folds ?? 5 }),
    'cvxnn path',
    dataset.task,
  )
  requireVariation(train.X, train.y, settings)
  requireSquares(train.y, settings)
  const prepared = preparation(train.X, train.y, settings, dataset.task)
  const program = trainingProgram(train.X, train.y, prepared, settings, { gateOrder: gateOrders(settings)[0]! })
  const display = progressDisplay(flags)
  const points: PathPoint[] = []
  const lambdas = lambdaGrid(program, { count: flags.count, ratio: flags.ratio })
  const signal = interruptSignal(display)
  const options = {
    ...{ lambdas, tolerance: flags.tolerance, maxIterations: flags.maxIterations, signal },
    ...(flags.timeLimit !== undefined && { timeLimit: flags.timeLimit }),
  }
  let held: PathSummary | undefined
  try {
    if (flags.folds !== undefined) {
      const onProgress = ({ share, lambda }: SweepGridProgress): void =>
        display.update(share, `cross-validation: at lambda ${brief(lambda)}`)
      held = await heldOut(train, flags, settings, lambdas, { signal, onProgress })
    }
    for await (const at of sweep(program, options)) {
      const network = unstandardize(at.model, prepared.inputs, prepared.targets)
      points.push({
        lambda: at.program.lambda,
        status: at.status,
        objective: at.certificate.primal,
        bound: at.certificate.dual,
        relativeGap: at.certificate.relativeGap,
        neurons: network.width,
        seconds: at.seconds,
        train: metricsOf(network, train, classes),
        ...(test && { test: metricsOf(network, test, classes) }),
        ...heldOutAt(held, points.length),
      })
      display.update(points.length / flags.count, `lambda ${brief(at.program.lambda)}: ${network.width} neurons`)
    }
  } finally {
    display.stop()
  }
  const chosen = held && { lambdaMin: held.lambdaMin, lambda1se: held.lambda1se }
  if (flags.json) print(JSON.stringify({ data: tablePath(path), ...taskOf(dataset), points, ...chosen }))
  else {
    for (const line of table(...columns(points))) print(line)
    if (chosen)
      print(
        `The smallest held-out loss is at lambda ${brief(chosen.lambdaMin)}; the largest lambda within a standard error of it is ${brief(chosen.lambda1se)}.`,
      )
  }
  if (flags.out && write) {
    await writeWhole(flags.out, write(tableName(path), points))
    if (!flags.json) remark(`Written: ${flags.out}`)
  }
  const solved = points.length === flags.count && points.every((point) => point.status === 'solved')
  return solved ? 0 : 1
}

/** What folds of the training rows say of the path's lambdas; undefined where the signal ended it. */
async function heldOut(
  { X, y, labels }: Rows,
  flags: Flags,
  settings: TrainSettings,
  lambdas: readonly number[],
  watch: Pick<SweepGridOptions, 'signal' | 'onProgress'>,
): Promise<PathSummary | undefined> {
  const { program, loss, gates, penalty, bias, standardize, maxIterations, seed } = settings
  const setting = {
    program,
    loss,
    gates,
    gateOrder: gateOrders(settings)[0]!,
    penalty,
    bias,
    standardize,
    maxIterations,
  }
  const executor = executorNamed(flags.executor)
  try {
    const { complete, settings: found } = await crossValidate(
      { X, y, ...(labels && { labels }) },
      { settings: [{ ...setting, lambdas }], folds: flags.folds!, seeds: [seed], executor, ...watch },
    )
    return complete ? found[0] : undefined
  } finally {
    await executor.close()
  }
}

function heldOutAt(held: PathSummary | undefined, k: number): Pick<PathPoint, 'heldOut'> {
  if (!held) return {}
  const { mean, standardError } = held.points[k]!
  return { heldOut: { mean, standardError } }
}

/** Chosen before the work, so that a wrong ending costs nothing. */
function writerFor(out: string): (title: string, points: readonly PathPoint[]) => string {
  const ending = extname(out).toLowerCase()
  if (ending === '.html') return pathPage
  if (ending === '.json') return (data, points) => `${JSON.stringify({ data, points }, null, 1)}\n`
  if (ending === '.csv')
    return (_, points) => {
      const [header, rows] = columns(points, String)
      return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`
    }
  throw new Error(`--out is ${out}, expected a name that ends in .html, .csv or .json.`)
}

function columns(points: readonly PathPoint[], show: (value: number) => string = brief): [string[], string[][]] {
  const metric = points[0] && 'accuracy' in points[0].train ? 'accuracy' : 'RMSE'
  const figure = (metrics: Metrics): string => show('accuracy' in metrics ? metrics.accuracy : metrics.rmse)
  const tested = points.some((point) => point.test)
  const held = points.some((point) => point.heldOut)
  return [
    [
      'lambda',
      'objective',
      'relative gap',
      'neurons',
      `train ${metric}`,
      ...(tested ? [`test ${metric}`] : []),
      ...(held ? ['held-out loss', 'standard error'] : []),
      'status',
    ],
    points.map((point) => [
      show(point.lambda),
      show(point.objective),
      show(point.relativeGap),
      String(point.neurons),
      figure(point.train),
      ...(point.test ? [figure(point.test)] : []),
      ...(point.heldOut ? [show(point.heldOut.mean), show(point.heldOut.standardError)] : []),
      point.status,
    ]),
  ]
}

function folds(text: string): number {
  const value = whole(text)
  if (value < 2) throw new InvalidArgumentError('Expected a whole number of at least 2.')
  return value
}

function ratio(text: string): number {
  const value = positive(text)
  if (value > 1) throw new InvalidArgumentError('Expected a number above 0 and at most 1.')
  return value
}
