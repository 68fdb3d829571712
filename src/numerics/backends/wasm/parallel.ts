import type { Call } from '../../threads.ts'
import type { Address, Engine, MultiplyAdd } from './engine.ts'

/** Flops from which on a product is worth more than one thread. */
const WORTHWHILE = 1e7

/** Columns are cut at multiples of so many bytes: rounds of a pass take 128 or, at the end of a cut, less. */
const CHUNK = 64

/** What `multiplyAdd` takes but for its workspace. */
type Product = Parameters<MultiplyAdd> extends [...infer Values, number] ? Values : never

/** C += alpha op(A) op(B), the rows of C divided among the threads, never a sum: the same to the last bit for any number of them. */
export function multiplyAdd(engine: Engine, entry: 4 | 8, ...values: Product): void {
  multiplyAddBeside(engine, entry, 0, ...values)
}

/** The same where this thread has other work to do, copies, that takes `own` times as long as the whole product on one thread. */
export function multiplyAddBeside(engine: Engine, entry: 4 | 8, own: number, ...values: Product): void {
  const [transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, C, ldc, lower] = values
  const name = entry === 8 ? 'multiplyAdd64' : 'multiplyAdd32'
  const threads = threadsFor(engine, (lower ? 1 : 2) * m * n * k)
  const bounds = lower ? triangleBounds(m, threads, 4) : unevenBounds(m, threads, 4, own)
  engine.run(
    bounds.slice(1).map((end, part) => {
      const first = bounds[part]!
      const work = engine.room(`packed ${part}`, engine.kernels.packedBytes())
      const a = A + first * (transposeA ? entry : lda)
      const c = C + first * ldc
      const call = (columns: number, b: Address, to: Address, triangle: number): Call => ({
        name,
        values: [transposeA, transposeB, end - first, columns, k, alpha, a, lda, b, ldb, to, ldc, triangle, work],
      })
      if (!lower) return [call(n, B, c, 0)]
      // What is left of the diagonal, and the triangle on it.
      const triangle = call(end - first, B + first * (transposeB ? ldb : entry), c + first * entry, 1)
      return first > 0 ? [call(first, B, c, 0), triangle] : [triangle]
    }),
  )
}

/** A pass over tables of subset sums, for every line; see assembly/gated.as. Strides and lengths in bytes. */
export interface Pass {
  /** What the vectors are: rows of X times weights, blocks of coefficients, or columns of bits times weights. */
  readonly source: 'rows' | 'blocks' | 'bits'
  readonly vectors?: Address
  readonly vectorStride?: number
  readonly weights?: Address
  readonly weightStride?: number
  /** Which block, or which column of bits, each vector is. */
  readonly chosen?: Address
  readonly words?: Address
  readonly wordStride?: number
  /** How many vectors, and how many to a table. */
  readonly count: number
  readonly size: number
  /** A byte per line and table, table after table. */
  readonly codes: Address
  readonly lines: number
  /** Of a padded vector. */
  readonly length: number
  /** Only columns that are not beyond their line are wanted. */
  readonly lower?: boolean
  readonly out: Address
  readonly outStride: number
  /**
   * Where given, a line adds its sum's product with its row of X to one entry, that over the first half of the columns to `out`
   * and that over the others to `rest`; else its sum to a row.
   */
  readonly X?: Address
  readonly ldx?: number
  readonly rest?: Address
}

/** Where the columns are divided in two: one of 128 bytes is not. */
export function halfOf(length: number): number {
  return length <= 2 * CHUNK ? length : CHUNK * Math.round(length / (2 * CHUNK))
}

/**
 * Runs a pass, lines of the result divided among the threads, or columns where that costs less: every table is then made once.
 * No sum is divided in another way for another number of threads.
 */
export function pass(engine: Engine, entry: 4 | 8, at: Pass): void {
  const { lines, length, size, lower = false } = at
  const threads = threadsFor(engine, ((lower ? 1 : 2) * lines * (length / entry) * at.count) / 4)
  const source = ['rows', 'blocks', 'bits'].indexOf(at.source)
  const call = (part: number, from: number, to: number, c0: number, c1: number): Call => ({
    name: entry === 8 ? 'passes64' : 'passes32',
    values: [
      ...[source, at.X === undefined ? 0 : 1, size, at.count, at.vectors ?? 0, at.vectorStride ?? 0],
      ...[at.weights ?? 0, at.weightStride ?? 0, at.chosen ?? 0, at.words ?? 0, at.wordStride ?? 0],
      ...[at.codes, lines, from, to, c0, c1, lower ? 1 : 0],
      ...[at.rest !== undefined && c0 > 0 ? at.rest : at.out, at.outStride, at.X ?? 0, at.ldx ?? 0],
      engine.room(`tables ${part}`, engine.kernels.tableBytes()),
    ],
  })
  const tables = 2 ** size
  const half = at.X === undefined ? length : halfOf(length)
  const cuts =
    at.X !== undefined ? [0, half, length] : lower ? triangleCuts(length, threads) : evenBounds(length, threads, CHUNK)
  const widest = Math.max(...cuts.slice(1).map((end, part) => end - cuts[part]!)) / length
  // Columns go to as many threads as there are cuts; of products, which have two, lines to as many again as there are threads.
  const again = at.X === undefined ? 1 : threads / 2
  const byColumns = lower || (Number.isInteger(again) && widest * (tables + lines / again) <= tables + lines / threads)
  const lineBounds = evenBounds(lines, byColumns ? again : threads, 8)
  const ranges = lineBounds.slice(1).map((to, part) => [lineBounds[part]!, to] as const)
  const columns = cuts.slice(1).flatMap((end, part) => (end > cuts[part]! ? [[cuts[part]!, end] as const] : []))
  engine.run(
    byColumns
      ? ranges.flatMap(([from, to], k) =>
          columns.map(([c0, c1], part) => [call(k * columns.length + part, from, to, c0, c1)]),
        )
      : ranges.map(([from, to], part) =>
          (at.X === undefined ? ([[0, length]] as const) : columns).map(([c0, c1]) => call(part, from, to, c0, c1)),
        ),
  )
}

/** Codes from which on they are worth more than one thread. */
const CODES = 1e5

/** `codesOfRows` of subset-sums.as, its groups divided among the threads. */
export function codesOfRows(
  engine: Engine,
  words: Address,
  stride: number,
  chosen: Address,
  m: number,
  first: number,
  lines: number,
  size: number,
  codes: Address,
): void {
  const groups = Math.ceil(m / size)
  const bounds = evenBounds(groups, groups * lines < CODES ? 1 : engine.threads(), 1)
  engine.run(
    bounds.slice(1).map((end, part) => {
      const g = bounds[part]!
      const count = Math.min(m, end * size) - g * size
      const values = [words, stride, chosen + 4 * g * size, count, first, lines, size, codes + g * lines]
      return [{ name: 'codesOfRows', values }]
    }),
  )
}

/** `codesOfColumns`, likewise. */
export function codesOfColumns(
  engine: Engine,
  words: Address,
  stride: number,
  chosen: Address,
  m: number,
  count: number,
  size: number,
  codes: Address,
): void {
  const groups = Math.ceil(count / size)
  // Eight groups begin where a byte does.
  const bounds = evenBounds(groups, groups * m < CODES ? 1 : engine.threads(), 8)
  engine.run(
    bounds.slice(1).map((end, part) => {
      const g = bounds[part]!
      const bits = Math.min(count, end * size) - g * size
      return [
        { name: 'codesOfColumns', values: [words + (g * size) / 8, stride, chosen, m, bits, size, codes + g * m] },
      ]
    }),
  )
}

function threadsFor(engine: Engine, flops: number): number {
  return flops < WORTHWHILE ? 1 : engine.threads()
}

/** 0 = b_0 < ... <= b_parts = total with equal parts, cut at multiples of `unit`; empty parts are left out. */
export function evenBounds(total: number, parts: number, unit: number): number[] {
  return bounds(total, parts, unit, (share) => share)
}

/** The first part smaller, by what its thread has to do besides. */
function unevenBounds(total: number, parts: number, unit: number, own: number): number[] {
  const first = Math.max((1 + own) / parts - own, 1 / (4 * parts))
  return bounds(total, parts, unit, (share) => first + ((1 - first) * (share * parts - 1)) / Math.max(1, parts - 1))
}

/** Rows of a lower triangle: parts of equal area. */
function triangleBounds(total: number, parts: number, unit: number): number[] {
  return bounds(total, parts, unit, Math.sqrt)
}

/** Columns of a lower triangle: parts of equal area. */
function triangleCuts(total: number, parts: number): number[] {
  return bounds(total, parts, CHUNK, (share) => 1 - Math.sqrt(1 - share))
}

function bounds(total: number, parts: number, unit: number, place: (share: number) => number): number[] {
  const all = [0]
  for (let part = 1; part < parts; part++) {
    const cut = Math.round((place(part / parts) * total) / unit) * unit
    if (cut > all.at(-1)! && cut < total) all.push(cut)
  }
  return [...all, total]
}
