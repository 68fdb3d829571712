import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Matrix, matrix, sampleGates } from '../../src/index.ts'
import type { Backend } from '../../src/numerics/backend.ts'
import { backends, useBackend } from '../../src/numerics/backends/index.ts'
import { wasm } from '../../src/numerics/backends/wasm.ts'
import { type BitColumns, bitColumns, setBit } from '../../src/numerics/bits.ts'
import { coneRows, denseOperator, gatedOperator, signedGatedOperator } from '../../src/operators/index.ts'
import { activationCones } from '../../src/sets/index.ts'
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

// These are small: in the module only when everything is.
const all: Backend[] = backends().map((one) => (one.name === 'wasm' ? wasm({ everything: true }) : one))

for (const backend of all) {
  const { name } = backend
  // Patterns are packed 32 rows to a word: the sizes around one and two words are where a kernel would slip.
  for (const outputs of [1, 3])
    for (const n of [1, 31, 32, 33, 65])
      operatorLaws(
        `gatedOperator on ${name} with n = ${n} and ${outputs} output${outputs > 1 ? 's' : ''}`,
        gated(backend, n, outputs),
        { selects: true, blocks: true },
      )

  operatorLaws(
    `gatedOperator on ${name} of any small size`,
    fc.tuple(small, fc.integer({ min: 1, max: 2 })).chain(([n, outputs]) => gated(backend, n, outputs)),
    { selects: true, blocks: true },
  )

  for (const outputs of [1, 2])
    for (const n of [1, 4, 33])
      operatorLaws(
        `signedGatedOperator on ${name} with n = ${n} and ${outputs} output${outputs > 1 ? 's' : ''}`,
        gated(backend, n, outputs, [1, -1]),
        { selects: true, blocks: true },
      )
}

for (const perGate of [1, 4])
  operatorLaws(`coneRows with ${perGate} block${perGate > 1 ? 's' : ''} per gate`, cones(5, perGate))

describe.each(all)('gatedOperator on $name', (backend) => {
  beforeEach(() => {
    useBackend(backend)
  })

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
    const fit = operator.apply(u)
    for (let r = 0; r < 3; r++) expect(fit[r]).toBeCloseTo(expected[r]!, 13)
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

/** Any X and any bits. */
function patterned(
  n: number,
): fc.Arbitrary<{ X: Matrix; patterns: BitColumns; on: (r: number, i: number) => boolean }> {
  return fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([d, P]) =>
      fc.tuple(anyMatrix(n, d), fc.array(fc.boolean(), { minLength: n * P, maxLength: n * P }), fc.constant(P)),
    )
    .map(([X, bits, P]) => {
      const patterns = bitColumns(n, P)
      const on = (r: number, i: number): boolean => bits[r * P + i]!
      for (let r = 0; r < n; r++) for (let i = 0; i < P; i++) if (on(r, i)) setBit(patterns, r, i)
      return { X, patterns, on }
    })
}

/** With the dense twin [D_1 X ... D_P X] laid out as the coefficients are: gate, sign (where there is one), output, feature. */
function gated(backend: Backend, n: number, outputs: number, signs: readonly number[] = [1]): fc.Arbitrary<Specimen> {
  return patterned(n).map(({ X, patterns, on }) => {
    const d = X.columns
    const block = signs.length * outputs * d
    const twin = matrix(n * outputs, patterns.count * block)
    for (let r = 0; r < n; r++)
      for (let i = 0; i < patterns.count; i++)
        for (let s = 0; s < signs.length; s++)
          for (let k = 0; k < outputs; k++)
            for (let j = 0; on(r, i) && j < d; j++)
              twin.data[(r * outputs + k) * twin.columns + ((i * signs.length + s) * outputs + k) * d + j] =
                signs[s]! * X.data[r * d + j]!
    useBackend(backend)
    const make = signs.length === 2 ? signedGatedOperator : gatedOperator
    return { operator: make(X, patterns, outputs), twin, block }
  })
}

/** The rows of (2 D_i - I) X over their norms, the zero ones left out, once for each block of the gate. */
function cones(n: number, perGate: number): fc.Arbitrary<Specimen> {
  return patterned(n).map(({ X, patterns, on }) => {
    const d = X.columns
    const norms = Array.from({ length: n }, (_, r) => Math.hypot(...X.data.subarray(r * d, (r + 1) * d)))
    const kept = norms.flatMap((norm, r) => (norm > 0 ? [r] : []))
    const blocks = patterns.count * perGate
    const twin = matrix(blocks * kept.length, blocks * d)
    for (let b = 0; b < blocks; b++)
      kept.forEach((r, k) => {
        const side = on(r, Math.floor(b / perGate)) ? 1 : -1
        for (let j = 0; j < d; j++)
          twin.data[(b * kept.length + k) * twin.columns + b * d + j] = (side * X.data[r * d + j]!) / norms[r]!
      })
    return { operator: coneRows(activationCones(X, patterns), perGate), twin }
  })
}
