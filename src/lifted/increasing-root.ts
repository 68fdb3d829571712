/** The x with f(x) = y for an increasing f of slope df, by Newton's method between brackets, to rounding. */
export function increasingRoot(
  f: (x: number) => number,
  df: (x: number) => number,
  y: number,
  start: number = y,
): number {
  let low = start
  let high = start
  for (let reach = 1; f(low) > y; reach *= 2) low -= reach
  for (let reach = 1; f(high) < y; reach *= 2) high += reach
  let x = start
  for (let round = 0; round < 200 && low < high; round++) {
    const excess = f(x) - y
    if (excess === 0) return x
    if (excess > 0) high = x
    else low = x
    const newton = x - excess / df(x)
    // Newton's step where it stays inside, and every third time a halving, so that no tail is crept along.
    const next = newton > low && newton < high && round % 3 < 2 ? newton : low / 2 + high / 2
    if (next === x || next === low || next === high) return next
    x = next
  }
  return x
}
