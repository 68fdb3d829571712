import { random } from '../src/numerics/random.ts'

/** `count` of n row numbers, drawn without replacement, ascending; the same seed draws the same. */
export function drawRows(n: number, count: number, seed: number): Int32Array {
  const draws = random(seed)
  const rows = Int32Array.from({ length: n }, (_, r) => r)
  for (let k = 0; k < count; k++) {
    const other = k + draws.below(n - k)
    const held = rows[k]!
    rows[k] = rows[other]!
    rows[other] = held
  }
  return rows.slice(0, count).sort()
}
