import { blank, rounded } from './examples.ts'
import type { Sample } from './messages.ts'

/** Points that a link holds: some 6,000 characters. */
const MOST_LINKED = 400

/** A drawing and a place on its path. */
export interface Linked {
  readonly sample: Sample
  readonly index: number
}

/** What goes behind the # of an address: `curve=0.1,0.2;0.3,-0.4&at=32`. Undefined for tables and for too many points. */
export function toHash({ sample, index }: Linked): string | undefined {
  const { task, features, rows, y } = sample
  const drawable = features.length === (task === 'regression' ? 1 : 2)
  if (!drawable || rows.length === 0 || rows.length > MOST_LINKED) return undefined
  const points = rows.map((row, i) => [...row, y[i]!].map(rounded).join(',')).join(';')
  return `${task === 'regression' ? 'curve' : 'colours'}=${points}&at=${index}`
}

/** And back; undefined for anything that such a link is not. */
export function fromHash(hash: string): Linked | undefined {
  const found = /^#?(curve|colours)=([-0-9.,;e]*)&at=(\d{1,3})$/.exec(hash)
  if (!found) return undefined
  const [, kind, text, at] = found as unknown as [string, string, string, string]
  const task = kind === 'curve' ? 'regression' : 'classification'
  const width = task === 'regression' ? 2 : 3
  const points = text
    .split(';')
    .map((point) => point.split(',').map((cell) => (cell === '' ? Number.NaN : Number(cell))))
  const good = (point: number[]): boolean =>
    point.length === width &&
    point.every((value) => Number.isFinite(value) && Math.abs(value) <= 1.5) &&
    (task === 'regression' || Math.abs(point[2]!) === 1)
  if (points.length > MOST_LINKED || !points.every(good)) return undefined
  const sample = {
    ...blank(task),
    rows: points.map((point) => point.slice(0, -1)),
    y: points.map((point) => point.at(-1)!),
  }
  return { sample, index: Number(at) }
}
