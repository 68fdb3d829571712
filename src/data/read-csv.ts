import { matrix } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { listed, markerTest, shown } from './cells.ts'
import type { ReadColumn } from './column.ts'
import { type Dataset, encodeLabels, type Task } from './dataset.ts'
import { type FilledColumn, fill } from './fill.ts'
import { manyCategories } from './many-categories.ts'
import { type NumberFormat, numberParser } from './number-format.ts'
import { assignRoles, checkOptions, type ReadCsvOptions, type Roles } from './read-csv-options.ts'
import { type DataSchema, featureNames } from './schema.ts'
import type { TextSource } from './source.ts'
import { at, type Place, readTable } from './table.ts'

/** A dataset read from a table, with what is needed to read another table for the same model. */
export interface TableDataset extends Dataset {
  readonly schema: DataSchema
  /** Features that are the same in every row. They stay in X, so that X keeps the width of the file. */
  readonly constant: readonly string[]
  /** How many rows `missing: 'drop'` left out. */
  readonly droppedRows: number
  /**
   * What is read as it stands and probably not meant so, one sentence a column at most: texts that are hardly ever the
   * same in two rows, as features or as classes; a target of a few whole numbers, which may be codes of classes; a header that may
   * be a row of data.
   */
  readonly warnings: readonly string[]
}

/**
 * A table of text as a dataset.
 *
 * The first row names the columns (a nameless one is called `column 3`). A column whose cells are all numbers is one
 * feature. A column with a text in it becomes one 0/1 feature per category, named `column=value` and sorted; but text
 * beside more than ten distinct numbers is taken for a misprint and refused, and so are numbers written otherwise, such as
 * 0,5 or $5 (see `decimal`, `thousands`, `categorical`). Classes become -1/+1 targets as in
 * `encodeLabels`. The text is streamed: memory is that of the numbers, about twice X while X is put together.
 *
 * ```ts
 * const { X, y, features } = await readCsv('concrete.csv', { target: 'strength' })
 * const { X, y, classes } = await readCsv('iris.csv', { target: 'species', missing: 'drop', ignore: ['id'] })
 * ```
 *
 * @param source a path, a `file:` URL, a stream of text or bytes, bytes, or `{ text }`.
 * @throws RangeError naming file, row, line and column of what cannot be read, and what to do about it.
 */
export async function readCsv(source: TextSource, options: ReadCsvOptions): Promise<TableDataset> {
  const settings = checkOptions(options)
  const { targets, missing } = settings
  let roles: Roles | undefined
  let droppedRows = 0
  const remarks: string[] = []
  const end = await readTable('readCsv', source, options, targets, (header, place) => {
    if (!options.header && numbersAlone(header, numberParser(settings)))
      remarks.push(
        `readCsv: ${place.name} has numbers alone in its header (${listed(header)}); if that is a row of data, pass the names as header: [...].`,
      )
    const { columns, indices, featureCount } = (roles = assignRoles(header, settings, place))
    const isMissing = markerTest(settings.markers)
    return (cells) => {
      if (missing === 'drop' && indices.some((index) => isMissing(cells[index]!))) {
        droppedRows++
        return
      }
      for (let k = 0; k < columns.length; k++) {
        const cell = cells[indices[k]!]!
        if (!isMissing(cell)) columns[k]!.push(cell, place)
        else if (k < featureCount && missing !== 'error') columns[k]!.pushMissing()
        else throw new RangeError(missingCell(cell, header[indices[k]!]!, k < featureCount, place))
      }
    }
  })
  if (droppedRows === end.row)
    throw new RangeError(
      `readCsv: ${end.name} has a missing cell in each of its ${end.row} rows; pass missing: 'mean', or ignore the columns that are empty.`,
    )
  const { columns, featureCount } = roles!
  const read = columns.map((column) => column.finish())
  const [inputs, outputs] = [read.slice(0, featureCount), read.slice(featureCount)]
  const warnings = [...remarks, ...warningsOf(inputs, outputs, end), ...codeWarnings(outputs, options.task, end)]
  const filled = inputs.map((column) => fill(column, missing, end))
  const outcome = targetOf(outputs, options.task, end)
  const { y, ...known } = outcome
  const { task, classes } = outcome
  const schema: DataSchema = {
    columns: filled.map(({ schema }) => schema),
    target: targets,
    task,
    ...(classes && { classes }),
    markers: settings.markers,
    ...((options.decimal || options.thousands) && { numbers: numberFormatOf(options) }),
  }
  const features = featureNames(schema)
  const X = spread(filled, end.row - droppedRows, features.length)
  const constant = constantColumns(X, features)
  return { X, y, features, target: targets, ...known, schema, constant, droppedRows, warnings }
}

function numberFormatOf({ decimal, thousands }: NumberFormat): NumberFormat {
  return { ...(decimal && { decimal }), ...(thousands && { thousands }) }
}

/**
 * Sentences about columns of texts that hardly come again; categories that were asked for are meant.
 *
 * @throws RangeError for a target that nobody said names classes, and that is another text in every row.
 */
function warningsOf(features: readonly ReadColumn[], targets: readonly ReadColumn[], { name: file }: Place): string[] {
  const warnings: string[] = []
  for (const read of features) {
    const many = read.kind === 'categorical' && read.found && manyCategories(read)
    if (many)
      warnings.push(
        `readCsv: ${file}, ${many.text}, and each becomes a feature; leave the column out with ignore: [${shown(read.name)}], or pass categorical: [${shown(read.name)}] if that is meant.`,
      )
  }
  for (const read of targets) {
    const many = manyCategories(read)
    if (!many) continue
    if (many.each && read.kind === 'categorical' && read.found)
      throw new RangeError(
        `readCsv: ${file}, ${many.text}, so there is no class to learn; choose another target, or pass task: 'classification' if each is a class.`,
      )
    warnings.push(
      `readCsv: ${file}, ${many.text}, and each is a class to tell from the others; check that it is the column to predict.`,
    )
  }
  return warnings
}

/** Whether a header is a row of numbers, and they do not merely count the columns, as a data frame without names does. */
function numbersAlone(header: readonly string[], parse: (cell: string) => number): boolean {
  const numbers = header.map(parse)
  return !numbers.some(Number.isNaN) && numbers.some((value, k) => value !== numbers[0]! + k)
}

/** A target of at most so many whole numbers, in at least so many rows each on average, may be one of codes of classes. */
const FEW_CODES = 10
const ROWS_A_CODE = 5

/** A sentence where nobody said what the numbers of the one target are, and they may be codes of classes. */
function codeWarnings(targets: readonly ReadColumn[], task: Task | undefined, { name: file }: Place): string[] {
  const [read] = targets
  if (task !== undefined || targets.length > 1 || read?.kind !== 'numeric') return []
  const found = new Set<number>()
  for (const value of read.values) {
    if (!Number.isInteger(value) || found.add(value).size > FEW_CODES) return []
  }
  if (found.size < 2 || read.values.length < ROWS_A_CODE * found.size) return []
  const values = [...found].sort((a, b) => a - b)
  return [
    `readCsv: ${file}, column ${shown(read.name)} holds the numbers ${values.slice(0, -1).join(', ')} and ${values.at(-1)} alone and is predicted as a number; pass task: 'classification' if they are classes, or task: 'regression'.`,
  ]
}

function missingCell(cell: string, column: string, isFeature: boolean, place: Place): string {
  const found = cell.trim() === '' ? 'empty' : shown(cell)
  return isFeature
    ? `${at(place, column)} is ${found}; drop the row with missing: 'drop' or pass missing: 'mean'.`
    : `${at(place, column)} is ${found} and a target is never filled in; drop the row, for example with missing: 'drop'.`
}

/** y, and what is known about it. */
type Outcome = Pick<Dataset, 'y' | 'task' | 'classes' | 'labels'>

function targetOf(read: readonly ReadColumn[], task: Task | undefined, { name: file }: Place): Outcome {
  const first = read[0]!
  if (first.kind === 'categorical') {
    const { categories, codes, name } = first
    if (categories.length < 2)
      throw new RangeError(
        `readCsv: ${file}, column ${shown(name)} has the one class ${shown(categories[0]!)} in every row, so there is nothing to learn; choose another target.`,
      )
    const labels = Array.from(codes, (code) => categories[code]!)
    return { ...encodeLabels(labels, categories), labels, task: 'classification' }
  }
  const columns = read.filter((column) => column.kind === 'numeric')
  const y = matrix(first.values.length, columns.length)
  columns.forEach(({ name, values }, k) => {
    for (let i = 0; i < y.rows; i++) y.data[i * y.columns + k] = values[i]!
    if (y.rows > 1 && values.every((value) => value === values[0]))
      throw new RangeError(
        `readCsv: ${file}, column ${shown(name)} is ${values[0]} in every row, so there is nothing to learn; choose another target.`,
      )
  })
  return { y, task: task ?? 'regression' }
}

/** Columns side by side, row by row; a categorical one as a 1 among 0s. */
function spread(columns: readonly FilledColumn[], rows: number, width: number): Matrix {
  const X = matrix(rows, width)
  let start = 0
  for (const { read } of columns) {
    if (read.kind === 'numeric') {
      for (let i = 0; i < rows; i++) X.data[i * width + start] = read.values[i]!
      start++
    } else {
      for (let i = 0; i < rows; i++) X.data[i * width + start + read.codes[i]!] = 1
      start += read.categories.length
    }
  }
  return X
}

function constantColumns({ rows, columns, data }: Matrix, names: readonly string[]): string[] {
  const constant = new Uint8Array(columns).fill(1)
  for (let i = 1; i < rows; i++)
    for (let j = 0; j < columns; j++) if (data[i * columns + j] !== data[j]) constant[j] = 0
  return names.filter((_, j) => constant[j] === 1)
}
