import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { defaultMarkers, listed, shown } from './cells.ts'
import { Column, type ColumnRules } from './column.ts'
import type { Task } from './dataset.ts'
import { checkNumberFormat, type NumberFormat, numberParser } from './number-format.ts'
import { indexOf, type Place, type TableOptions, tableOptionNames } from './table.ts'

/** What to do about a cell without a value. */
export type MissingPolicy = 'error' | 'drop' | 'mean' | 'median'

export interface ReadCsvOptions extends TableOptions, NumberFormat {
  /** The column to predict; several for a regression with several outputs. */
  target: string | readonly string[]
  /** Default: classification when a cell of the target is no number, regression otherwise. */
  task?: Task
  /**
   * Cells without a value: refuse them (the default), drop their rows, or fill them with the column's mean or median,
   * a categorical column with its most frequent category. A missing target is never filled.
   */
  missing?: MissingPolicy
  /** Cells that stand for "no value" (default: empty, ?, NA, N/A, NaN, null in their usual spellings). */
  markers?: readonly string[]
  /** The feature columns, in this order (default: every column but the target, as in the file). */
  columns?: readonly string[]
  /** Columns that are no features. */
  ignore?: readonly string[]
  /** Columns of numbers to read as categories, such as codes. */
  categorical?: readonly string[]
  /** Most categories of one column (default 64). */
  maxCategories?: number
}

const optionNames: OptionKinds<ReadCsvOptions> = {
  ...tableOptionNames,
  target: true,
  task: true,
  missing: true,
  markers: true,
  columns: true,
  ignore: true,
  categorical: true,
  maxCategories: 'number',
  decimal: true,
  thousands: true,
}

/** A label column with more classes than this is probably the wrong column. */
const maxClasses = 1000

/** Checked options with their defaults. */
export interface Settings extends ReadCsvOptions {
  targets: readonly string[]
  missing: MissingPolicy
  markers: readonly string[]
  maxCategories: number
}

/** @throws TypeError or RangeError for the first option that is none. */
export function checkOptions(options: ReadCsvOptions): Settings {
  requireOptions(options ?? {}, optionNames, 'readCsv')
  const { target, task, missing = 'error', markers = defaultMarkers, maxCategories = 64 } = options ?? {}
  const targets = typeof target === 'string' ? [target] : (target ?? [])
  if (!Array.isArray(targets) || targets.length === 0 || targets.some((name) => typeof name !== 'string'))
    throw new TypeError(
      `readCsv: target is ${JSON.stringify(target)}, expected the name of a column; pass for example { target: 'price' }.`,
    )
  if (new Set(targets).size < targets.length)
    throw new RangeError(`readCsv: target names a column twice (${listed(targets)}); name each column once.`)
  if (task !== undefined && task !== 'regression' && task !== 'classification')
    throw new RangeError(
      `readCsv: task is ${JSON.stringify(task)}, expected 'regression' or 'classification'; pass one of these, or leave it out.`,
    )
  if (task === 'classification' && targets.length > 1)
    throw new RangeError(
      `readCsv: a classification has one target and ${targets.length} are given (${listed(targets)}); pass one, or task: 'regression'.`,
    )
  if (!['error', 'drop', 'mean', 'median'].includes(missing))
    throw new RangeError(
      `readCsv: missing is ${JSON.stringify(missing)}, expected 'error', 'drop', 'mean' or 'median'; pass one of these.`,
    )
  if (!Number.isInteger(maxCategories) || maxCategories < 1)
    throw new RangeError(
      `readCsv: maxCategories is ${maxCategories}, expected a whole number from 1; pass for example 64.`,
    )
  checkNumberFormat(options, 'readCsv')
  return { ...options, targets, missing, markers, maxCategories }
}

/** Which cells of a row are kept, features first, and the columns they go to. */
export interface Roles {
  readonly columns: readonly Column[]
  readonly indices: readonly number[]
  readonly featureCount: number
}

/** @throws RangeError when a name is no column, or a column has two roles. */
export function assignRoles(header: readonly string[], settings: Settings, place: Place): Roles {
  const { targets, task, columns, ignore = [], categorical = [], maxCategories } = settings
  for (const name of [...targets, ...(columns ?? []), ...ignore, ...categorical]) indexOf(header, name, place)
  const left = new Set([...targets, ...ignore])
  const both = columns?.find((name) => left.has(name))
  if (both !== undefined)
    throw new RangeError(
      `readCsv: column ${shown(both)} is among columns and also ${targets.includes(both) ? 'the target' : 'ignored'}; name it once.`,
    )
  if (columns && new Set(columns).size < columns.length)
    throw new RangeError(`readCsv: columns names a column twice (${listed(columns)}); name each column once.`)
  const features = columns ?? header.filter((name) => !left.has(name))
  if (features.length === 0)
    throw new RangeError(`readCsv: ${place.name} has no column left to be a feature; ignore fewer columns.`)
  const codes = new Set(categorical)
  const parse = numberParser(settings)
  const featureRules = (name: string): ColumnRules => ({
    kind: codes.has(name) ? 'categorical' : 'either',
    limit: maxCategories,
    parse,
    advice: {
      text: `correct the cell, or read the column as categories with categorical: [${shown(name)}]`,
      names: `categorical: [${shown(name)}] if they are names`,
      many: `leave the column out with ignore: [${shown(name)}], or raise maxCategories`,
    },
  })
  const targetRules: ColumnRules = {
    kind:
      task === 'regression' || targets.length > 1 ? 'numeric' : task === 'classification' ? 'categorical' : 'either',
    limit: maxClasses,
    parse,
    advice: {
      text: `correct the cell, or pass task: 'classification' if the cells name classes`,
      names: `task: 'classification' if they name classes`,
      many: 'check that it is the column to predict',
    },
  }
  return {
    columns: [
      ...features.map((name) => new Column(name, featureRules(name))),
      ...targets.map((name) => new Column(name, targetRules)),
    ],
    indices: [...features, ...targets].map((name) => header.indexOf(name)),
    featureCount: features.length,
  }
}
