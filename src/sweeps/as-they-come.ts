/** The values of promises in the order in which they settle; the first rejection is thrown. */
export async function* asTheyCome<T>(promises: readonly Promise<T>[]): AsyncGenerator<T, void> {
  const waiting = new Map(promises.map((promise, k) => [k, promise.then((value) => ({ k, value }))]))
  // Whoever leaves early hears no more of those that fail.
  for (const promise of waiting.values()) promise.catch(() => {})
  while (waiting.size > 0) {
    const { k, value } = await Promise.race(waiting.values())
    waiting.delete(k)
    yield value
  }
}
