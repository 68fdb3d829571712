import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { solve } from '../../../solvers/index.ts'
import { verify } from '../../certificates/verify.ts'
import type { NumberFormat } from '../../data/number-format.ts'
import { readCsv, type TableDataset } from '../../data/read-csv.ts'
import { loadModel } from '../../estimators/load-model.ts'
import { type LossName, losses } from '../../estimators/options.ts'
import { gatesOf } from '../../gates/gates-of.ts'
import { sampleGates } from '../../gates/sample-gates.ts'
import { fromOnnx } from '../../interchange/index.ts'
import { type GatedReluNetwork, gatedReluNetwork } from '../../models/gated-relu-network.ts'
import { reluNetwork } from '../../models/relu-network.ts'
import type { TwoLayerNetwork } from '../../models/two-layer-network.ts'
import { matrix } from '../../numerics/matrix.ts'
import { gatedReluProgram } from '../../programs/gated-relu.ts'
import { reluProgram } from '../../programs/relu.ts'
import type { TwoLayerOptions } from '../../programs/two-layer.ts'
import type { ConvexProgram, Matrix } from '../../types.ts'
import { globalJson, globally, printGlobal } from '../global-verification.ts'
import { addNumberOptions, type CellFlags, cellOptions, numberOptions, positive, wholeOrZero } from '../options.ts'
import { tableName, tablePath, tableSource } from '../table-source.ts'
import { brief, interruptSignal, pairs, print, progressDisplay, type Terminal } from '../terminal.ts'

/** Options of a network trained elsewhere: nothing but its weights is known. */
export interface NetworkFlags extends Terminal, CellFlags, NumberFormat {
  target?: string
  lambda?: number
  loss: LossName
  task?: 'regression' | 'classification'
  sample: number
  tolerance: number
  global?: boolean
  timeLimit?: number
}

export function addNetworkOptions(command: Command): Command {
  return addNumberOptions(command)
    .option('-t, --target <columns>', 'a bare network (.onnx, or JSON of weights): the column it was fitted to')
    .addOption(
      new Option('-l, --lambda <number>', 'a bare network: the weight decay lambda/2 (|W1|^2 + |W2|^2)').argParser(
        positive,
      ),
    )
    .addOption(
      new Option('--loss <name>', 'a bare network: what was fitted').choices(Object.keys(losses)).default('squared'),
    )
    .addOption(new Option('--task <task>', 'a bare network: of the target').choices(['regression', 'classification']))
    .addOption(
      new Option('--sample <count>', 'a bare network: activation patterns to sample beside its own')
        .argParser(wholeOrZero)
        .default(0),
    )
    .addOption(
      new Option('--tolerance <gap>', 'a bare network: relative distance from the bound that is good enough')
        .argParser(positive)
        .default(1e-6),
    )
}

/**
 * How far a network trained anywhere is from the best one with its activation patterns: its own objective, the same after
 * its layers are balanced, and the certified optimum of the convex program. Gives the exit code.
 */
export async function verifyNetwork(modelPath: string, dataPath: string, flags: NetworkFlags): Promise<number> {
  if (flags.target === undefined || flags.lambda === undefined)
    throw new Error(
      `${modelPath} is a bare network, so its data and objective have to be named; give --target <column> and --lambda <number>.`,
    )
  const network = await bareNetwork(modelPath)
  const dataset = await readCsv(tableSource(dataPath), {
    target: flags.target.includes(',') ? flags.target.split(',').map((name) => name.trim()) : flags.target,
    ...(flags.task && { task: flags.task }),
    ...cellOptions(flags),
    ...numberOptions(flags),
  })
  requireSizes(modelPath, dataPath, network, dataset)
  const { program, model, shifted, count } = programOf(network, dataset, flags.lambda, flags)
  const seen = verify(program, model)
  const display = progressDisplay(flags)
  const best = await solve(program, {
    tolerance: flags.tolerance / 10,
    start: program.embed(model),
    signal: interruptSignal(display),
    onProgress: ({ certificate }) => display.update(0.5, `gap ${brief(certificate.relativeGap)}`),
  }).finally(() => display.stop())
  const lowerBound = Math.max(best.certificate.dual, seen.lowerBound)
  const own = seen.network ?? seen.program.primal
  const excess = (own - lowerBound) / Math.max(Math.abs(lowerBound), Number.MIN_VALUE)
  const global = flags.global ? await globally(modelPath, program, model, flags) : undefined
  const within = (global?.excess ?? excess) <= flags.tolerance
  if (flags.json) {
    print(
      JSON.stringify({
        ...{ model: modelPath, within, excess, lowerBound, patterns: count, verification: seen },
        best: { status: best.status, objective: best.certificate.primal, certificate: best.certificate },
        ...(global && { global: globalJson(global) }),
      }),
    )
    return within ? 0 : 1
  }
  print(`${basename(modelPath)} on the ${dataset.X.rows} rows of ${tableName(dataPath)}, ${count} patterns:`)
  for (const line of pairs([
    ['network', `${network.width} neurons, ${network.features} features, ${network.outputs} outputs`],
    ...(seen.network === undefined
      ? [['objective', 'not comparable: a neuron serves several outputs, and the program is one-vs-all'] as const]
      : [['objective', seen.network.toPrecision(12)] as const]),
    ['balanced', `${seen.program.primal.toPrecision(12)}, layers rescaled neuron by neuron, same predictions`],
    ['best found', `${best.certificate.primal.toPrecision(12)} (${best.status})`],
    ['lower bound', lowerBound.toPrecision(12)],
    ['excess', `${excess.toExponential(2)} of the bound${within ? '' : `, above the tolerance ${flags.tolerance}`}`],
    ['scope', `${best.certificate.scope}: networks with these patterns${shifted ? ', its output intercept kept' : ''}`],
  ]))
    print(line)
  if (global) printGlobal(global)
  return within ? 0 : 1
}

async function bareNetwork(path: string): Promise<TwoLayerNetwork> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new Error(`cannot read ${path} (${error.message}); pass an .onnx file or a model file.`, { cause: error })
  })
  try {
    if (bytes[0] !== '{'.charCodeAt(0)) return fromOnnx(bytes)
    const model = loadModel(bytes.toString('utf8'))
    if ('kind' in model && (model.kind === 'relu-network' || model.kind === 'gated-relu-network'))
      return model as TwoLayerNetwork
    throw new TypeError(
      `the model is a ${model.toJSON().kind}, expected the weights of a two-layer network; leave out --target for a file that cvxnn fit wrote.`,
    )
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

function requireSizes(modelPath: string, dataPath: string, network: TwoLayerNetwork, { X, y }: TableDataset): void {
  if (network.features !== X.columns || network.outputs !== y.columns)
    throw new Error(
      `${modelPath} reads ${network.features} features and gives ${network.outputs} outputs, and ${tablePath(dataPath)} has ${X.columns} and ${y.columns}; pass the table it was trained on, columns in that order.`,
    )
}

/**
 * The program that has the network as a point. Biases of neurons pay like weights; an output intercept is free where neurons
 * have none, and otherwise kept as it is, taken off the targets.
 */
function programOf(
  network: TwoLayerNetwork,
  { X, y }: TableDataset,
  lambda: number,
  { loss, sample }: Pick<NetworkFlags, 'loss' | 'sample'>,
): { program: ConvexProgram<TwoLayerNetwork>; model: TwoLayerNetwork; shifted: boolean; count: number } {
  const gated = network.kind === 'gated-relu-network'
  const vectors = gated ? { W1: network.gates, b1: network.gateBias } : network
  const bias = network.b1.some((entry) => entry !== 0)
  const free = network.intercept.some((entry) => entry !== 0)
  const shifted = bias && free
  if (shifted && loss !== 'squared' && loss !== 'huber')
    throw new Error(
      `the network has biases in both layers, which the ${loss} loss has no convex form for here; leave the bias out of one layer.`,
    )
  const offsets = bias || vectors.b1.some((entry) => entry !== 0)
  const gates = gatesOf(vectors, X, sample > 0 ? sampleGates(X, { count: sample, seed: 1, bias: offsets }) : undefined)
  const plain = { ...network, intercept: new Float64Array(network.outputs) }
  const model = shifted ? (gated ? gatedReluNetwork(plain as GatedReluNetwork) : reluNetwork(plain)) : network
  const options: TwoLayerOptions = {
    ...{ X, gates, lambda, loss: losses[loss]() },
    y: shifted ? minus(y, network.intercept) : y,
    bias: bias || (free && 'unpenalised'),
  }
  const program = (gated ? gatedReluProgram(options) : reluProgram(options)) as ConvexProgram<TwoLayerNetwork>
  return { program, model, shifted, count: gates.count }
}

function minus(y: Matrix, intercept: Float64Array): Matrix {
  return matrix(
    y.rows,
    y.columns,
    y.data.map((value, k) => value - intercept[k % y.columns]!),
  )
}
