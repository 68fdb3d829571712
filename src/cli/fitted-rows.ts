import { readCsv } from '../data/read-csv.ts'
import type { MissingPolicy } from '../data/read-csv-options.ts'
import { fingerprint, type ModelFile } from './files.ts'
import { type CellFlags, cellOptions } from './options.ts'
import { type SplitTable, splitTable } from './table-data.ts'
import { tablePath, tableSource } from './table-source.ts'

/** The table a model was fitted on, read and split as it was then; refused when its training rows are others. */
export async function fittedRows(path: string, { extras }: ModelFile, flags: CellFlags): Promise<SplitTable> {
  const { schema, data } = extras
  const dataset = await readCsv(tableSource(path), {
    target: schema.target,
    task: schema.task,
    missing: data.missing as MissingPolicy,
    columns: schema.columns.map((column) => column.name),
    categorical: schema.columns.filter((column) => column.kind === 'categorical').map((column) => column.name),
    markers: schema.markers,
    maxCategories: Math.max(
      64,
      ...schema.columns.map((column) => ('categories' in column ? column.categories.length : 1)),
    ),
    ...schema.numbers,
    ...cellOptions(flags),
  })
  const split = { dataset, ...splitTable(dataset, data.testFraction, data.splitSeed) }
  if (fingerprint(split.train.X, split.train.y) !== data.fingerprint)
    throw new Error(
      `${tablePath(path)} does not hold the rows the model was fitted on (${data.source}, ${data.rows} rows); pass that table.`,
    )
  return split
}
