import type { TableDataset } from '../data/read-csv.ts'
import type { Model } from '../types.ts'
import { type Fitted, fingerprint, modelText, writeWhole } from './files.ts'
import { type Metrics, metricsOf, metricsText } from './metrics.ts'
import type { TableFlags } from './options.ts'
import type { SplitTable } from './table-data.ts'
import { tableName } from './table-source.ts'
import { inFlags } from './words.ts'

/** How well a network does on the rows it was trained on, and on those held out. */
export interface Scores {
  readonly train: Metrics
  readonly test?: Metrics
}

export function scoresOf(network: Model, { dataset, train, test }: SplitTable): Scores {
  const { classes } = dataset
  return { train: metricsOf(network, train, classes), ...(test && { test: metricsOf(network, test, classes) }) }
}

/** How many rows there are of either kind. */
export function rowsOf({ train, test }: SplitTable): { train: number; test: number } {
  return { train: train.X.rows, test: test?.X.rows ?? 0 }
}

/** Writes the model of a table, with how to read such a table and which of its rows it was trained on. */
export async function writeFitted(
  out: string,
  estimator: Fitted,
  path: string,
  flags: TableFlags,
  { dataset, train }: SplitTable,
): Promise<void> {
  const data = {
    source: tableName(path),
    rows: dataset.X.rows,
    testFraction: flags.test,
    splitSeed: flags.seed,
    missing: flags.missing,
    fingerprint: fingerprint(train.X, train.y),
  }
  await writeWhole(out, modelText(estimator.toJSON(), { schema: dataset.schema, data }))
}

/** What is learned of a table, and what is odd about it, for programs. */
export function taskOf({ task, classes, warnings }: TableDataset): Partial<TableDataset> {
  return { task, ...(classes && { classes }), ...(warnings.length > 0 && { warnings: warnings.map(inFlags) }) }
}

/** Classes that a line shows by name. */
const shownClasses = 5

/** The line above what is said of a fit. */
export function headingOf(path: string, split: SplitTable): string {
  const { X, classes } = split.dataset
  const more = (classes?.length ?? 0) - shownClasses
  const names = classes?.slice(0, shownClasses).join(', ')
  const task = classes
    ? `classification, ${classes.length} classes (${names}${more > 0 ? ` and ${more} more` : ''})`
    : 'regression'
  const rows = rowsOf(split)
  return `${tableName(path)}: ${task}, ${rows.train} ${rows.train === 1 ? 'row' : 'rows'} to train on, ${rows.test} to test on, ${X.columns} ${X.columns === 1 ? 'feature' : 'features'}`
}

/** Its last lines: how well the network does, and where it was written. */
export function closingPairs({ train, test }: Scores, out: string | undefined): (readonly [string, string])[] {
  return [
    ['train', metricsText(train)],
    ...(test ? [['test', metricsText(test)] as const] : []),
    ...(out ? [['model', out] as const] : []),
  ]
}
