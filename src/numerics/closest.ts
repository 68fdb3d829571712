/** The name that is the fewest typing errors away, if that is few for its length. */
export function closest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.min(Math.max(1, Math.floor(wanted.length / 3)), wanted.length - 1) + 1
  for (const name of names) {
    const errors = name.toLowerCase() === wanted.toLowerCase() ? 0 : editDistance(name, wanted)
    if (errors < fewest) {
      fewest = errors
      best = name
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
