import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { requireFinite, selectRows } from '../numerics/matrix.ts'
import { requireOptions } from '../numerics/options.ts'
import { type Random, random } from '../numerics/random.ts'
import type { Matrix } from '../types.ts'
import { shown } from './cells.ts'

/** Rows to split: a dataset, or X and y at hand. */
export interface Splittable {
  readonly X: MatrixLike
  readonly y: MatrixLike
  readonly labels?: readonly string[]
}

/** Some rows of what was split; everything that is not by row is as it was. */
export type Part<D extends Splittable> = Omit<D, 'X' | 'y'> & {
  readonly X: Matrix
  readonly y: Matrix
  /** Where each row was, counted from 0, ascending. */
  readonly rows: Int32Array
}

/**
 * Whether each part should have the classes in the proportions of the whole: a class per row, or `true` for the labels
 * (without labels, the distinct rows of y).
 */
export type Stratify = boolean | ArrayLike<string | number>

/** How rows are split in training and test. */
export interface SplitOptions {
  /** Share of the rows to test on, between 0 and 1 (default 0.2). */
  testFraction?: number
  /** Seed of the draw (default 1). */
  seed?: number
  /** Default: true when there are labels. */
  stratify?: Stratify
}

/**
 * Rows to train on and rows to test on, drawn at random; each part keeps the order of the rows.
 *
 * Stratified, each class gives its share to the test part within one row, and keeps at least one row to train on.
 *
 * @throws RangeError when the sizes differ, a part would be empty (as when every row is a class of its own), or an entry is not finite.
 */
export function trainTestSplit<D extends Splittable>(
  data: D,
  options: SplitOptions = {},
): { train: Part<D>; test: Part<D> } {
  const caller = 'trainTestSplit'
  requireOptions(options, { testFraction: 'number', seed: 'number', stratify: true }, caller)
  const { testFraction = 0.2, seed = 1 } = options
  const { X, y } = checked(data, caller)
  if (!(testFraction > 0 && testFraction < 1))
    throw new RangeError(
      `${caller}: testFraction is ${testFraction}, expected a number between 0 and 1; pass for example 0.2.`,
    )
  const strata = strataOf(caller, X.rows, data, options.stratify)
  const counts = quotas(strata, testFraction, X.rows)
  const draws = random(seed)
  const isTest = new Uint8Array(X.rows)
  strata.forEach((stratum, s) => {
    for (const i of shuffled(stratum, draws).subarray(0, counts[s])) isTest[i] = 1
  })
  const all = Int32Array.from({ length: X.rows }, (_, i) => i)
  const test = all.filter((i) => isTest[i] === 1)
  const train = all.filter((i) => isTest[i] === 0)
  if (test.length === 0 && strata.length > 1)
    throw new RangeError(
      `${caller}: there are ${strata.length} classes in ${X.rows} rows and each keeps a row to train on, so that testFraction ${testFraction} leaves none to test on; check that they are classes, or pass stratify: false.`,
    )
  if (test.length === 0 || train.length === 0)
    throw new RangeError(
      `${caller}: ${X.rows} rows with testFraction ${testFraction} leave ${train.length} to train on and ${test.length} to test on; pass more rows or another testFraction.`,
    )
  const part = (rows: Int32Array): Part<D> => ({
    ...data,
    X: selectRows(X, rows),
    y: selectRows(y, rows),
    ...(data.labels && { labels: Array.from(rows, (i) => data.labels![i]!) }),
    rows,
  })
  return { train: part(train), test: part(test) }
}

/** How rows are dealt out to folds. */
export interface FoldOptions {
  /** How many folds (default 5). */
  count?: number
  /** Seed of the draw (default 1). */
  seed?: number
  /** Default: true when there are labels. */
  stratify?: Stratify
}

/** Rows to fit on and rows to judge by, counted from 0 and ascending. */
export interface Fold {
  readonly train: Int32Array
  readonly validation: Int32Array
}

/**
 * Folds for cross-validation: every row is in the validation part of exactly one. Their sizes differ by one at most
 * and, stratified, so do the rows of each class in them.
 *
 * @throws RangeError when there are fewer rows than folds.
 */
export function kFolds(data: number | Splittable, options: FoldOptions = {}): Fold[] {
  const caller = 'kFolds'
  requireOptions(options, { count: 'number', seed: 'number', stratify: true }, caller)
  const { count = 5, seed = 1 } = options
  const n = typeof data === 'number' ? data : checked(data, caller).X.rows
  if (!Number.isInteger(n) || n < 0)
    throw new RangeError(`${caller}: the number of rows is ${n}, expected a whole number; pass X.rows or a dataset.`)
  if (!Number.isInteger(count) || count < 2 || count > n)
    throw new RangeError(
      `${caller}: count is ${count} and there are ${n} rows, expected a whole number from 2 to the number of rows; pass ${n < 2 ? 'two rows at least' : `for example ${Math.min(5, n)}`}.`,
    )
  const draws = random(seed)
  const foldOf = new Int32Array(n)
  // Cards are dealt in turn, class after class, so that no fold is ahead by two in rows or in a class.
  let dealt = 0
  for (const stratum of strataOf(caller, n, typeof data === 'number' ? {} : data, options.stratify))
    for (const i of shuffled(stratum, draws)) foldOf[i] = dealt++ % count
  const all = Int32Array.from({ length: n }, (_, i) => i)
  return Array.from({ length: count }, (_, fold) => ({
    train: all.filter((i) => foldOf[i] !== fold),
    validation: all.filter((i) => foldOf[i] === fold),
  }))
}

function checked(data: Splittable, caller: string): { X: Matrix; y: Matrix } {
  const X = asMatrix(data.X, caller, 'X')
  const y = asMatrix(data.y, caller, 'y')
  if (X.rows !== y.rows || (data.labels && data.labels.length !== X.rows))
    throw new RangeError(
      `${caller}: X has ${X.rows} rows and ${X.rows !== y.rows ? `y has ${y.rows}` : `there are ${data.labels!.length} labels`}; pass one target per row.`,
    )
  requireFinite(X, caller, 'X')
  requireFinite(y, caller, 'y')
  return { X, y }
}

/** The rows of each class; all rows together when nothing is to be stratified. */
function strataOf(caller: string, n: number, data: Partial<Splittable>, stratify?: Stratify): Int32Array[] {
  const wanted = stratify ?? data.labels !== undefined
  if (wanted === false) return [Int32Array.from({ length: n }, (_, i) => i)]
  const classes = wanted === true ? (data.labels ?? rowsAsText(caller, data.y)) : wanted
  if (classes.length !== n)
    throw new RangeError(
      `${caller}: stratify has ${classes.length} entries and there are ${n} rows; pass one class per row.`,
    )
  const strata = new Map<string | number, number[]>()
  for (let i = 0; i < n; i++) {
    const rows = strata.get(classes[i]!)
    if (rows) rows.push(i)
    else strata.set(classes[i]!, [i])
  }
  if (wanted === true && !data.labels && strata.size > Math.max(2, n / 2))
    throw new RangeError(
      `${caller}: y has ${strata.size} distinct values in ${n} rows, for example ${shown(String(classes[0]))}, and stratify needs classes; leave stratify out, or pass a class per row.`,
    )
  return [...strata.values()].map((rows) => Int32Array.from(rows))
}

function rowsAsText(caller: string, y: MatrixLike | undefined): string[] {
  if (y === undefined)
    throw new RangeError(`${caller}: stratify is true and a number of rows has no classes; pass a class per row.`)
  const { rows, columns, data } = asMatrix(y, caller, 'y')
  return Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns).join(' '))
}

/** How many rows of each stratum are tested on: the share rounded down, and one more where most was cut off. */
function quotas(strata: readonly Int32Array[], fraction: number, n: number): number[] {
  const counts = strata.map(({ length }) => Math.floor(fraction * length))
  const order = strata
    .map(({ length }, s) => ({ s, cut: fraction * length - counts[s]!, room: length - 1 - counts[s]! }))
    .filter(({ cut, room }) => cut > 0 && room > 0)
    .sort((a, b) => b.cut - a.cut || a.s - b.s)
  let left = Math.max(1, Math.round(fraction * n)) - counts.reduce((total, count) => total + count, 0)
  for (const { s } of order) if (left-- > 0) counts[s]!++
  return counts
}

function shuffled(rows: Int32Array, draws: Random): Int32Array {
  return draws.permutation(rows.length).map((k) => rows[k]!)
}
