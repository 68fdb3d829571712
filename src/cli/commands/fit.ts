import type { Command } from 'commander'
import type { GlobalCertificate } from '../../certificates/global-certificate.ts'
import { liftedMethods } from '../../estimators/lifted-options.ts'
import type { TrainOptions } from '../../estimators/options.ts'
import { programs } from '../../estimators/options.ts'
import type { TrainingProblem } from '../../estimators/prepare.ts'
import { ReluClassifier } from '../../estimators/relu-classifier.ts'
import { ReluRegressor } from '../../estimators/relu-regressor.ts'
import type { TrainProgress } from '../../estimators/train.ts'
import type { Certificate } from '../../types.ts'
import { executorNamed } from '../executor.ts'
import { requireWritable } from '../files.ts'
import { closingPairs, headingOf, rowsOf, scoresOf, taskOf, writeFitted } from '../fitted-table.ts'
import {
  addLiftedOptions,
  addOutputOptions,
  addTableOptions,
  addTrainOptions,
  executorOption,
  type LiftedFlags,
  lambdaOption,
  lambdaRuleOption,
  liftedFlags,
  type TableFlags,
  type TrainFlags,
  trainOptions,
  twoLayerFlags,
  whole,
} from '../options.ts'
import { type Rows, readSplitTable, remarkOn, requireLossFor } from '../table-data.ts'
import { orStandardInput, tablePath } from '../table-source.ts'
import { brief, interruptSignal, pairs, percent, print, progressDisplay, remark, type Terminal } from '../terminal.ts'
import { advice } from '../words.ts'
import { fitLifted } from './fit-lifted.ts'

type Flags = TableFlags & TrainFlags & Terminal & { out?: string; executor: string }

/** cvxnn fit: a table in, a certified network out. */
export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('train a network on a table and say how close to optimal it is')
    .argument('<data.csv>', `table with a header row ${orStandardInput}`)
  addTableOptions(command)
    .addOption(lambdaOption)
    .option('--folds <count>', 'folds of the cross-validation', whole, 5)
    .addOption(lambdaRuleOption())
    .addOption(executorOption())
  addOutputOptions(addLiftedOptions(addTrainOptions(command, [...programs, ...liftedMethods, 'ccnn'])))
    .option('-o, --out <model.json>', 'write the model here')
    .addHelpText(
      'after',
      `
Examples:
  $ cvxnn fit houses.csv --target price --out model.json
  $ cvxnn fit - --target price < houses.csv
  $ cvxnn fit iris.csv --target species --lambda 0.01 --gates 500
  $ cvxnn fit houses.csv --target price --program relu --global
  $ cvxnn fit codes.csv --target y --task classification --missing median --json
  $ cvxnn fit houses.csv --target price --executor threads
  $ cvxnn fit iris.csv --target species --program fenchel --layers 4,32,3
  $ cvxnn fit data_batch_1.bin --program ccnn

With --program ccnn the data are image files and the options those of cvxnn fit-images.

Exit code: 0 when solved to the tolerance, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (path: string, flags: Flags) => {
      const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
      const lifted = (liftedMethods as readonly string[]).includes(flags.program)
      const foreign = (lifted ? twoLayerFlags : liftedFlags).find(given)
      if (foreign !== undefined) {
        const { long } = command.options.find((option) => option.attributeName() === foreign)!
        throw new Error(`${long} does not belong to --program ${flags.program}; leave it out.`)
      }
      if (!lifted) {
        process.exitCode = await fitTable(path, flags)
        return
      }
      if (flags.out !== undefined) await requireWritable(flags.out)
      // The defaults of the convex programs are not those of lifted ones.
      const { tolerance, ...rest } = flags as unknown as LiftedFlags & Omit<Flags, keyof LiftedFlags>
      process.exitCode = await fitLifted(path, { ...rest, ...(given('tolerance') && { tolerance: tolerance! }) })
    })
}

async function fitTable(path: string, flags: Flags): Promise<number> {
  if (flags.penalty === 'ridge' && flags.lambda === 'cv')
    throw new Error(
      '--penalty ridge has no largest lambda for a cross-validation to start from; give --lambda <number>.',
    )
  if (flags.executor !== 'inline' && flags.lambda !== 'cv')
    throw new Error(
      '--executor divides the cross-validation of --lambda cv, and --lambda is given; leave one of them out.',
    )
  if (flags.out !== undefined) await requireWritable(flags.out)
  const split = await readSplitTable(path, flags)
  const { dataset, train } = split
  remarkOn(dataset, flags)
  requireLossFor(dataset, flags.loss)
  const begun = performance.now()
  const estimator = await trainOn(train, trainOptions(flags), flags, flags.executor)
  const seconds = (performance.now() - begun) / 1000
  const { certificate, status, selectedLambda, network, crossValidation } = estimator
  // Data with few rows or features have fewer patterns than asked for.
  const { count } = problemOf(estimator, train).gates
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
          status,
          lambda: selectedLambda,
        },
        ...{ certificate, neurons: network.width, gates: count, scores, seconds },
        ...(crossValidation && { crossValidation }),
        ...(flags.out && { model: flags.out }),
      }),
    )
  } else {
    const chosen = crossValidation?.points.find((point) => point.lambda === selectedLambda)
    const held = chosen && ` (cross-validated: held-out loss ${brief(chosen.mean)} ± ${brief(chosen.standardError)})`
    print(headingOf(path, split))
    for (const line of pairs([
      ['status', `${status} in ${seconds.toFixed(1)} s`],
      ['lambda', `${brief(selectedLambda)}${held ?? ''}`],
      ['objective', `${certificate.primal.toPrecision(8)}, and no lower than ${certificate.dual.toPrecision(8)}`],
      selectedLambda > 0
        ? [
            'gap',
            `${certificate.relativeGap.toExponential(1)} of the objective, over ${certificate.scope === 'network' ? `all networks (${verdictOf(certificate)})` : `the ${count} patterns sampled`}`,
          ]
        : [
            'residual',
            `${brief(certificate.stationarity)} of the gradient at zero: with lambda 0 there is no lower bound`,
          ],
      ['neurons', `${network.width}`],
      ...closingPairs(scores, flags.out),
    ]))
      print(line)
    const { statement } = certificate as Partial<GlobalCertificate>
    if (status !== 'solved')
      remark(status === 'iteration-limit' && statement ? capital(statement) : advice(estimator, flags.lambda === 'cv'))
  }
  return status === 'solved' ? 0 : 1
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

/** What a certificate over all networks is worth, in a word. */
function verdictOf(certificate: Certificate): string {
  return (certificate as Partial<GlobalCertificate>).verdict ?? 'all patterns are present'
}

/** The problem that an estimator solved on these rows. */
export function problemOf(estimator: ReluRegressor | ReluClassifier, { X, y, labels }: Rows): TrainingProblem {
  return estimator instanceof ReluClassifier ? estimator.problem(X, labels!) : estimator.problem(X, y)
}

/** Trains with progress; Ctrl-C keeps the best network so far. */
export async function trainOn(
  { X, y, labels }: Rows,
  options: TrainOptions,
  terminal: Terminal,
  where = 'inline',
): Promise<ReluRegressor | ReluClassifier> {
  // Without a cross-validation there is nothing to divide; one that runs here goes down the grid with all folds at once.
  const executor = where === 'inline' || options.lambda !== 'cv' ? undefined : executorNamed(where)
  const display = progressDisplay(terminal)
  const tolerance = options.tolerance ?? 1e-6
  const watch = {
    signal: interruptSignal(display),
    onProgress: (at: TrainProgress) => display.update(...progressOf(at, tolerance)),
    ...(executor && { executor }),
  }
  try {
    return labels
      ? await new ReluClassifier(options).trainAsync(X, labels, watch)
      : await new ReluRegressor(options).trainAsync(X, y, watch)
  } finally {
    display.stop()
    await executor?.close()
  }
}

/** Share done and a text; a solve's share is how many of the digits asked for the gap has reached. */
function progressOf(at: TrainProgress, tolerance: number): [number, string] {
  if (at.phase === 'cross-validation') return [at.share, `choosing lambda: at ${brief(at.lambda)}`]
  const gap = Math.max(at.certificate.relativeGap, tolerance)
  return [
    Math.min(1, Math.max(0, Math.log(gap) / Math.log(tolerance))),
    `training: iteration ${at.iteration}, objective ${at.certificate.primal.toPrecision(6)}, gap ${percent(gap).trim() === '0 %' ? gap.toExponential(1) : percent(gap).trim()}`,
  ]
}
