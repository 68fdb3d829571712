import { matrix } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import type { Matrix, Vector } from '../types.ts'
import { listed, markerTest, shown } from './cells.ts'
import { doubled, finite } from './column.ts'
import { encodeLabels } from './dataset.ts'
import { numberParser } from './number-format.ts'
import { type ColumnSchema, type DataSchema, featureNames } from './schema.ts'
import type { TextSource } from './source.ts'
import { at, indexOf, type Place, readTable, type TableOptions, tableOptionNames } from './table.ts'

export interface ReadRowsOptions extends TableOptions {
  /** A category that the schema does not have: refuse it (the default), or read it as none, all zeros. */
  unknown?: 'error' | 'zero'
}

/** Rows to predict, with the truth where the table has it. */
export interface Rows {
  /** rows x features, columns as in training. */
  readonly X: Matrix
  readonly features: readonly string[]
  /** The targets, when the table has their columns filled: encoded as in training. */
  readonly y?: Matrix
  /** Classification: the labels, when the table has them. */
  readonly labels?: readonly string[]
}

/**
 * Another table for a model trained on a dataset with this schema: the same columns of X, whatever the order of the
 * columns in the file. Columns that training did not use are passed over. Missing cells are filled as in training.
 *
 * ```ts
 * const { X } = await readRows('new.csv', dataset.schema)
 * ```
 *
 * @throws RangeError naming file, row, line and column of what cannot be read: a column that is not there, a missing
 * cell where training filled none, a category or class that training did not have.
 */
export async function readRows(source: TextSource, schema: DataSchema, options: ReadRowsOptions = {}): Promise<Rows> {
  requireOptions(options, { ...tableOptionNames, unknown: true }, 'readRows')
  check(schema, options)
  const { target, task, classes } = schema
  const features = featureNames(schema)
  const width = features.length
  const names = [...schema.columns.map(({ name }) => name), ...target]
  const isMissing = markerTest(schema.markers)
  const number = numberReader(schema)
  let entries: Vector = new Float64Array(0)
  const truth: TruthColumns = { numbers: [], labels: [], missing: 0, firstMissing: '' }
  let hasTruth = false
  const end = await readTable('readRows', source, { ...options, ...schema.numbers }, names, (header, place) => {
    const writers = schema.columns.map((column) => ({
      index: indexOf(header, column.name, place),
      write: writer(column, isMissing, number, options.unknown === 'zero', place),
      width: column.kind === 'numeric' ? 1 : column.categories.length,
    }))
    hasTruth = target.every((name) => header.includes(name))
    const targetIndices = hasTruth ? target.map((name) => header.indexOf(name)) : []
    const readTruth = truthReader(schema, isMissing, number, truth, place)
    return (cells) => {
      let start = (place.row - 1) * width
      while (entries.length < start + width) entries = doubled(entries)
      for (const { index, write, width } of writers) {
        write(cells[index]!, entries, start)
        start += width
      }
      targetIndices.forEach((index, k) => {
        readTruth(cells[index]!, target[k]!)
      })
    }
  })
  const X = matrix(end.row, width, entries.slice(0, end.row * width))
  // A file to predict may well have an empty target column; a half-filled one is a mistake.
  if (!hasTruth || truth.missing === end.row * target.length) return { X, features }
  if (truth.missing > 0) throw new RangeError(truth.firstMissing)
  if (task === 'classification') return { X, features, y: encodeLabels(truth.labels, classes).y, labels: truth.labels }
  return { X, features, y: matrix(end.row, target.length, Float64Array.from(truth.numbers)) }
}

function check(schema: DataSchema, { unknown = 'error' }: ReadRowsOptions): void {
  if (!Array.isArray(schema?.columns) || !Array.isArray(schema.target) || !Array.isArray(schema.markers))
    throw new TypeError(
      'readRows: the schema has no columns, target and markers; pass the schema of a dataset from readCsv.',
    )
  if (unknown !== 'error' && unknown !== 'zero')
    throw new RangeError(
      `readRows: unknown is ${JSON.stringify(unknown)}, expected 'error' or 'zero'; pass one of these, or leave it out.`,
    )
}

type Write = (cell: string, entries: Vector, start: number) => void

/** Writes the cell of one column to its place, or places, in a row of zeros. */
function writer(
  column: ColumnSchema,
  isMissing: (cell: string) => boolean,
  number: NumberReader,
  zero: boolean,
  place: Place,
): Write {
  const { name } = column
  const missing = (cell: string): RangeError =>
    new RangeError(
      `${at(place, name)} is ${cell.trim() === '' ? 'empty' : shown(cell)} and training filled no missing cells; complete the row, or train with missing: 'mean'.`,
    )
  if (column.kind === 'numeric')
    return (cell, entries, start) => {
      if (isMissing(cell)) {
        if (column.fill === undefined) throw missing(cell)
        entries[start] = column.fill
      } else entries[start] = number(cell, name, place)
    }
  const codes = new Map(column.categories.map((value, code) => [value, code]))
  return (cell, entries, start) => {
    const absent = isMissing(cell)
    if (absent && column.fill === undefined) throw missing(cell)
    const code = codes.get(absent ? column.fill! : cell)
    if (code !== undefined) entries[start + code] = 1
    else if (!zero)
      throw new RangeError(
        `${at(place, name)} is ${shown(cell)}, expected one of ${listed(column.categories)}; correct the cell, or pass unknown: 'zero'.`,
      )
  }
}

type NumberReader = (cell: string, column: string, place: Place) => number

/** Reads numbers as the training table writes them. */
function numberReader({ numbers = {} }: DataSchema): NumberReader {
  const parse = numberParser(numbers)
  return (cell, column, place) => {
    const value = parse(cell)
    if (Number.isNaN(value))
      throw new RangeError(
        `${at(place, column)} is ${shown(cell)}, expected a number as in training; correct the cell.`,
      )
    return finite(value, cell, column, place)
  }
}

/** Targets as they are read, row by row. */
interface TruthColumns {
  readonly numbers: number[]
  readonly labels: string[]
  missing: number
  firstMissing: string
}

function truthReader(
  { task, classes = [] }: DataSchema,
  isMissing: (cell: string) => boolean,
  number: NumberReader,
  truth: TruthColumns,
  place: Place,
): (cell: string, column: string) => void {
  const known = new Set(classes)
  return (cell, column) => {
    if (isMissing(cell)) {
      if (truth.missing++ === 0)
        truth.firstMissing = `${at(place, column)} is empty and other rows have a target; complete the column, or empty it to predict only.`
    } else if (task === 'regression') truth.numbers.push(number(cell, column, place))
    else if (known.has(cell)) truth.labels.push(cell)
    else
      throw new RangeError(
        `${at(place, column)} is ${shown(cell)}, expected one of the classes ${listed(classes)}; correct the cell, or leave the column out to predict only.`,
      )
  }
}
