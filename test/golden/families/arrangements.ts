import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { enumerateGates, fromRows, generalPatternCount, type Matrix, matrix } from '../../../src/index.ts'
import { random } from '../../../src/numerics/random.ts'
import { counted } from '../compare.ts'
import { type Family, numbers, read, rowsOfNumbers } from '../reference.ts'

/** Counts and patterns of arrangements of hyperplanes through the origin, in general position and not. */
export const arrangements: Family = {
  family: 'arrangements',
  *check(reference) {
    const file = read(arrangementsFile, reference)
    for (const { n, r, count } of file.general_position) {
      const formula = generalPatternCount(n, r)
      yield counted(`n ${n}, rank ${r}: Cover's formula`, count, formula)
      if (count <= LISTED) yield counted(`n ${n}, rank ${r}: listed`, count, patternsOf(normal(n, r)).length)
    }
    for (const { n, r, X, count, sha256_sorted_patterns } of file.verified) {
      const patterns = patternsOf(fromRows(X))
      const digest = createHash('sha256').update(patterns.sort().join('\n')).digest('hex')
      yield counted(`verified n ${n}, rank ${r}`, count, patterns.length, 0, digest === sha256_sorted_patterns)
    }
    for (const [k, { X, count, patterns: expected }] of file.degenerate.entries()) {
      const patterns = patternsOf(fromRows(X)).sort()
      const same = patterns.join() === [...expected].sort().join()
      yield counted(`degenerate ${k}`, count, patterns.length, 0, same)
    }
  },
}

/** Arrangements with more cells than this are not listed. */
const LISTED = 50_000

const arrangementsFile = v.object({
  general_position: v.array(v.object({ n: v.number(), r: v.number(), count: v.number() })),
  verified: v.array(
    v.object({
      n: v.number(),
      r: v.number(),
      X: rowsOfNumbers,
      count: v.number(),
      sha256_sorted_patterns: v.string(),
    }),
  ),
  degenerate: v.array(v.object({ X: v.array(numbers), count: v.number(), patterns: v.array(v.string()) })),
})

/** All patterns as texts of 0 and 1, the one that is off everywhere included where there is one. */
function patternsOf(X: Matrix): string[] {
  const { patterns, count } = enumerateGates(X, { maxCount: 1_000_000 })
  const texts = Array.from({ length: count }, (_, i) =>
    Array.from({ length: X.rows }, (_, r) => (patterns.words[i * patterns.stride + (r >> 5)]! >>> (r & 31)) & 1).join(
      '',
    ),
  )
  // enumerateGates leaves that one out; it is the opposite of the one that is on everywhere.
  const on = '1'.repeat(X.rows)
  const zeros = Array.from({ length: X.rows }, (_, r) =>
    X.data.subarray(r * X.columns, (r + 1) * X.columns).every((entry) => entry === 0),
  )
  if (texts.includes(on) && !zeros.includes(true)) texts.push('0'.repeat(X.rows))
  return texts
}

function normal(n: number, r: number): Matrix {
  const draws = random(1000 * n + r)
  return matrix(
    n,
    r,
    Float64Array.from({ length: n * r }, () => draws.normal()),
  )
}
