import type { Call } from '../../threads.ts'
import type { Address, Engine, MultiplyAdd } from './engine.ts'

/** Flops from which on a product is worth more than one thread. */
const WORTHWHILE = 1e7

/** Bytes of a row that one round of the gated passes takes: a cut elsewhere would change the order of its sums. */
const CHUNK = 128

/** What `multiplyAdd` takes but for its workspace. */
type Product = Parameters<MultiplyAdd> extends [...infer Values, number] ? Values : never

/** C += alpha op(A) op(B), the rows of C divided among the threads, never a sum: the same to the last bit for any number of them. */
export function multiplyAdd(engine: Engine, entry: 4 | 8, ...values: Product): void {
  const [transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, C, ldc, lower] = values
  const name = entry === 8 ? 'multiplyAdd64' : 'multiplyAdd32'
  const threads = threadsFor(engine, (lower ? 1 : 2) * m * n * k)
  const bounds = lower ? triangleBounds(m, threads, 4) : evenBounds(m, threads, 4)
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
  /** Where given, a line adds its sum's product with its row of X to one entry; else its sum to a row. */
  readonly X?: Address
  readonly ldx?: number
}

/** Runs a pass, lines of the result divided among the threads, or columns where that costs less: every table is then made once. */
export function pass(engine: Engine, entry: 4 | 8, at: Pass): void {
  const { lines, length, size, lower = false } = at
  const threads = threadsFor(engine, ((lower ? 1 : 2) * lines * (length / entry) * at.count) / 4)
  const cuts = lower ? triangleCuts(length, threads) : evenBounds(length, threads, CHUNK)
  const widest = Math.max(...cuts.slice(1).map((end, part) => end - cuts[part]!)) / length
  const tables = 2 ** size
  const byColumns = at.X === undefined && (lower || widest * (tables + lines) <= tables + lines / threads)
  const bounds = byColumns ? cuts : evenBounds(lines, threads, 8)
  const source = ['rows', 'blocks', 'bits'].indexOf(at.source)
  engine.run(
    bounds.slice(1).map((end, part) => {
      const own = [bounds[part]!, end]
      const values = [
        ...[source, at.X === undefined ? 0 : 1, size, at.count, at.vectors ?? 0, at.vectorStride ?? 0],
        ...[at.weights ?? 0, at.weightStride ?? 0, at.chosen ?? 0, at.words ?? 0, at.wordStride ?? 0],
        ...[at.codes, lines, ...(byColumns ? [0, lines, ...own] : [...own, 0, length]), lower ? 1 : 0],
        ...[at.out, at.outStride, at.X ?? 0, at.ldx ?? 0],
        engine.room(`tables ${part}`, engine.kernels.tableBytes()),
      ]
      return [{ name: entry === 8 ? 'passes64' : 'passes32', values }]
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
