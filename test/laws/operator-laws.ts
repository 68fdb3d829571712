import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BlockMaps, LinearOperator, Matrix, Vector } from '../../src/index.ts'
import { vector } from '../arbitraries.ts'

/** An operator, the same map as a dense matrix, and which of its columns a block holds. */
export interface Specimen {
  readonly operator: LinearOperator
  readonly twin: Matrix
  /** Columns per block of `select`, where the operator has it. */
  readonly block?: number
}

/**
 * What every linear operator must satisfy, `selects` and `blocks` when it offers `select` and block maps: one line per
 * operator runs all of it.
 */
export function operatorLaws(
  name: string,
  make: fc.Arbitrary<Specimen>,
  options: { selects?: boolean; blocks?: boolean } = {},
): void {
  const withVectors = make.chain((specimen) =>
    fc.tuple(
      fc.constant(specimen),
      vector(specimen.operator.columns),
      vector(specimen.operator.columns),
      vector(specimen.operator.rows),
    ),
  )
  const law = (title: string, check: (specimen: Specimen, u: Vector, w: Vector, p: Vector) => void): void =>
    it(title, () => {
      fc.assert(
        fc.property(withVectors, ([specimen, u, w, p]) => check(specimen, u, w, p)),
        { numRuns: 60 },
      )
    })

  describe(name, () => {
    law('has the sizes of its dense twin', ({ operator, twin }) => {
      expect([operator.rows, operator.columns]).toEqual([twin.rows, twin.columns])
    })

    law('apply is the product with the dense twin', ({ operator, twin }, u) => {
      expectClose(operator.apply(u), product(twin, u), sizeOf(twin, u))
    })

    law('adjoint is the product with the transpose of the dense twin', ({ operator, twin }, _u, _w, p) => {
      expectClose(operator.adjoint(p), transposeProduct(twin, p), sizeOf(twin, p))
    })

    law("<A u, p> = <u, A'p>", ({ operator, twin }, u, _w, p) => {
      const left = inner(operator.apply(u), p)
      const right = inner(u, operator.adjoint(p))
      expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-13 * sizeOf(twin, u) * (1 + largest(p)) * operator.rows)
    })

    law('A (u + s w) = A u + s A w', ({ operator, twin }, u, w) => {
      const together = operator.apply(u.map((value, k) => value - 1.5 * w[k]!))
      const first = operator.apply(u)
      const second = operator.apply(w)
      expectClose(
        together,
        first.map((value, k) => value - 1.5 * second[k]!),
        3 * (sizeOf(twin, u) + sizeOf(twin, w)),
      )
    })

    law('is the same map in float32, where it offers that', ({ operator, twin }, u, _w, p) => {
      const { single } = operator
      if (!single) return
      const rounding = 2 ** 25
      expectClose(single.apply(u), operator.apply(u), rounding * sizeOf(twin, u))
      expectClose(single.adjoint(p), operator.adjoint(p), rounding * sizeOf(twin, p))
    })

    law('a zero point has a fit of exact zeros', ({ operator }) => {
      expect(operator.apply(new Float64Array(operator.columns)).every((value) => value === 0)).toBe(true)
    })

    law('writes to out, returns it, and overwrites what was there', ({ operator }, u, _w, p) => {
      const fit = new Float64Array(operator.rows).fill(Number.NaN)
      expect(operator.apply(u, fit)).toBe(fit)
      expect(fit).toEqual(operator.apply(u))
      const correlation = new Float64Array(operator.columns).fill(Number.NaN)
      expect(operator.adjoint(p, correlation)).toBe(correlation)
      expect(correlation).toEqual(operator.adjoint(p))
    })

    law('never writes to its inputs', ({ operator }, u, _w, p) => {
      const [point, dual] = [u.slice(), p.slice()]
      operator.apply(u)
      operator.adjoint(p)
      expect(u).toEqual(point)
      expect(p).toEqual(dual)
    })

    law('gives the same answer twice, and a new array each time', ({ operator }, u, _w, p) => {
      const fit = operator.apply(u)
      const correlation = operator.adjoint(p)
      expect(operator.apply(u)).not.toBe(fit)
      expect(operator.apply(u)).toEqual(fit)
      expect(operator.adjoint(p)).toEqual(correlation)
    })

    if (options.blocks) blockLaws(make)

    law('onRows has the rows of the map that are asked for, where it offers that', ({ operator, twin }, u, _w, p) => {
      const { onRows, blocks } = operator
      if (!onRows || !blocks) return
      const { rows: n, outputs } = blocks
      // Every other row, and the last one first.
      const chosen = Int32Array.from([n - 1, ...Array.from({ length: Math.ceil(n / 2) }, (_, k) => 2 * k)])
      const some = onRows(chosen)
      expect([some.rows, some.columns]).toEqual([chosen.length * outputs, operator.columns])
      const places = Array.from(chosen).flatMap((r) => Array.from({ length: outputs }, (_, k) => r * outputs + k))
      const fit = operator.apply(u)
      expectClose(
        some.apply(u),
        Float64Array.from(places, (place) => fit[place]!),
        sizeOf(twin, u),
      )
      const part = Float64Array.from(places, (place) => p[place]!)
      const spread = new Float64Array(operator.rows)
      places.forEach((place, k) => {
        spread[place]! += part[k]!
      })
      expectClose(some.adjoint(part), operator.adjoint(spread), 2 * sizeOf(twin, spread))
    })

    if (!options.selects) return
    it('select keeps the blocks chosen, in the order given, repeats included', () => {
      const withChoice = make.chain((specimen) => {
        const blocks = specimen.operator.columns / specimen.block!
        return fc
          .array(fc.nat({ max: blocks - 1 }), { maxLength: 6 })
          .chain((chosen) =>
            fc.tuple(
              fc.constant(specimen),
              fc.constant(chosen),
              vector(chosen.length * specimen.block!),
              vector(specimen.operator.rows),
            ),
          )
      })
      fc.assert(
        fc.property(withChoice, ([{ operator, twin, block }, chosen, u, p]) => {
          const kept = operator.select!(Int32Array.from(chosen))
          const columns = chosen.flatMap((b) => Array.from({ length: block! }, (_, j) => b * block! + j))
          const narrow = columnsOf(twin, columns)
          expect([kept.rows, kept.columns]).toEqual([narrow.rows, narrow.columns])
          expectClose(kept.apply(u), product(narrow, u), sizeOf(narrow, u))
          expectClose(kept.adjoint(p), transposeProduct(narrow, p), sizeOf(narrow, p))
          if (kept.single) expectClose(kept.single.apply(u), kept.apply(u), 2 ** 25 * sizeOf(narrow, u))
        }),
        { numRuns: 60 },
      )
    })
  })
}

/** The maps of single blocks against the columns of the dense twin that they stand for. */
function blockLaws(make: fc.Arbitrary<Specimen>): void {
  const withChoice = make.chain((specimen) => {
    const { count, size, rows } = specimen.operator.blocks!
    return fc
      .array(fc.nat({ max: count - 1 }), { maxLength: 6 })
      .chain((chosen) =>
        fc.tuple(
          fc.constant(specimen),
          fc.constant(Int32Array.from(chosen)),
          vector(chosen.length * size),
          vector(rows),
          vector(chosen.length),
        ),
      )
  })

  it('its blocks are the columns of the dense twin where start says, the same for every output', () => {
    fc.assert(
      fc.property(withChoice, ([{ operator, twin }, chosen, vectors, p, weights]) => {
        const { rows, size, outputs, count, ...blocks } = operator.blocks!
        expect([rows * outputs, count * size * outputs]).toEqual([operator.rows, operator.columns])
        const A = Array.from(chosen, (b) => blockOf(twin, operator.blocks!, b))
        expect(blocks.images(chosen, vectors).length).toBe(chosen.length * rows)
        expect(blocks.correlations(chosen, p).length).toBe(chosen.length * size)
        A.forEach((A_b, i) => {
          const v = vectors.subarray(i * size, (i + 1) * size)
          const image = blocks.images(chosen, vectors).subarray(i * rows, (i + 1) * rows)
          expectClose(image, product(A_b, v), sizeOf(A_b, v))
          const correlation = blocks.correlations(chosen, p).subarray(i * size, (i + 1) * size)
          expectClose(correlation, transposeProduct(A_b, p), sizeOf(A_b, p))
          const A_c = A[(i + 1) % A.length]!
          const gram = blocks.gram(chosen[i]!, chosen[(i + 1) % A.length]!)
          for (let j = 0; j < size; j++) {
            const column = Float64Array.from({ length: rows }, (_, r) => A_c.data[r * size + j]!)
            const expected = transposeProduct(A_b, column)
            for (let l = 0; l < size; l++)
              expect(Math.abs(gram[l * size + j]! - expected[l]!)).toBeLessThanOrEqual(1e-13 * sizeOf(A_b, column))
          }
        })
        const kernel = blocks.kernel(chosen, weights, new Float64Array(rows * rows).fill(Number.NaN))
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < rows; s++) {
            if (s > r) {
              expect(kernel[r * rows + s]).toBeNaN()
              continue
            }
            let [expected, magnitude] = [0, 1]
            A.forEach((A_b, i) => {
              for (let j = 0; j < size; j++) {
                const term = weights[i]! * A_b.data[r * size + j]! * A_b.data[s * size + j]!
                expected += term
                magnitude += Math.abs(term)
              }
            })
            // The weights are added up first and the products after that: what cancels, cancels elsewhere.
            const scale = magnitude + largest(weights) * A.length * size * largest(twin.data) ** 2
            expect(Math.abs(kernel[r * rows + s]! - expected)).toBeLessThanOrEqual(1e-13 * scale)
          }
      }),
      { numRuns: 20 },
    )
  })
}

/** A_b from the columns of the twin, after a look that every output has the same. */
function blockOf(twin: Matrix, { rows, size, outputs, start }: BlockMaps, b: number): Matrix {
  const data = new Float64Array(rows * size)
  for (let k = 0; k < outputs; k++)
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < size; j++) {
        const entry = twin.data[(r * outputs + k) * twin.columns + start(b, k) + j]!
        if (k === 0) data[r * size + j] = entry
        else expect(entry).toBe(data[r * size + j])
      }
  return { rows, columns: size, data }
}

function product(A: Matrix, u: Vector): number[] {
  return Array.from({ length: A.rows }, (_, i) =>
    u.reduce((total, value, j) => total + A.data[i * A.columns + j]! * value, 0),
  )
}

function transposeProduct(A: Matrix, p: Vector): number[] {
  return Array.from({ length: A.columns }, (_, j) =>
    p.reduce((total, value, i) => total + A.data[i * A.columns + j]! * value, 0),
  )
}

function columnsOf(A: Matrix, columns: number[]): Matrix {
  const data = new Float64Array(A.rows * columns.length)
  for (let i = 0; i < A.rows; i++)
    for (let k = 0; k < columns.length; k++) data[i * columns.length + k] = A.data[i * A.columns + columns[k]!]!
  return { rows: A.rows, columns: columns.length, data }
}

/** Entrywise within the rounding of a sum of products of this size. */
function expectClose(actual: Vector, expected: ArrayLike<number>, size: number): void {
  expect(actual.length).toBe(expected.length)
  for (let k = 0; k < actual.length; k++) expect(Math.abs(actual[k]! - expected[k]!)).toBeLessThanOrEqual(1e-13 * size)
}

/** More than any sum of products of an entry of A, one of u and their number. */
function sizeOf(A: Matrix, u: Vector): number {
  return (1 + largest(A.data)) * (1 + largest(u)) * Math.max(A.rows, A.columns)
}

function largest(values: Vector): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function inner(a: Vector, b: Vector): number {
  return a.reduce((total, value, k) => total + value * b[k]!, 0)
}
