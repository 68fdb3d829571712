import type { SweepProgress } from '../../../solvers/train.ts'
import { LiftedClassifier } from '../../estimators/lifted-classifier.ts'
import { type LiftedTrainOptions, paceOf } from '../../estimators/lifted-options.ts'
import { LiftedRegressor } from '../../estimators/lifted-regressor.ts'
import { closingPairs, headingOf, rowsOf, scoresOf, taskOf, writeFitted } from '../fitted-table.ts'
import { hiddenOf, type LiftedFlags, liftedOptions, type TableFlags } from '../options.ts'
import { type Rows, readSplitTable, remarkOn } from '../table-data.ts'
import { tablePath } from '../table-source.ts'
import { brief, interruptSignal, pairs, print, progressDisplay, remark, type Terminal } from '../terminal.ts'
import { liftedAdvice } from '../words.ts'

type Flags = TableFlags & LiftedFlags & Terminal & { out?: string }

/** `cvxnn fit` with a lifted deep network: no bound on the network, and the text says so. */
export async function fitLifted(path: string, flags: Flags): Promise<number> {
  const split = await readSplitTable(path, flags)
  const { dataset, train } = split
  remarkOn(dataset, flags)
  const hidden = hiddenOf(flags, dataset.X.columns, train.y.columns, tablePath(path))
  const begun = performance.now()
  const estimator = await trainOn(train, liftedOptions(flags, hidden), flags)
  const seconds = (performance.now() - begun) / 1000
  const { status, sweeps, measure, network, certificate } = estimator
  const scores = scoresOf(network, split)
  if (flags.out !== undefined) await writeFitted(flags.out, estimator, path, flags, split)
  const rows = rowsOf(split)
  if (flags.json) {
    print(
      JSON.stringify({
        ...{
          data: tablePath(path),
          ...taskOf(dataset),
          rows,
          features: dataset.X.columns,
          program: flags.program,
          hidden,
        },
        ...{ status, sweeps, measure, neurons: network.width, scores, seconds },
        ...(flags.out && { model: flags.out }),
      }),
    )
  } else {
    print(headingOf(path, split))
    for (const line of pairs([
      ['status', `${status} in ${seconds.toFixed(1)} s, ${sweeps} sweeps`],
      [
        'objective',
        `${certificate.primal.toPrecision(8)}; of the network itself ${measure.networkLoss.toPrecision(8)}`,
      ],
      ['residual', `${brief(certificate.stationarity)}, the largest of any block`],
      ['guarantee', 'none of the whole network: residuals are of each block, the others fixed'],
      ['neurons', `${network.width} in ${hidden.length} hidden ${hidden.length === 1 ? 'layer' : 'layers'}`],
      ...closingPairs(scores, flags.out),
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
  const { maxSweeps } = paceOf(options, X.rows)
  const watch = {
    signal: interruptSignal(display),
    onProgress: ({ sweep, objective }: SweepProgress) =>
      display.update(sweep / maxSweeps, `training: sweep ${sweep}, objective ${objective.toPrecision(6)}`),
  }
  try {
    return labels
      ? await new LiftedClassifier(options).trainAsync(X, labels, watch)
      : await new LiftedRegressor(options).trainAsync(X, y, watch)
  } finally {
    display.stop()
  }
}
