import { requireOptions } from '../numerics/options.ts'
import type { TextSource } from './source.ts'
import { readTable, type TableOptions, tableOptionNames } from './table.ts'

/** What ends the reading after the header. */
const enough = Symbol('enough')

/**
 * The names of a table's columns, as `readCsv` will know them: for asking which one to predict. Nothing beyond the first
 * rows is read.
 *
 * ```ts
 * const columns = await readHeader('concrete.csv')
 * const { X, y } = await readCsv('concrete.csv', { target: columns.at(-1)! })
 * ```
 *
 * @throws RangeError when the source is empty, or its header names a column twice.
 */
export async function readHeader(source: TextSource, options: TableOptions = {}): Promise<string[]> {
  requireOptions(options, tableOptionNames, 'readHeader')
  let columns: string[] = []
  try {
    await readTable('readHeader', source, options, [], (header) => {
      columns = header
      throw enough
    })
  } catch (error) {
    if (error !== enough) throw error
  }
  return columns
}
