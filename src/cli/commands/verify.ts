import { basename } from 'node:path'
import type { Command } from 'commander'
import { type GlobalVerification, verifyGlobal } from '../../../solvers/index.ts'
import { isSolved } from '../../certificates/certify.ts'
import { preciseCertificate } from '../../certificates/precise.ts'
import { verify } from '../../certificates/verify.ts'
import { ReluClassifier } from '../../estimators/relu-classifier.ts'
import { ReluRegressor } from '../../estimators/relu-regressor.ts'
import type { TwoLayerNetwork } from '../../models/two-layer-network.ts'
import type { ConvexProgram } from '../../types.ts'
import { readModelFile } from '../files.ts'
import { fittedRows } from '../fitted-rows.ts'
import { addOutputOptions, delimiterOption, positive, whole } from '../options.ts'
import { brief, interruptSignal, pairs, print, progressDisplay, type Terminal } from '../terminal.ts'
import { problemOf } from './fit.ts'

type Flags = Terminal & { precision?: number; delimiter?: string; global?: boolean; timeLimit?: number }

/** cvxnn verify: a model and the table it was fitted on in, its certificate recomputed out. */
export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('recompute from the data how close to optimal a fitted model is')
    .argument('<model.json>', 'model file that fit wrote')
    .argument('<data.csv>', 'the table it was fitted on')
    .option('--precision <digits>', 'check once more in decimal arithmetic of so many digits (needs mathjs)', whole)
    .option('--global', 'compare with the best network of any width and any patterns (ReLU models of one output)')
    .option('--time-limit <seconds>', 'with --global: stop the search after so long', positive)
    .addOption(delimiterOption())
  addOutputOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ cvxnn verify model.json houses.csv
  $ cvxnn verify model.json houses.csv --precision 64
  $ cvxnn verify relu-model.json houses.csv --global

Exit code: 0 when the gap is within the tolerance it was fitted to, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (model: string, data: string, flags: Flags) => {
      process.exitCode = await check(model, data, flags)
    })
}

async function check(modelPath: string, dataPath: string, flags: Flags): Promise<number> {
  const file = await readModelFile(modelPath)
  const { estimator } = file
  if (!(estimator instanceof ReluClassifier || estimator instanceof ReluRegressor))
    throw new Error(
      `${modelPath} is a lifted ${estimator.toJSON().settings.method} network, which no lower bound belongs to; verify a model of --program relu or gated-relu.`,
    )
  const { train } = await fittedRows(dataPath, file, flags.delimiter)
  const problem = problemOf(estimator, train)
  const program =
    estimator instanceof ReluClassifier
      ? estimator.program(train.X, train.labels!)
      : estimator.program(train.X, train.y)
  const seen = verify(program, estimator.preparedNetwork)
  const { settings } = estimator.toJSON()
  if (flags.precision !== undefined && settings.program !== 'gated-relu')
    throw new Error(
      `${modelPath} is a ${settings.program} model and --precision checks gated-relu ones; leave --precision out.`,
    )
  const precise =
    flags.precision === undefined
      ? undefined
      : await precisely(
          program.embed(estimator.preparedNetwork).coefficients,
          {
            X: problem.X,
            Y: problem.y,
            ...{ gates: problem.gates, lambda: problem.lambda, penalty: settings.penalty, bias: settings.bias },
          },
          flags,
        )
  const global = flags.global ? await globally(modelPath, program, estimator.preparedNetwork, flags) : undefined
  // At lambda = 0 no bound is finite, neither in float64 nor in decimal: the optimality conditions decide.
  const bounded = problem.lambda > 0
  const within =
    isSolved(seen.program, problem.lambda, settings.tolerance) &&
    (!bounded || (precise?.relativeGap ?? 0) <= settings.tolerance)
  if (flags.json) {
    print(
      JSON.stringify({
        ...{ model: modelPath, within, verification: seen, ...(precise && { precise }) },
        ...(global && { global: globalJson(global) }),
      }),
    )
    return within ? 0 : 1
  }
  const { program: certificate } = seen
  print(`${basename(modelPath)} on the ${train.X.rows} rows it was fitted on, ${problem.gates.count} patterns:`)
  for (const line of pairs([
    ['convex objective', certificate.primal.toPrecision(12)],
    ...(seen.network === undefined
      ? []
      : [['network objective', `${seen.network.toPrecision(12)} (difference ${brief(seen.difference!)})`] as const]),
    ['lower bound', seen.lowerBound.toPrecision(12)],
    [
      'relative gap',
      `${certificate.relativeGap.toExponential(2)}${bounded ? '' : ' (with lambda 0 there is no lower bound)'}${within ? '' : `, above the tolerance ${settings.tolerance}`}`,
    ],
    ['stationarity', brief(certificate.stationarity)],
    ['scope', `${seen.scope}: ${seen.scope === 'network' ? 'every network' : 'networks with these patterns'}`],
  ]))
    print(line)
  if (global) {
    const { best, lowerBound, network, excess, leastExcess } = global
    print(`Over all networks of any width (${best.rounds} rounds, ${best.seconds.toFixed(1)} s):`)
    for (const line of pairs([
      ['best objective', `${best.certificate.primal.toPrecision(12)}, by ${best.model.width} neurons`],
      ['lower bound', lowerBound.toPrecision(12)],
      ['this network', `${network.toPrecision(12)}, ${between(leastExcess, excess)} above the best`],
      ['verdict', best.certificate.statement],
    ]))
      print(line)
  }
  if (precise) {
    print(`In decimal arithmetic of ${precise.precision} digits:`)
    for (const line of pairs([
      ['convex objective', precise.primal],
      ['lower bound', precise.dual],
      ['relative gap', precise.relativeGap.toExponential(6)],
      ['gate signs that differ', String(precise.signChanges)],
    ]))
      print(line)
  }
  return within ? 0 : 1
}

/** A share as a percentage of two digits, small ones in powers of ten. */
function share(value: number): string {
  return value >= 0.001 || value === 0
    ? `${Number((100 * value).toPrecision(2))} %`
    : `${(100 * value).toExponential(1)} %`
}

/** From one share to another, or the one where both read alike. */
function between(least: number, most: number): string {
  return share(least) === share(most) ? share(most) : `${share(least)} to ${share(most)}`
}

/** What of the comparison goes into a file: not the program, nor its points. */
function globalJson({ best, ...rest }: GlobalVerification<TwoLayerNetwork>): object {
  const { status, rounds, seconds, certificate, model } = best
  return { ...rest, best: { status, rounds, seconds, certificate, neurons: model.width } }
}

/** The network beside the best of any width; Ctrl-C ends the search with what is known by then. */
async function globally(
  modelPath: string,
  program: ConvexProgram<TwoLayerNetwork>,
  network: TwoLayerNetwork,
  flags: Flags,
): Promise<GlobalVerification<TwoLayerNetwork>> {
  if (!program.neurons)
    throw new Error(
      `${modelPath} is a ${program.name} model and --global compares ReLU networks; fit one with --program relu, or leave --global out.`,
    )
  const display = progressDisplay(flags)
  try {
    return await verifyGlobal(program, network, {
      signal: interruptSignal(display),
      ...(flags.timeLimit !== undefined && { timeLimit: flags.timeLimit }),
      onProgress: ({ round, objective, price, gates }) =>
        display.update(
          Math.min(0.99, 1 / Math.max(price, 1)),
          `round ${round}: objective ${objective.toPrecision(6)}, ${gates} patterns, highest price ${price.toPrecision(5)} lambda`,
        ),
    })
  } finally {
    display.stop()
  }
}

async function precisely(
  coefficients: Float64Array,
  problem: Parameters<typeof preciseCertificate>[0],
  flags: Flags,
): Promise<Awaited<ReturnType<typeof preciseCertificate>>> {
  const display = progressDisplay(flags)
  try {
    return await preciseCertificate(problem, coefficients, {
      precision: flags.precision!,
      signal: interruptSignal(display),
      patterns: 'float64',
      onProgress: ({ stage, fraction }) => display.update(fraction, `decimal arithmetic: ${stage}`),
    })
  } finally {
    display.stop()
  }
}
