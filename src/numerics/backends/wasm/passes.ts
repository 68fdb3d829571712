import type { Floats } from '../../backend.ts'
import type { Address, Engine, Typed } from './engine.ts'
import { type Kept, keep } from './kept.ts'
import { codesOfColumns, codesOfRows, halfOf, multiplyAdd, pass } from './parallel.ts'
import { paddedBytes, putPadded, takePadded } from './resident.ts'

/** Most bytes of images that are in the module's memory at once. */
const IMAGES = 2 ** 22

/** Rows first .. first + count - 1 of X, padded, for as long as no other block is asked for; `first` is a multiple of 32. */
export interface RowBlock {
  readonly X: Address
  readonly first: number
  readonly count: number
}

/** X (n x d) and patterns in the engine's memory, as the passes find them. */
export interface Inside {
  readonly engine: Engine
  readonly typed: Typed
  readonly n: number
  readonly d: number
  /** Bytes from one row of X to the next. */
  readonly ldx: number
  readonly words: Address
  /** Bytes from one pattern to the next. */
  readonly wordStride: number
  /** X, once through. */
  blocks(): Iterable<RowBlock>
  /** Codes that are kept from pass to pass, where X is one block. */
  readonly codes?: KeptCodes
}

/** Room for the codes of these columns in groups of `size`, and whether they stand there already, of a pass of this kind before. */
export type KeptCodes = (
  kind: 'rows' | 'columns',
  columns: Int32Array,
  size: number,
  bytes: number,
) => { address: Address; made: boolean } | undefined

/**
 * One place for each kind: the passes of an iteration are over the same columns as those of the last. What is said to stand there
 * is made by whoever is told that it does not, at once: nothing may fail in between.
 */
export function keptCodes(engine: Engine): KeptCodes {
  const places = new Map<string, { columns: Int32Array; size: number; room: Kept; bytes: number }>()
  return (kind, columns, size, bytes) => {
    if (bytes > MOST_CODES) return undefined
    const had = places.get(kind)
    if (had && had.size === size && sameList(had.columns, columns)) return { address: had.room.at(), made: true }
    const fits = had !== undefined && had.bytes >= bytes
    if (had && !fits) {
      places.delete(kind)
      had.room.release()
    }
    const place = fits ? had : { room: keep(engine, bytes), bytes }
    const address = place.room.at()
    places.set(kind, { ...place, columns, size })
    return { address, made: false }
  }
}

/** Bytes of codes that are kept; those of n rows and P columns are n P / 8. */
const MOST_CODES = 2 ** 26

function sameList(a: Int32Array, b: Int32Array): boolean {
  return a === b || (a.length === b.length && a.every((entry, k) => entry === b[k]))
}

/** A list of columns, copied in. */
export function putList(engine: Engine, list: Int32Array): Address {
  const address = engine.room('columns', 4 * list.length)
  engine.putWords(address, list)
  return address
}

/** out[:, k] <- sum_i D_i X u_{i,k} over these columns of the patterns. */
export function combine<T extends Floats>(inside: Inside, columns: Int32Array, u: T, outputs: number, out: T): void {
  const { engine, typed, n, d, ldx, words, wordStride } = inside
  const { entry } = typed
  const P = columns.length
  const row = paddedBytes(u, d)
  const coefficients = engine.room('coefficients', P * outputs * row)
  const places = engine.room('places', 4 * P)
  const fit = engine.room('fit', n * outputs * entry)
  putPadded(engine, coefficients, u, P * outputs, d)
  const halves = halfOf(row) < row
  const rest = halves ? engine.room('rest', n * outputs * entry) : fit
  engine.clear(fit, n * outputs * entry)
  if (halves) engine.clear(rest, n * outputs * entry)
  for (const { X, first, count } of inside.blocks())
    for (let k = 0; k < outputs; k++) {
      const vectors = coefficients + k * row
      const active = typed.activeBlocks(vectors, P, outputs * row, d * entry, places)
      if (active === 0) continue
      const size = groupSize(count, active)
      const chosen = engine.words(places, active).map((place) => columns[place]!)
      const list = putList(engine, chosen)
      const { codes, made } = codesRoom(inside, 'rows', chosen, size, count * Math.ceil(active / size))
      if (!made) codesOfRows(engine, words, wordStride, list, active, first, count, size, codes)
      pass(engine, entry, {
        source: 'blocks',
        vectors,
        vectorStride: outputs * row,
        chosen: places,
        count: active,
        size,
        codes,
        lines: count,
        length: row,
        out: fit + (first * outputs + k) * entry,
        rest: rest + (first * outputs + k) * entry,
        outStride: outputs * entry,
        X,
        ldx,
      })
    }
  engine.take(fit, out, 1, n * outputs, n * outputs)
  if (!halves) return
  const others = engine.view(out, rest, n * outputs)
  for (let k = 0; k < n * outputs; k++) out[k]! += others[k]!
}

/** out_{i,k} <- X' D_i p[:, k] over these columns of the patterns. */
export function correlate<T extends Floats>(inside: Inside, columns: Int32Array, p: T, outputs: number, out: T): void {
  const { engine, typed, n, d, ldx, words, wordStride } = inside
  const { entry } = typed
  const m = columns.length
  const row = paddedBytes(p, d)
  const weights = engine.room('fit', n * outputs * entry)
  const sums = engine.room('coefficients', m * outputs * row)
  engine.put(weights, p, 1, n * outputs, n * outputs)
  engine.clear(sums, m * outputs * row)
  for (const { X, first, count } of inside.blocks()) {
    const size = groupSize(m, count)
    const list = putList(engine, columns)
    const { codes, made } = codesRoom(inside, 'columns', columns, size, m * Math.ceil(count / size))
    if (!made) codesOfColumns(engine, words + (first >> 3), wordStride, list, m, count, size, codes)
    for (let k = 0; k < outputs; k++)
      pass(engine, entry, {
        source: 'rows',
        vectors: X,
        vectorStride: ldx,
        weights: weights + (first * outputs + k) * entry,
        weightStride: outputs * entry,
        count,
        size,
        codes,
        lines: m,
        length: row,
        out: sums + k * row,
        outStride: outputs * row,
      })
  }
  takePadded(engine, sums, out, m * outputs, d)
}

function codesRoom(
  { engine, codes }: Inside,
  kind: 'rows' | 'columns',
  columns: Int32Array,
  size: number,
  bytes: number,
): { codes: Address; made: boolean } {
  const kept = codes?.(kind, columns, size, bytes)
  return kept ? { codes: kept.address, made: kept.made } : { codes: engine.room('codes', bytes), made: false }
}

/** Row i of out <- D_{columns_i} X v_i. */
export function images<T extends Floats>(inside: Inside, columns: Int32Array, vectors: T, out: T): void {
  const { engine, typed, n, d, ldx, words, wordStride } = inside
  const { entry } = typed
  const m = columns.length
  const row = paddedBytes(vectors, d)
  const v = engine.room('coefficients', m * row)
  const list = putList(engine, columns)
  putPadded(engine, v, vectors, m, d)
  const most = Math.max(32, Math.floor(IMAGES / (m * entry)) & ~31)
  const result = engine.room('fit', m * Math.min(most, n) * entry)
  for (const { X, first, count } of inside.blocks())
    for (let r = 0; r < count; r += most) {
      const rows = Math.min(most, count - r)
      engine.clear(result, m * rows * entry)
      multiplyAdd(engine, entry, 0, 1, m, rows, d, 1, v, row, X + r * ldx, ldx, result, rows * entry, 0)
      typed.clearRows(result, rows * entry, rows, words + ((first + r) >> 3), wordStride, list, m)
      engine.take(result, out.subarray(first + r), m, rows, n)
    }
}

/**
 * Vectors per table: per vector a table takes 2^size / size additions to make, and every line 1 / size; those of a table
 * are stored, and cost a third more.
 */
export function groupSize(lines: number, vectors: number): number {
  const cost = (size: number): number => (1.33 * 2 ** size + lines) / size
  let best = 1
  for (let size = 2; size <= Math.min(8, vectors); size++) if (cost(size) < cost(best)) best = size
  return best
}
