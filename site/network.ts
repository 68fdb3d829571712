import type { NetworkJson } from './messages.ts'

/** f(x) = sum_j (W1_j'x + b1_j)_+ W2_j + intercept at one row. */
export function valueAt({ W1, b1, W2, intercept }: NetworkJson, x: readonly number[]): number {
  let total = intercept[0]!
  for (let j = 0; j < b1.length; j++) {
    const w = W1[j]!
    let value = b1[j]!
    for (let f = 0; f < w.length; f++) value += w[f]! * x[f]!
    if (value > 0) total += value * W2[j]![0]!
  }
  return total
}

/** Where neurons of a network on the line switch, -b1 / W1, in order: the only places where its graph bends. */
export function hingesOf({ W1, b1 }: NetworkJson): number[] {
  return W1.flatMap(([w], j) => (w === 0 ? [] : [-b1[j]! / w!])).sort((a, b) => a - b)
}
