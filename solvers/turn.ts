/** How long work may hold the event loop, in milliseconds. */
const SPAN = 16

/** Runs a generator to its return value, or to the first value `wanted`, giving the event loop a turn about every 16 ms. */
export async function breathe<Y, R>(work: Generator<Y, R>): Promise<R>
export async function breathe<Y, R>(work: Generator<Y, R>, wanted: (value: Y) => boolean): Promise<R | NonNullable<Y>>
export async function breathe<Y, R>(
  work: Generator<Y, R>,
  wanted: (value: Y) => boolean = () => false,
): Promise<R | NonNullable<Y>> {
  let since = performance.now()
  for (;;) {
    const at = work.next()
    if (at.done) return at.value
    if (performance.now() - since > SPAN) {
      await turn()
      since = performance.now()
    }
    if (wanted(at.value)) return at.value!
  }
}

/** One turn of the event loop: timers and messages get to run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
