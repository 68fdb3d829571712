import { breathe, type Pace } from '../../solvers/turn.ts'
import { type Fold, kFolds } from '../data/split.ts'
import type { BackendName } from '../numerics/backend.ts'
import { backend, useBackend } from '../numerics/backends/index.ts'
import type { Matrix } from '../types.ts'
import { hashOf, type SharedRows } from './content-hash.ts'
import { type HeldOutPoint, heldOutPath } from './held-out-path.ts'
import type { FoldSettings } from './options.ts'

/** Which rows a job trains on and which judge it: one of `count` folds that a seed deals, or the rows themselves. */
export type FoldOfRows =
  | { readonly index: number; readonly count: number; readonly seed: number; readonly stratified: boolean }
  | { readonly train: readonly number[]; readonly validation: readonly number[] }

/**
 * A path of lambdas on one fold: what engines carry. Plain data, with everything that the result depends on; the rows go
 * by their content's hash.
 */
export interface FoldJob {
  /** SHA-256 of the rest: the same work has the same id everywhere, and its result counts once. */
  readonly id: string
  /** Hash of the rows. */
  readonly data: string
  readonly fold: FoldOfRows
  /** From the largest down: each start is the solution before. */
  readonly lambdas: readonly number[]
  readonly settings: FoldSettings
  /** The backend that computes; another would round otherwise. */
  readonly backend: BackendName
}

/** What a job found. */
export interface FoldOutcome {
  readonly id: string
  /** One a lambda. The same wherever the job ran, to the last bit. */
  readonly points: readonly HeldOutPoint[]
  /** How long it took, by the clock of where it ran. */
  readonly seconds: number
}

/** A job with its id. */
export async function foldJob(parts: Omit<FoldJob, 'id'>): Promise<FoldJob> {
  return { id: await hashOf(canonical(parts)), ...parts }
}

/** What watches a job and may end it. */
export interface JobWatch {
  readonly signal?: AbortSignal
  /** Called at every lambda that is done; `index` counts from 0. */
  readonly onPoint?: (id: string, index: number, point: HeldOutPoint) => void
}

/** Does a job, giving the event loop a turn about every 16 ms; undefined when the signal ended it. */
export async function runFoldJob(
  job: FoldJob,
  data: SharedRows,
  { signal, onPoint }: JobWatch = {},
  pace?: Pace,
): Promise<FoldOutcome | undefined> {
  if (backend().name !== job.backend) useBackend(job.backend)
  const begun = performance.now()
  const { X, Y, task } = data
  const path = heldOutPath(X, Y, task, foldOf(job, data), job.lambdas, job.settings, signal)
  const points: HeldOutPoint[] = []
  for (;;) {
    const point = await breathe(path, (value) => value !== undefined, pace)
    if (!point) break
    points.push(point)
    onPoint?.(job.id, points.length - 1, point)
  }
  if (points.length < job.lambdas.length) return undefined
  return { id: job.id, points, seconds: (performance.now() - begun) / 1000 }
}

function foldOf({ fold }: FoldJob, { X, Y }: SharedRows): Fold {
  if ('train' in fold) return { train: Int32Array.from(fold.train), validation: Int32Array.from(fold.validation) }
  const { index, count, seed, stratified } = fold
  return kFolds(X.rows, { count, seed, ...(stratified && { stratify: classesOf(Y) }) })[index]!
}

/** A class a row, as its targets tell. */
function classesOf({ rows, columns, data }: Matrix): string[] {
  return Array.from({ length: rows }, (_, r) => data.subarray(r * columns, (r + 1) * columns).join(' '))
}

/** JSON with the names in order, so that equal content is equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
