import { type Command, InvalidArgumentError, Option } from 'commander'
import type { NumberFormat } from '../data/number-format.ts'
import type { MissingPolicy } from '../data/read-csv-options.ts'
import type { TableOptions } from '../data/table.ts'
import type { LiftedMethod, LiftedTrainOptions } from '../estimators/lifted-options.ts'
import type { TrainOptions } from '../estimators/options.ts'
import {
  type LambdaRule,
  type LossName,
  lambdaRules,
  losses,
  type ProgramName,
  penalties,
  programs,
} from '../estimators/options.ts'
import { gateDraws } from '../gates/index.ts'
import type { ActivationName } from '../layers/activation.ts'
import { activations } from '../layers/activations.ts'

/** Options that say how any table is cut into cells. */
export interface CellFlags {
  delimiter?: string
  header?: string[]
  encoding?: string
}

/** Options that say how to read a table. */
export interface TableFlags extends CellFlags, NumberFormat {
  target: string
  task?: 'regression' | 'classification'
  missing: MissingPolicy
  ignore?: string[]
  categorical?: string[]
  maxCategories?: number
  test: number
  seed: number
}

/** Options that say how to train. */
export interface TrainFlags {
  program: ProgramName
  loss: LossName
  lambda: number | 'cv'
  gates: number
  global?: boolean
  gateOrder: number | 'cv'
  gateDraw: NonNullable<TrainOptions['gateDraw']>
  penalty: NonNullable<TrainOptions['penalty']>
  bias: boolean
  standardize: boolean
  seed: number
  tolerance: number
  maxIterations: number
  timeLimit?: number
  folds: number
  lambdaRule?: LambdaRule
}

export function addTableOptions(command: Command): Command {
  command
    .requiredOption('-t, --target <column>', 'column to predict')
    .addOption(
      new Option('--task <task>', 'default: classification when the target is text').choices([
        'regression',
        'classification',
      ]),
    )
    .addOption(
      new Option('--missing <policy>', 'cells without a value')
        .choices(['error', 'drop', 'mean', 'median'])
        .default('error'),
    )
    .option('--ignore <columns>', 'columns to leave out, separated by commas', list)
    .option('--categorical <columns>', 'columns of codes to read as categories, separated by commas', list)
    .option('--max-categories <count>', 'categories of one column at most (default: 64)', whole)
  return addNumberOptions(addCellOptions(command)).option(
    '--test <share>',
    'share of the rows held out to test on; 0 trains on all',
    share,
    0.2,
  )
}

/** Options that say how to train a lifted deep network; without a default, the method's own holds. */
export interface LiftedFlags {
  program: LiftedMethod
  layers?: number[]
  hidden?: number[]
  activation?: ActivationName
  coupling?: number
  ridge?: number
  batch?: number | 'all'
  sweeps?: number
  standardize: boolean
  seed: number
  tolerance?: number
  timeLimit?: number
}

/** Flags of `fit` that belong to one family of programs only. */
export const twoLayerFlags = [
  'loss',
  'lambda',
  'gates',
  'global',
  'gateOrder',
  'gateDraw',
  'penalty',
  'bias',
  'folds',
  'lambdaRule',
  'executor',
  'maxIterations',
] as const
export const liftedFlags = ['layers', 'hidden', 'activation', 'coupling', 'ridge', 'batch', 'sweeps'] as const

export function addLiftedOptions(command: Command): Command {
  return command
    .option('--layers <sizes>', 'lifted: columns, widths and outputs, as in 784,300,10', sizes)
    .option('--hidden <widths>', 'lifted: widths of the hidden layers alone (default: 64)', sizes)
    .addOption(new Option('--activation <name>', 'lifted: of the hidden layers').choices(Object.keys(activations)))
    .option('--coupling <number>', 'lifted: what a unit of divergence costs', positive)
    .option('--ridge <number>', 'lifted: weight of the squared weights', nonNegative)
    .option('--batch <rows|all>', 'lifted: rows of a batch (default: 100 of more than 2000 rows, else all)', (text) =>
      text === 'all' ? 'all' : whole(text),
    )
    .option('--sweeps <count>', 'lifted: sweeps over all blocks, or epochs of batches', whole)
}

export function addTrainOptions(command: Command, names: readonly string[] = programs): Command {
  return command
    .addOption(new Option('--program <name>', 'convex program').choices(names).default('gated-relu'))
    .addOption(
      new Option('--loss <name>', 'what is fitted; huber for regression, the last three for classes')
        .choices(Object.keys(losses))
        .default('squared'),
    )
    .option('--gates <count>', 'activation patterns to sample', whole, 300)
    .option('--global', 'with --program relu: train over all networks of any width')
    .addOption(
      new Option(
        '--gate-order <count|cv>',
        'features that enter a gate, drawn at random; 0 for all, or cv to choose with lambda among 0, 1 and 2',
      )
        .argParser((text) => (text === 'cv' ? 'cv' : wholeOrZero(text)))
        .default('cv'),
    )
    .addOption(
      new Option('--gate-draw <name>', 'gates of random numbers, or differences of two rows')
        .choices(gateDraws)
        .default('normal'),
    )
    .addOption(new Option('--penalty <name>', 'what is kept small').choices(Object.keys(penalties)).default('group-l1'))
    .option('--no-bias', 'neurons and gates without a bias')
    .option('--no-standardize', 'train on the columns as they are')
    .option('--seed <number>', 'of the split, the gates and the folds', wholeOrZero, 1)
    .option('--tolerance <gap>', 'relative duality gap that counts as solved', positive, 1e-6)
    .option('--max-iterations <count>', 'iterations at most', whole, 100_000)
    .option('--time-limit <seconds>', 'for the final solve', positive)
}

export function addOutputOptions(command: Command): Command {
  return command.option('--json', 'one JSON object on stdout instead of text').option('-q, --quiet', 'no progress')
}

export const lambdaOption: Option = new Option(
  '-l, --lambda <number|cv>',
  'weight of the penalty, or cv to choose it by cross-validation',
)
  .argParser((text) => (text === 'cv' ? 'cv' : nonNegative(text)))
  .default('cv')

/** Which lambda a cross-validation chooses. */
export function lambdaRuleOption(): Option {
  return new Option(
    '--lambda-rule <rule>',
    'of cross-validated lambdas the one with the smallest loss, or the largest within a standard error of it',
  )
    .choices(lambdaRules)
    .default('min')
}

/** Where the folds of a cross-validation run. */
export function executorOption(): Option {
  return new Option(
    '--executor <where>',
    'where the folds run: inline, threads, threads:<count>, or redis://host:port with cvxnn worker there',
  )
    .argParser(checkedExecutor)
    .default('inline')
}

function checkedExecutor(text: string): string {
  if (!/^(inline|threads(:[1-9]\d{0,3})?|rediss?:.*)$/.test(text))
    throw new InvalidArgumentError('Expected inline, threads, threads:<count>, or redis://host:port.')
  return text
}

/** How to cut any table into cells, those to predict and to verify on too. */
export function addCellOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--delimiter <character>',
        'between cells, \\t for a tab (default: found in the first lines)',
      ).argParser((text) => {
        const character = text === '\\t' ? '\t' : text
        if (character.length !== 1 || /["\r\n]/.test(character))
          throw new InvalidArgumentError('Expected one character other than a quote or a line break.')
        return character
      }),
    )
    .option('--header <names>', 'names of all columns, separated by commas, for a table without a header row', list)
    .option('--encoding <name>', 'of the text, as in windows-1252 (default: utf-8, or what the file begins with)')
}

/** How a table writes its numbers; a model file knows it. */
export function addNumberOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--decimal <character>', 'before the fraction of a number (default: a point)').choices(['.', ',']),
    )
    .addOption(
      new Option('--thousands <character>', 'between groups of three digits (default: nothing)').choices([
        ...[',', '.', ' ', "'"],
      ]),
    )
}

export function cellOptions({ delimiter, header, encoding }: CellFlags): Omit<TableOptions, 'signal'> {
  return { ...(delimiter && { delimiter }), ...(header && { header }), ...(encoding && { encoding }) }
}

export function numberOptions({ decimal, thousands }: NumberFormat): NumberFormat {
  return { ...(decimal && { decimal }), ...(thousands && { thousands }) }
}

export function trainOptions(flags: TrainFlags): TrainOptions {
  const { program, loss, lambda, gates, gateOrder, gateDraw, global = false, penalty, bias, standardize } = flags
  const { seed, tolerance, maxIterations, timeLimit, folds, lambdaRule } = flags
  return {
    ...{
      program,
      loss,
      lambda,
      gates,
      gateOrder,
      gateDraw,
      global,
      penalty,
      bias,
      standardize,
      seed,
      tolerance,
      maxIterations,
      folds,
    },
    ...(timeLimit !== undefined && { timeLimit }),
    ...(lambdaRule !== undefined && { lambdaRule }),
  }
}

/** The options of a lifted estimator; every width is known by now. */
export function liftedOptions(flags: LiftedFlags, hidden: readonly number[]): LiftedTrainOptions {
  const { program, activation, coupling, ridge, batch, sweeps, standardize, seed, tolerance, timeLimit } = flags
  return {
    ...{ method: program, hidden, standardize, seed },
    ...(activation !== undefined && { activation }),
    ...(coupling !== undefined && { coupling }),
    ...(ridge !== undefined && { ridge }),
    ...(batch !== undefined && { batch }),
    ...(sweeps !== undefined && { maxSweeps: sweeps }),
    ...(tolerance !== undefined && { tolerance }),
    ...(timeLimit !== undefined && { timeLimit }),
  }
}

/** The hidden widths that were asked for; --layers must begin and end as the table does. */
export function hiddenOf({ layers, hidden }: LiftedFlags, columns: number, outputs: number, path: string): number[] {
  if (layers && hidden) throw new Error('--layers and --hidden both name the hidden layers; give one of them.')
  if (!layers) return hidden ?? [64]
  if (layers.length < 2 || layers[0] !== columns || layers.at(-1) !== outputs)
    throw new Error(
      `--layers is ${layers.join(',')} and ${path} has ${columns} features and ${outputs} ${outputs === 1 ? 'output' : 'outputs'}; pass ${columns},<widths>,${outputs}, or --hidden <widths>.`,
    )
  return layers.slice(1, -1)
}

export function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return value
}

export function wholeOrZero(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number of at least 0.')
  return value
}

export function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

function nonNegative(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('Expected a number of at least 0, or cv.')
  return value
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('Expected a share from 0 to below 1.')
  return value
}

function sizes(text: string): number[] {
  return list(text).map(whole)
}

function list(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}
