import { DRAWN } from './examples.ts'
import type { Sample } from './messages.ts'

/** The rectangle of data that is shown. */
export interface View {
  readonly left: number
  readonly right: number
  readonly bottom: number
  readonly top: number
}

/** How a sample is shown: a graph over one feature, a map over two, or predictions against the truth. */
export type Kind = 'curve' | 'map' | 'truth'

export function kindOf({ features }: Sample): Kind {
  return features.length === 1 ? 'curve' : features.length === 2 ? 'map' : 'truth'
}

/** What of the plane to show: the sheet for what is drawn on it, a margin around the points of a table. */
export function viewOf(sample: Sample, drawn: boolean): View {
  if (drawn) return DRAWN
  const column = (j: number): number[] => sample.rows.map((row) => row[j]!)
  const kind = kindOf(sample)
  const across = kind === 'truth' ? sample.y : column(0)
  const up = kind === 'map' ? column(1) : sample.y
  const [left, right] = spread(across)
  const [bottom, top] = spread(up)
  return { left, right, bottom, top }
}

/** The range of some numbers with a margin; around a single value, of that value's size. */
function spread(values: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (!(low <= high)) return [-1, 1]
  const margin = high > low ? 0.08 * (high - low) : Math.max(1, Math.abs(high)) / 2
  return [low - margin, high + margin]
}

/** About `count` round numbers from `from` to `to`: steps of 1, 2 or 5 times a power of ten. */
export function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * (raw / power > 5 ? 10 : raw / power > 2 ? 5 : raw / power > 1 ? 2 : 1)
  const found: number[] = []
  for (let k = Math.ceil(from / step); k * step <= to + step * 1e-9 && found.length < 50; k++)
    found.push(Number((k * step).toPrecision(12)))
  return found
}
