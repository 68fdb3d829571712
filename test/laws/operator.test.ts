import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix, sampleGates } from '../../src/index.ts'
import { bitColumns, setBit } from '../../src/numerics/bits.ts'
import { denseOperator, gatedOperator } from '../../src/operators/index.ts'
import { anyMatrix } from '../arbitraries.ts'
import { operatorLaws, type Specimen } from './operator-laws.ts'

const small: fc.Arbitrary<number> = fc.integer({ min: 1, max: 6 })

operatorLaws(
  'denseOperator',
  fc
    .tuple(small, small)
    .chain(([rows, columns]) => anyMatrix(rows, columns))
    .map((twin) => ({ operator: denseOperator(twin), twin })),
)

// Patterns are packed 32 rows to a word: the sizes around one and two words are where a kernel would slip.
for (const outputs of [1, 3])
  for (const n of [1, 31, 32, 33, 65])
    operatorLaws(`gatedOperator with n = ${n} and ${outputs} output${outputs > 1 ? 's' : ''}`, gated(n, outputs))

operatorLaws(
  'gatedOperator of any small size',
  fc.tuple(small, fc.integer({ min: 1, max: 2 })).chain(([n, outputs]) => gated(n, outputs)),
)

describe('gatedOperator', () => {
  it('makes the patterns that sampleGates makes on the same X: a row passes where x g >= 0', () => {
    const X = matrix(3, 2, Float64Array.of(1, 2, -1, 0.5, 0, 0))
    const gates = sampleGates(X, { count: 3, seed: 2 })
    const operator = gatedOperator(X, gates.patterns)
    const u = Float64Array.from({ length: operator.columns }, (_, k) => 1 + k)
    const expected = [0, 1, 2].map((r) => {
      let total = 0
      for (let i = 0; i < gates.count; i++) {
        const side = X.data[2 * r]! * gates.vectors.data[2 * i]! + X.data[2 * r + 1]! * gates.vectors.data[2 * i + 1]!
        if (side >= 0) total += X.data[2 * r]! * u[2 * i]! + X.data[2 * r + 1]! * u[2 * i + 1]!
      }
      return total
    })
    operator.apply(u).forEach((value, r) => expect(value).toBeCloseTo(expected[r]!, 13))
  })

  it('with no gates maps the empty point to zero', () => {
    const operator = gatedOperator(matrix(3, 2), bitColumns(3, 0))
    expect(operator.columns).toBe(0)
    expect(operator.apply(new Float64Array(0))).toEqual(new Float64Array(3))
    expect(operator.adjoint(Float64Array.of(1, 2, 3))).toEqual(new Float64Array(0))
  })

  it('lets NaN through to the rows that read it, for the driver to report', () => {
    const patterns = bitColumns(2, 1)
    setBit(patterns, 1, 0)
    const operator = gatedOperator(matrix(2, 1, Float64Array.of(1, 1)), patterns)
    expect(operator.apply(Float64Array.of(Number.NaN))).toEqual(Float64Array.of(0, Number.NaN))
    expect(operator.adjoint(Float64Array.of(0, Number.NaN))).toEqual(Float64Array.of(Number.NaN))
  })

  it('refuses patterns of another number of rows, naming both', () => {
    expect(() => gatedOperator(matrix(3, 2), bitColumns(4, 1))).toThrow(
      new RangeError('gatedOperator: the patterns have 4 rows and X has 3; make the gates from the same X.'),
    )
  })
})

/** Any X and any bits, with the dense twin [D_1 X ... D_P X] laid out as the coefficients are: gate, output, feature. */
function gated(n: number, outputs: number): fc.Arbitrary<Specimen> {
  return fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([d, P]) =>
      fc.tuple(anyMatrix(n, d), fc.array(fc.boolean(), { minLength: n * P, maxLength: n * P }), fc.constant(P)),
    )
    .map(([X, bits, P]) => {
      const d = X.columns
      const patterns = bitColumns(n, P)
      const twin = matrix(n * outputs, P * outputs * d)
      for (let r = 0; r < n; r++)
        for (let i = 0; i < P; i++) {
          if (!bits[r * P + i]) continue
          setBit(patterns, r, i)
          for (let k = 0; k < outputs; k++)
            for (let j = 0; j < d; j++)
              twin.data[(r * outputs + k) * twin.columns + (i * outputs + k) * d + j] = X.data[r * d + j]!
        }
      return { operator: gatedOperator(X, patterns, outputs), twin, block: outputs * d }
    })
}
