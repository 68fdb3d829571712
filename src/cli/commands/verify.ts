import { basename } from 'node:path'
import type { Command } from 'commander'
import { isSolved } from '../../certificates/certify.ts'
import { preciseCertificate } from '../../certificates/precise.ts'
import { verify } from '../../certificates/verify.ts'
import { ReluClassifier } from '../../estimators/relu-classifier.ts'
import { ReluRegressor } from '../../estimators/relu-regressor.ts'
import { readModelFile } from '../files.ts'
import { fittedRows } from '../fitted-rows.ts'
import { globalJson, globally, printGlobal } from '../global-verification.ts'
import { addCellOptions, addOutputOptions, positive, whole } from '../options.ts'
import { orStandardInput } from '../table-source.ts'
import { brief, interruptSignal, pairs, print, progressDisplay } from '../terminal.ts'
import { problemOf } from './fit.ts'
import { addNetworkOptions, type NetworkFlags, verifyNetwork } from './verify-network.ts'

type Flags = NetworkFlags & { precision?: number }

/** cvxnn verify: a model and the table it was fitted on in, its certificate recomputed out. */
export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('recompute from the data how close to optimal a fitted model is')
    .argument('<model>', 'model file that fit wrote, or with --target a network of any origin (.onnx, .json)')
    .argument('<data.csv>', `the table it was fitted on ${orStandardInput}`)
    .option('--precision <digits>', 'check once more in decimal arithmetic of so many digits (needs mathjs)', whole)
    .option('--global', 'compare with the best network of any width and any patterns (ReLU models of one output)')
    .option('--time-limit <seconds>', 'with --global: stop the search after so long', positive)
  addOutputOptions(addNetworkOptions(addCellOptions(command)))
    .addHelpText(
      'after',
      `
Examples:
  $ cvxnn verify model.json houses.csv
  $ cvxnn verify model.json houses.csv --precision 64
  $ cvxnn verify relu-model.json houses.csv --global
  $ cvxnn verify torch.onnx houses.csv --target price --lambda 0.01

Exit code: 0 when the gap is within the tolerance it was fitted to, 1 when not, 2 when the input is wrong.`,
    )
    .action(async (model: string, data: string, flags: Flags) => {
      const bare = flags.target !== undefined || model.endsWith('.onnx')
      process.exitCode = await (bare ? verifyNetwork : check)(model, data, flags)
    })
}

async function check(modelPath: string, dataPath: string, flags: Flags): Promise<number> {
  const file = await readModelFile(modelPath)
  const { estimator } = file
  if (!(estimator instanceof ReluClassifier || estimator instanceof ReluRegressor))
    throw new Error(
      `${modelPath} is a lifted ${estimator.toJSON().settings.method} network, which no lower bound belongs to; verify a model of --program relu or gated-relu.`,
    )
  const { train } = await fittedRows(dataPath, file, flags)
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
  if (global) printGlobal(global)
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
