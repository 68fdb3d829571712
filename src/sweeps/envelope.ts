import type { FoldJob, FoldOutcome } from '../estimators/fold-job.ts'
import type { HeldOutPoint } from '../estimators/held-out-path.ts'
import { parseExact } from './exact-json.ts'
import { type PathSummary, summarizePaths } from './summarize.ts'

/** BullMQ's names are kept apart from those of other programs by this. */
export const PREFIX = 'cvxnn'
/** Channel on which jobs are called off, by their ids. */
export const CANCEL = 'cvxnn-cancel'

/** What BullMQ carries: a fold's path, or what to do when all of them are there. */
export type Envelope =
  | { readonly kind: 'fold'; readonly version: string; readonly keep: number; readonly job: FoldJob }
  | { readonly kind: 'summary'; readonly version: string; readonly groups: readonly Group[] }

/** Paths that differ in fold and seed only. */
export interface Group {
  readonly settings: Omit<FoldJob['settings'], 'seed'>
  /** Ids of the jobs, in the order of the sweep. */
  readonly ids: readonly string[]
}

/** What a point's report says. */
export interface PointReport {
  readonly index: number
  /** As `exactJson` wrote it. */
  readonly point: string
}

/** Under which key an outcome lies: by content, so that work done twice counts once. */
export function resultKey(version: string, id: string): string {
  return `cvxnn-result:${version}:${id}`
}

export function parseOutcome(text: string): FoldOutcome {
  return parseExact(text) as FoldOutcome
}

/** Jobs by what they have in common. */
export function groupsOf(jobs: readonly FoldJob[]): Group[] {
  const groups = new Map<string, { settings: Group['settings']; ids: string[] }>()
  for (const { id, settings, lambdas } of jobs) {
    const { seed: _, ...common } = settings
    const key = JSON.stringify([common, lambdas])
    const group = groups.get(key) ?? { settings: common, ids: [] }
    group.ids.push(id)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** The summary of every group, each job counted once. */
export function summarizeGroups(
  groups: readonly Group[],
  outcomes: ReadonlyMap<string, FoldOutcome>,
): (Pick<Group, 'settings'> & { readonly jobs: number; readonly summary: PathSummary })[] {
  return groups.map(({ settings, ids }) => {
    const paths: (readonly HeldOutPoint[])[] = ids.map((id) => outcomes.get(id)!.points)
    return { settings, jobs: ids.length, summary: summarizePaths(paths) }
  })
}
