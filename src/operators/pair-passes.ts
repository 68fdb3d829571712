import type { Floats, GatedPasses } from '../numerics/backend.ts'

/** Products with pairs of a block and an output: `size` entries a pair on one side, one a row and output on the other. */
export interface PairPasses<T extends Floats> {
  apply(u: T, out: T): void
  adjoint(p: T, out: T): void
}

/** What passes are of: rows, entries a block, and the kind of their vectors. */
export interface PassShape<T extends Floats> {
  readonly floats: (length: number) => T
  readonly rows: number
  readonly size: number
}

/** The products with block blocks[i] of output outputs[i] of `count`, one output after the other. */
export function outputByOutput<T extends Floats>(
  passes: GatedPasses<T>,
  { floats, rows: n, size: d }: PassShape<T>,
  blocks: Int32Array,
  outputs: Int32Array,
  count: number,
): PairPasses<T> {
  const places = Array.from({ length: count }, (_, k) =>
    Int32Array.from(outputs.keys()).filter((i) => outputs[i] === k),
  )
  const parts = places.map((own) => passes.select(own.map((i) => blocks[i]!)))
  return {
    apply(u, out) {
      out.fill(0)
      const column = floats(n)
      places.forEach((own, k) => {
        if (own.length === 0) return
        const vectors = floats(own.length * d)
        own.forEach((i, at) => {
          vectors.set(u.subarray(i * d, (i + 1) * d), at * d)
        })
        parts[k]!.apply(vectors, 1, column)
        for (let r = 0; r < n; r++) out[r * count + k] = column[r]!
      })
    },
    adjoint(p, out) {
      places.forEach((own, k) => {
        if (own.length === 0) return
        const column = floats(n)
        for (let r = 0; r < n; r++) column[r] = p[r * count + k]!
        const vectors = floats(own.length * d)
        parts[k]!.adjoint(column, 1, vectors)
        own.forEach((i, at) => {
          out.set(vectors.subarray(at * d, (at + 1) * d), i * d)
        })
      })
    },
  }
}
