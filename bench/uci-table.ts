import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Matrix, readCsv, type Task } from '../src/index.ts'

/** The folder that holds uci/: named by CVXNN_DATA. */
export const dataFolder: string = process.env.CVXNN_DATA ?? '../shared/data'

/** A UCI table as the data folder has it. */
export interface UciTable {
  /** Such as `classification/iris`. */
  readonly name: string
  readonly task: Task
  readonly X: Matrix
  /** Targets; -1 and +1 for classes, one column for two of them. */
  readonly y: Matrix
  /** The class of each row. */
  readonly labels?: readonly string[]
}

/** Undefined when the table is not there. */
export async function uciTable(name: string): Promise<UciTable | undefined> {
  const path = join(dataFolder, 'uci', `${name}.csv`)
  if (!existsSync(path)) return undefined
  const task = name.startsWith('classification') ? 'classification' : 'regression'
  const { X, y, labels } = await readCsv(path, { target: 'y', task })
  return { name, task, X, y, ...(labels && { labels }) }
}

/** Test metrics of the baselines on the fixed split: accuracy, or root mean squared error. */
export interface Baselines {
  /** Logistic or ridge regression. */
  readonly linear: number
  /** A perceptron of 100 ReLUs trained by Adam. */
  readonly mlp: number
}

export function baselinesOf({ name, task }: Pick<UciTable, 'name' | 'task'>): Baselines {
  const all = JSON.parse(readFileSync(join(dataFolder, 'uci', 'baselines.json'), 'utf8')).datasets[name]
  return task === 'classification'
    ? { linear: all.logistic.test_accuracy, mlp: all.mlp_relu_100.test_accuracy }
    : { linear: all.ridge.test_rmse, mlp: all.mlp_relu_100.test_rmse }
}

/** The split of the baselines: row i is a test row when (i * 2654435761 mod 2^32) < 0.2 * 2^32. */
export function isTestRow(i: number): boolean {
  return Number((BigInt(i) * 2654435761n) % 4294967296n) < 0.2 * 4294967296
}

/** The tables of the fixed split that are compared with its baselines. */
export const uciSets: readonly string[] = [
  ...['yacht', 'machine', 'boston', 'energy', 'autompg', 'stock', 'wine-quality-red'].map(
    (name) => `regression/${name}`,
  ),
  ...[
    ...['iris', 'wine', 'ionosphere', 'parkinsons', 'breast-cancer-wisc-diag', 'statlog-heart', 'pima', 'mammographic'],
    ...['breast-cancer-wisc', 'credit-approval', 'monks-1', 'monks-2', 'seeds', 'vertebral-column-2clases'],
  ].map((name) => `classification/${name}`),
]
