import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MissingPolicy } from '../data/read-csv-options.ts'
import type { TrainOptions } from '../estimators/options.ts'
import { type LossName, losses, type ProgramName, penalties, programs } from '../estimators/options.ts'

/** Options that say how to read a table. */
export interface TableFlags {
  target: string
  task?: 'regression' | 'classification'
  missing: MissingPolicy
  ignore?: string[]
  categorical?: string[]
  delimiter?: string
  test: number
  seed: number
}

/** Options that say how to train. */
export interface TrainFlags {
  program: ProgramName
  loss: LossName
  lambda: number | 'cv'
  gates: number
  penalty: NonNullable<TrainOptions['penalty']>
  bias: boolean
  standardize: boolean
  seed: number
  tolerance: number
  maxIterations: number
  timeLimit?: number
  folds: number
}

export function addTableOptions(command: Command): Command {
  return command
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
    .addOption(delimiterOption())
    .option('--test <share>', 'share of the rows held out to test on; 0 trains on all', share, 0.2)
}

export function addTrainOptions(command: Command): Command {
  return command
    .addOption(new Option('--program <name>', 'convex program').choices(programs).default('gated-relu'))
    .addOption(
      new Option('--loss <name>', 'what is fitted; huber for regression, the last three for classes')
        .choices(Object.keys(losses))
        .default('squared'),
    )
    .option('--gates <count>', 'activation patterns to sample', whole, 200)
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

/** How to read any table, those to predict and to verify on too. */
export function delimiterOption(): Option {
  return new Option(
    '--delimiter <character>',
    'between cells, \\t for a tab (default: found in the first lines)',
  ).argParser((text) => {
    const character = text === '\\t' ? '\t' : text
    if (character.length !== 1 || /["\r\n]/.test(character))
      throw new InvalidArgumentError('Expected one character other than a quote or a line break.')
    return character
  })
}

export function trainOptions(flags: TrainFlags): TrainOptions {
  const { program, loss, lambda, gates, penalty, bias, standardize, seed, tolerance, maxIterations, timeLimit, folds } =
    flags
  return {
    ...{ program, loss, lambda, gates, penalty, bias, standardize, seed, tolerance, maxIterations, folds },
    ...(timeLimit !== undefined && { timeLimit }),
  }
}

export function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return value
}

function wholeOrZero(text: string): number {
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

function list(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}
