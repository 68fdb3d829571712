import { basename } from 'node:path'
import type { SweepProgress } from '../../../solvers/train.ts'
import { LiftedClassifier } from '../../estimators/lifted-classifier.ts'
import type { LiftedTrainOptions } from '../../estimators/lifted-options.ts'
import { LiftedRegressor } from '../../estimators/lifted-regressor.ts'
import { fingerprint, modelText, writeWhole } from '../files.ts'
import { metricsOf, metricsText } from '../metrics.ts'
import { hiddenOf, type LiftedFlags, liftedOptions, type TableFlags } from '../options.ts'
import { type Rows, readSplitTable } from '../table-data.ts'
import { brief, interruptSignal, pairs, print, progressDisplay, remark, type Terminal } from '../terminal.ts'
import { liftedAdvice } from '../words.ts'

type Flags = TableFlags & LiftedFlags & Terminal & { out?: string }

/** `cvxnn fit` with a lifted deep network: no bound on the network, and the text says so. */
export async function fitLifted(path: string, flags: Flags): Promise<number> {
  const { dataset, train, test } = await readSplitTable(path, flags)
  const classes = dataset.classes
  const hidden = hiddenOf(flags, dataset.X.columns, train.y.columns, path)
  const begun = performance.now()
  const estimator = await trainOn(train, liftedOptions(flags, hidden), flags)
  const seconds = (performance.now() - begun) / 1000
  const { status, sweeps, measure, network, certificate } = estimator
  const scores = { train: metricsOf(network, train, classes), ...(test && { test: metricsOf(network, test, classes) }) }
  if (flags.out !== undefined) {
    const data = {
      source: basename(path),
      rows: dataset.X.rows,
      testFraction: flags.test,
      splitSeed: flags.seed,
      missing: flags.missing,
      fingerprint: fingerprint(train.X, train.y),
    }
    await writeWhole(flags.out, modelText(estimator.toJSON(), { schema: dataset.schema, data }))
  }
  const rows = { train: train.X.rows, test: test?.X.rows ?? 0 }
  if (flags.json) {
    print(
      JSON.stringify({
        ...{ data: path, task: dataset.task, rows, features: dataset.X.columns, program: flags.program, hidden },
        ...{ status, sweeps, measure, neurons: network.width, scores, seconds },
        ...(flags.out && { model: flags.out }),
      }),
    )
  } else {
    print(
      `${basename(path)}: ${dataset.task}, ${rows.train} rows to train on, ${rows.test} to test on, ${dataset.X.columns} features`,
    )
    for (const line of pairs([
      ['status', `${status} in ${seconds.toFixed(1)} s, ${sweeps} sweeps`],
      [
        'objective',
        `${certificate.primal.toPrecision(8)}; of the network itself ${measure.networkLoss.toPrecision(8)}`,
      ],
      ['residual', `${brief(certificate.stationarity)}, the largest of any block`],
      ['guarantee', 'none of the whole network: residuals are of each block, the others fixed'],
      ['neurons', `${network.width} in ${hidden.length} hidden ${hidden.length === 1 ? 'layer' : 'layers'}`],
      ['train', metricsText(scores.train)],
      ...(scores.test ? [['test', metricsText(scores.test)] as const] : []),
      ...(flags.out ? [['model', flags.out] as const] : []),
    ]))
      print(line)
    if (status !== 'solved') remark(liftedAdvice(estimator))
  }
  return status === 'solved' ? 0 : 1
}

async function trainOn(
  { X, y, labels }: Rows,
  options: LiftedTrainOptions,
  terminal: Terminal,
): Promise<LiftedRegressor | LiftedClassifier> {
  const display = progressDisplay(terminal)
  const { maxSweeps } = options
  const watch = {
    signal: interruptSignal(display),
    onProgress: ({ sweep, objective }: SweepProgress) =>
      display.update(sweep / maxSweeps!, `training: sweep ${sweep}, objective ${objective.toPrecision(6)}`),
  }
  try {
    return labels
      ? await new LiftedClassifier(options).trainAsync(X, labels, watch)
      : await new LiftedRegressor(options).trainAsync(X, y, watch)
  } finally {
    display.stop()
  }
}
