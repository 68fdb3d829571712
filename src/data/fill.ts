import type { Vector } from '../types.ts'
import { shown } from './cells.ts'
import type { ReadColumn } from './column.ts'
import type { MissingPolicy } from './read-csv-options.ts'
import type { ColumnSchema } from './schema.ts'
import type { Place } from './table.ts'

/** A column without missing cells, and what the schema says of it. */
export interface FilledColumn {
  readonly read: ReadColumn
  readonly schema: ColumnSchema
}

/**
 * The column with its missing cells filled by the policy, in place.
 *
 * @throws RangeError when no row has a value.
 */
export function fill(read: ReadColumn, missing: MissingPolicy, place: Place): FilledColumn {
  const { name } = read
  const imputes = missing === 'mean' || missing === 'median'
  const nothing = (): RangeError =>
    new RangeError(
      `readCsv: ${place.name}, column ${shown(name)} has no value in any row; leave it out with ignore: [${shown(name)}].`,
    )
  if (read.kind === 'categorical') {
    const { categories, codes } = read
    if (categories.length === 0) throw nothing()
    if (!imputes) return { read, schema: { name, kind: 'categorical', categories } }
    const common = mostFrequent(codes, categories.length)
    for (let i = 0; i < codes.length; i++) if (codes[i]! < 0) codes[i] = common
    return { read, schema: { name, kind: 'categorical', categories, fill: categories[common]! } }
  }
  if (!imputes) return { read, schema: { name, kind: 'numeric' } }
  const present = read.values.filter((value) => !Number.isNaN(value))
  if (present.length === 0) throw nothing()
  const value = missing === 'mean' ? mean(present) : median(present)
  for (let i = 0; i < read.values.length; i++) if (Number.isNaN(read.values[i]!)) read.values[i] = value
  return { read, schema: { name, kind: 'numeric', fill: value } }
}

function mean(values: Vector): number {
  // A running mean cannot overflow.
  let result = 0
  for (let i = 0; i < values.length; i++) result += values[i]! / (i + 1) - result / (i + 1)
  return result
}

function median(values: Vector): number {
  const sorted = values.sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : sorted[middle - 1]! / 2 + sorted[middle]! / 2
}

function mostFrequent(codes: Int32Array, count: number): number {
  const frequency = new Int32Array(count)
  for (const code of codes) if (code >= 0) frequency[code]!++
  return frequency.indexOf(Math.max(...frequency))
}
