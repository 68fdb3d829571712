import { turn } from '../src/numerics/turn.ts'

/** How long work may hold the event loop, in milliseconds. */
const SPAN = 16

/** When the event loop last had a turn: kept between the pieces of one piece of work. */
export interface Pace {
  since: number
}

export function startPace(): Pace {
  return { since: performance.now() }
}

/** Runs a generator to its return value, or to the first value `wanted`, giving the event loop a turn about every 16 ms. */
export async function breathe<Y, R>(work: Generator<Y, R>): Promise<R>
export async function breathe<Y, R>(
  work: Generator<Y, R>,
  wanted: (value: Y) => boolean,
  pace?: Pace,
): Promise<R | NonNullable<Y>>
export async function breathe<Y, R>(
  work: Generator<Y, R>,
  wanted: (value: Y) => boolean = () => false,
  pace: Pace = startPace(),
): Promise<R | NonNullable<Y>> {
  for (;;) {
    const at = work.next()
    if (at.done) return at.value
    if (performance.now() - pace.since > SPAN) {
      await turn()
      pace.since = performance.now()
    }
    if (wanted(at.value)) return at.value!
  }
}
