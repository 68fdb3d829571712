import { listed } from '../data/cells.ts'
import { readCsv, type TableDataset } from '../data/read-csv.ts'
import { trainTestSplit } from '../data/split.ts'
import { type LossName, lossesOf } from '../estimators/options.ts'
import { selectRows } from '../numerics/matrix.ts'
import type { Matrix } from '../types.ts'
import { cellOptions, numberOptions, type TableFlags } from './options.ts'
import { tableSource } from './table-source.ts'
import { remark, type Terminal } from './terminal.ts'
import { inFlags } from './words.ts'

/** Some rows of a table: targets as numbers and, for classes, as text. */
export interface Rows {
  readonly X: Matrix
  readonly y: Matrix
  readonly labels?: readonly string[]
}

/** A table read and split. */
export interface SplitTable {
  readonly dataset: TableDataset
  readonly train: Rows
  /** Absent when nothing is held out. */
  readonly test?: Rows
}

export async function readSplitTable(path: string, flags: TableFlags): Promise<SplitTable> {
  const { target, task, missing, ignore, categorical, maxCategories } = flags
  const targets = target.includes(',') ? target.split(',').map((name) => name.trim()) : target
  const dataset = await readCsv(tableSource(path), {
    target: targets,
    missing,
    ...(task && { task }),
    ...(ignore && { ignore }),
    ...(categorical && { categorical }),
    ...(maxCategories !== undefined && { maxCategories }),
    ...cellOptions(flags),
    ...numberOptions(flags),
  })
  return { dataset, ...splitTable(dataset, flags.test, flags.seed) }
}

/** Says what is odd about a table, before anything is trained on it. */
export function remarkOn({ warnings, constant }: TableDataset, { json }: Pick<Terminal, 'json'>): void {
  if (json) return
  for (const warning of warnings) remark(inFlags(warning))
  if (constant.length > 0) remark(`Constant columns carry nothing and are kept as zeros: ${listed(constant)}.`)
}

/** Refuses a loss that the table's task does not take, before any work is done. */
export function requireLossFor({ task, target }: TableDataset, loss: LossName): void {
  if (lossesOf[task].includes(loss)) return
  const others = lossesOf[task].join(' or ')
  throw new Error(
    task === 'regression'
      ? `--loss ${loss} is for classes and ${listed(target)} is read as numbers; give --task classification if they are classes, or --loss ${others}.`
      : `--loss ${loss} is for numbers and ${listed(target)} is read as classes; give --task regression if they are numbers, or another --loss: ${others}.`,
  )
}

/** Train and test rows; the same share and seed give the same rows. */
export function splitTable(dataset: TableDataset, testFraction: number, seed: number): { train: Rows; test?: Rows } {
  const { X, y, labels } = dataset
  if (testFraction === 0) return { train: { X, y, ...(labels && { labels }) } }
  const parts = trainTestSplit(dataset, { testFraction, seed })
  const pick = (rows: Int32Array): Rows => ({
    X: selectRows(X, rows),
    y: selectRows(y, rows),
    ...(labels && { labels: Array.from(rows, (row) => labels[row]!) }),
  })
  return { train: pick(parts.train.rows), test: pick(parts.test.rows) }
}
