import type { Backend, Floats, GatedKernel, RowReader } from '../numerics/backend.ts'
import type { BitColumns } from '../numerics/bits.ts'
import { isZeroBlock } from '../numerics/blocks.ts'
import type { BlockSketch } from '../types.ts'
import type { PairPasses } from './pair-passes.ts'

/** Rows of X, and lines of a panel, that are multiplied at a time. A multiple of 32: a block begins where a word of bits does. */
const ROWS = 1024
const LINES = 1024

/** The blocked kernel, which can also make columns of sum_i w_i D_i X X' D_i. */
export interface BlockedKernel<T extends Floats> extends GatedKernel<T> {
  select(chosen: Int32Array): BlockedKernel<T>
  /** See `BlockMaps.pairs`. */
  pairs(chosen: Int32Array, outputs: Int32Array, count: number): PairPasses<T>
  /** See `BlockMaps.sketch`. */
  sketch(rows: Int32Array): BlockSketch
}

/**
 * The products of [D_1 X ... D_P X] as dense products of panels: X is read `ROWS` rows at a time and multiplied with up to
 * `LINES` masked columns, or vectors, at once. 2 n d flops a gate and output, at the speed of the backend's gemm; memory is a
 * block of X, a panel, and what comes in and goes out.
 */
export function blockedKernel<T extends Floats>(
  { gemm }: Pick<Backend, 'gemm'>,
  floats: (length: number) => T,
  read: RowReader<T>,
  d: number,
  patterns: BitColumns,
  gates: Int32Array = Int32Array.from({ length: patterns.count }, (_, i) => i),
): BlockedKernel<T> {
  const { rows: n, stride, words } = patterns
  const columnsOf = (chosen: Int32Array): Int32Array => chosen.map((b) => gates[b]!)

  function* blocks(): Generator<{ X: T; first: number; count: number }> {
    for (let first = 0; first < n; first += ROWS) {
      const count = Math.min(ROWS, n - first)
      yield { X: read(first, count), first, count }
    }
  }

  /** line[to ..] <- D_gate p on rows first .. first + count - 1, or the 0/1 pattern itself where there is no p. */
  const mask = (
    gate: number,
    first: number,
    count: number,
    p: T | undefined,
    from: number,
    line: T,
    to: number,
  ): void => {
    let word = gate * stride + (first >> 5)
    for (let r = 0; r < count; r += 32) {
      const bits = words[word++]!
      const end = Math.min(32, count - r)
      if (p) for (let b = 0; b < end; b++) line[to + r + b] = ((bits >>> b) & 1) * p[from + r + b]!
      else for (let b = 0; b < end; b++) line[to + r + b] = (bits >>> b) & 1
    }
  }

  /** out_l <- X' D_{column_l} p[output_l], lines of d; p is one row of n entries an output. */
  const correlate = (
    lines: number,
    column: (l: number) => number,
    output: (l: number) => number,
    p: T,
    out: T,
  ): void => {
    out.fill(0, 0, lines * d)
    const panel = floats(Math.min(LINES, lines) * Math.min(ROWS, n))
    for (const { X, first, count } of blocks())
      for (let l0 = 0; l0 < lines; l0 += LINES) {
        const m = Math.min(LINES, lines - l0)
        for (let l = 0; l < m; l++) mask(column(l0 + l), first, count, p, output(l0 + l) * n + first, panel, l * count)
        gemm(false, false, m, d, count, 1, panel, count, X, d, 1, out.subarray(l0 * d) as T, d)
      }
  }

  /** each(line, first, count, product, at): the products X v_l over a block of rows, one line after the other. */
  const multiply = (
    lines: number,
    vectors: T,
    each: (l: number, first: number, count: number, product: T, at: number) => void,
  ): void => {
    const panel = floats(Math.min(LINES, lines) * Math.min(ROWS, n))
    for (const { X, first, count } of blocks())
      for (let l0 = 0; l0 < lines; l0 += LINES) {
        const m = Math.min(LINES, lines - l0)
        gemm(false, true, m, count, d, 1, vectors.subarray(l0 * d) as T, d, X, d, 0, panel, count)
        for (let l = 0; l < m; l++) each(l0 + l, first, count, panel, l * count)
      }
  }

  const byOutput = (p: T, outputs: number): T => {
    if (outputs === 1) return p
    const columns = floats(p.length)
    for (let r = 0, k = 0; r < n; r++) for (let o = 0; o < outputs; o++, k++) columns[o * n + r] = p[k]!
    return columns
  }

  /** out_r <- sum over the lines l of output k, at r k, of D_{gate(l)} X v_l. */
  const combine = (
    lines: number,
    gate: (l: number) => number,
    output: (l: number) => number,
    vectors: T,
    outputs: number,
    out: T,
  ): void => {
    const columns = floats(n * outputs)
    multiply(lines, vectors, (l, first, count, product, at) => {
      const to = output(l) * n + first
      let word = gate(l) * stride + (first >> 5)
      for (let r = 0; r < count; r += 32) {
        const bits = words[word++]!
        const end = Math.min(32, count - r)
        for (let b = 0; b < end; b++) columns[to + r + b]! += ((bits >>> b) & 1) * product[at + r + b]!
      }
    })
    for (let r = 0, k = 0; r < n; r++) for (let o = 0; o < outputs; o++, k++) out[k] = columns[o * n + r]!
  }

  return {
    apply(u, outputs, out) {
      const active: number[] = []
      for (let l = 0; l < gates.length * outputs; l++) if (!isZeroBlock(u, l * d, d)) active.push(l)
      const vectors = floats(active.length * d)
      active.forEach((l, k) => {
        vectors.set(u.subarray(l * d, (l + 1) * d), k * d)
      })
      const gate = (k: number): number => gates[Math.floor(active[k]! / outputs)]!
      combine(active.length, gate, (k) => active[k]! % outputs, vectors, outputs, out)
    },
    adjoint(p, outputs, out) {
      const column = (l: number): number => gates[Math.floor(l / outputs)]!
      correlate(gates.length * outputs, column, (l) => l % outputs, byOutput(p, outputs), out)
    },
    pairs(chosen, outputs, count) {
      const columns = columnsOf(chosen)
      const gate = (l: number): number => columns[l]!
      const output = (l: number): number => outputs[l]!
      return {
        apply: (u, out) => combine(columns.length, gate, output, u, count, out),
        adjoint: (p, out) => correlate(columns.length, gate, output, byOutput(p, count), out),
      }
    },
    images(chosen, vectors, out) {
      const columns = columnsOf(chosen)
      multiply(chosen.length, vectors, (l, first, count, product, at) => {
        mask(columns[l]!, first, count, product, at, out, l * n + first)
      })
    },
    correlations(chosen, p, out) {
      const columns = columnsOf(chosen)
      correlate(
        chosen.length,
        (l) => columns[l]!,
        () => 0,
        p,
        out,
      )
    },
    kernel(chosen, weights, out) {
      for (let first = 0; first < n; first += ROWS) {
        const count = Math.min(ROWS, n - first)
        const found = makeSketch(Int32Array.from({ length: count }, (_, k) => first + k)).columns(
          chosen,
          Float64Array.from(weights),
          floats(n * count),
        )
        for (let r = first; r < n; r++)
          for (let k = 0; k < count && first + k <= r; k++) out[r * n + first + k] = found[r * count + k]!
      }
    },
    gram(b, c, out) {
      out.fill(0)
      const [first, second] = [gates[b]!, gates[c]!]
      const both = floats(Math.min(ROWS, n) * d)
      for (const { X, first: row, count } of blocks()) {
        for (let r = 0; r < count; r++) {
          const at = (row + r) >> 5
          const on = ((words[first * stride + at]! & words[second * stride + at]!) >>> ((row + r) & 31)) & 1
          for (let j = r * d; j < (r + 1) * d; j++) both[j] = on * X[j]!
        }
        gemm(true, false, d, d, count, 1, both, d, X, d, 1, out, d)
      }
    },
    select: (chosen) => blockedKernel({ gemm }, floats, read, d, patterns, columnsOf(chosen)),
    sketch: (rows) => makeSketch(rows),
  }

  /** Columns of sum_i w_i D_i X X' D_i: X X_J' is multiplied once, and after that only the patterns are. */
  function makeSketch(rows: Int32Array): BlockSketch {
    const m = rows.length
    const landmarks = floats(m * d)
    rows.forEach((r, k) => {
      landmarks.set(read(r, 1), k * d)
    })
    const products = floats(n * m)
    const traces = new Float64Array(gates.length)
    const squares = new Float64Array(n)
    for (const { X, first, count } of blocks()) {
      gemm(false, true, count, m, d, 1, X, d, landmarks, d, 0, products.subarray(first * m) as T, m)
      for (let r = 0; r < count; r++) {
        let square = 0
        for (let j = r * d; j < (r + 1) * d; j++) square += X[j]! * X[j]!
        squares[first + r] = square
        for (let i = 0; i < gates.length; i++)
          traces[i]! += ((words[gates[i]! * stride + ((first + r) >> 5)]! >>> ((first + r) & 31)) & 1) * square
      }
    }
    return {
      count: m,
      traces,
      diagonal(chosen, weights) {
        const out = new Float64Array(n)
        columnsOf(chosen).forEach((gate, i) => {
          const weight = weights[i]!
          let word = gate * stride
          for (let r = 0; r < n; r += 32) {
            const bits = words[word++]!
            const end = Math.min(32, n - r)
            for (let b = 0; b < end; b++) out[r + b]! += ((bits >>> b) & 1) * weight
          }
        })
        for (let r = 0; r < n; r++) out[r]! *= squares[r]!
        return out
      },
      columns(chosen, weights, out) {
        const columns = columnsOf(chosen)
        const a = columns.length
        const weighted = floats(a * m)
        for (let i = 0; i < a; i++)
          for (let k = 0; k < m; k++)
            weighted[i * m + k] =
              ((words[columns[i]! * stride + (rows[k]! >> 5)]! >>> (rows[k]! & 31)) & 1) * weights[i]!
        const panel = floats(a * Math.min(ROWS, n))
        const agreement = floats(Math.min(ROWS, n) * m)
        for (let first = 0; first < n; first += ROWS) {
          const count = Math.min(ROWS, n - first)
          for (let i = 0; i < a; i++) mask(columns[i]!, first, count, undefined, 0, panel, i * count)
          if (a > 0) gemm(true, false, count, m, a, 1, panel, count, weighted, m, 0, agreement, m)
          else agreement.fill(0)
          for (let k = 0, to = first * m; k < count * m; k++, to++) out[to] = agreement[k]! * products[to]!
        }
        return out
      },
    }
  }
}
