import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  compactMatrix,
  fromRows,
  type Gates,
  gatesFrom,
  gatesOf,
  type Matrix,
  matrix,
  reluNetwork,
  type SampleGatesOptions,
  sampleGates,
} from '../../src/index.ts'
import { bitText } from '../../src/numerics/bits.ts'
import { random } from '../../src/numerics/random.ts'
import { anyMatrix, plainMatrix } from '../arbitraries.ts'

const drawn = vi.hoisted(() => ({ numbers: 0 }))

vi.mock('../../src/numerics/random.ts', async (load) => {
  const { random: make } = await load<typeof import('../../src/numerics/random.ts')>()
  return {
    random(seed: number) {
      const source = make(seed)
      const counted =
        <A extends unknown[], B>(draw: (...given: A) => B) =>
        (...given: A): B => {
          drawn.numbers++
          return draw(...given)
        }
      return { ...source, normal: counted(source.normal), below: counted(source.below) }
    },
  }
})

const inputs = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }))
  .chain(([n, d]) => anyMatrix(n, d))
const seeds = fc.nat({ max: 1e6 })

const texts = (gates: Gates): string[] => Array.from({ length: gates.count }, (_, i) => bitText(gates.patterns, i))

/** x g + g_0 of one row and gate. */
function side(X: Matrix, gates: Gates, r: number, i: number): number {
  let total = 0
  for (let j = 0; j < X.columns; j++)
    total += X.data[r * X.columns + j]! * gates.vectors.data[i * gates.vectors.columns + j]!
  return total + (gates.bias ? gates.vectors.data[(i + 1) * gates.vectors.columns - 1]! : 0)
}

/** The plain twin: every draw is made, one after the other, and none of them is the last because of what X can have. */
function allDraws(X: Matrix, count: number, seed: number): Gates {
  const draws = random(seed)
  const found = new Map<string, Float64Array>()
  for (let draw = 0; draw < 20 * count + 1000 && found.size < count; draw++) {
    const vector = Float64Array.from({ length: X.columns }, () => draws.normal())
    const text = bitText(gatesFrom(matrix(1, X.columns, vector), X).patterns, 0)
    if (text.includes('1') && !found.has(text)) found.set(text, vector)
  }
  return gatesFrom(fromRows([...found.values()].map((vector) => [...vector])), X)
}

describe('sampleGates', () => {
  const law = (title: string, check: (X: Matrix, seed: number, bias: boolean) => void): void =>
    it(title, () => {
      fc.assert(fc.property(inputs, seeds, fc.boolean(), check))
    })

  law('gives patterns that are distinct, on somewhere, and made by their vectors', (X, seed, bias) => {
    const gates = sampleGates(X, { count: 10, seed, bias })
    const patterns = texts(gates)
    expect(new Set(patterns).size).toBe(gates.count)
    expect(patterns.every((text) => text.includes('1'))).toBe(true)
    expect([gates.vectors.rows, gates.vectors.columns]).toEqual([gates.count, X.columns + (bias ? 1 : 0)])
    expect([gates.bias, gates.exhaustive]).toEqual([bias, false])
    patterns.forEach((text, i) => {
      for (let r = 0; r < X.rows; r++) expect(text[r] === '1').toBe(side(X, gates, r, i) >= 0)
    })
  })

  law('gives the same gates for the same seed, and the first of them when fewer are asked for', (X, seed, bias) => {
    const gates = sampleGates(X, { count: 8, seed, bias })
    expect(sampleGates(X, { count: 8, seed, bias })).toEqual(gates)
    const fewer = sampleGates(X, { count: 3, seed, bias })
    expect(texts(gates).slice(0, fewer.count)).toEqual(texts(fewer))
  })

  law('agrees with gatesFrom on the same vectors, and never writes to X', (X, seed, bias) => {
    const before = X.data.slice()
    const gates = sampleGates(X, { count: 5, seed, bias })
    expect(gatesFrom(gates.vectors, X)).toEqual(gates)
    expect(X.data).toEqual(before)
  })

  it('gives other gates for another seed', () => {
    const X = normal(20, 3)
    expect(texts(sampleGates(X, { count: 5, seed: 1 }))).not.toEqual(texts(sampleGates(X, { count: 5, seed: 2 })))
  })

  it('with bias puts no row on a boundary, as far as float64 can tell rows apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), seeds, (n, seed) => {
        const X = normal(n, 3, seed)
        const gates = sampleGates(X, { count: 6, seed, bias: true })
        for (let i = 0; i < gates.count; i++) {
          const sides = Array.from({ length: n }, (_, r) => Math.abs(side(X, gates, r, i)))
          expect(Math.min(...sides)).toBeGreaterThan(0)
        }
      }),
    )
  })

  it('gives fewer than asked where X has fewer: 2 (n - 1) + 2 cells at rank 2, of which one is off everywhere', () => {
    const half = normal(6, 1)
    const gates = sampleGates(half, { count: 100 })
    expect(gates.count).toBe(2)
    // General position in the plane: 2 n cells; half of a line of rows may make one all off.
    const plane = matrix(5, 2, Float64Array.of(1, 0, 0.5, 1, -1, 1, -1, -0.5, 0.3, -1))
    expect(sampleGates(plane, { count: 100 }).count).toBe(10)
    const fan = matrix(3, 2, Float64Array.of(1, 0, 1, 1, 0, 1))
    expect(sampleGates(fan, { count: 100 }).count).toBe(5)
  })

  it('low rank in many columns has few patterns too', () => {
    const [left, right] = [normal(5, 2, 1), normal(2, 8, 2)]
    const X = matrix(5, 8)
    for (let r = 0; r < 5; r++)
      for (let j = 0; j < 8; j++)
        X.data[r * 8 + j] = left.data[2 * r]! * right.data[j]! + left.data[2 * r + 1]! * right.data[8 + j]!
    const { count } = sampleGates(X, { count: 100 })
    expect(count).toBeLessThanOrEqual(10)
    expect(count).toBeGreaterThanOrEqual(9)
  })

  it('gives what all draws would, though it stops once nothing is left to be found', () => {
    fc.assert(
      fc.property(inputs, seeds, fc.integer({ min: 1, max: 60 }), fc.boolean(), (X, seed, count, repeated) => {
        if (repeated && X.rows > 1) X.data.copyWithin(0, X.columns, 2 * X.columns)
        expect(texts(sampleGates(X, { count, seed }))).toEqual(texts(allDraws(X, count, seed)))
      }),
    )
  })

  it.each<[string, Matrix, SampleGatesOptions, number]>([
    ['5 rows in general position', normal(5, 300), {}, 31],
    ['5 rows with bias', normal(5, 300), { bias: true }, 31],
    ['5 rows of which 3 are to be on', normal(5, 300), { bias: true, activeProportion: 0.6 }, 10],
    ['40 rows of which all are to be on', normal(40, 300), { bias: true, activeProportion: 1 }, 1],
    ['rows along a line', multiples(6, 300), { bias: true }, 11],
    ['rows of rank 1', multiples(6, 300), {}, 1],
    ['two features of many', normal(6, 300), { features: [7, 9] }, 11],
    ['windows of 5 images', normal(5, 64), { window: { shape: { height: 8, width: 8, channels: 1 }, size: 3 } }, 31],
    ['differences of 5 rows', normal(5, 300), { draw: 'differences' }, 18],
  ])('draws no more than twice the gates asked for where fewer are there: %s', (_, X, options, all) => {
    drawn.numbers = 0
    const { count } = sampleGates(X, { count: 400, ...options })
    expect(count).toBe(all)
    expect(drawn.numbers / (options.draw ? 2 : (options.features?.length ?? X.columns) + 1)).toBeLessThanOrEqual(800)
  })

  it('order bounds the features of a gate, drawn anew for each', () => {
    const X = normal(30, 6)
    for (const order of [1, 2, 3]) {
      const supports = supportsOf(sampleGates(X, { count: 40, order }))
      const sizes = new Set(supports.map((support) => support.length))
      expect([...sizes].sort()).toEqual(Array.from({ length: order }, (_, k) => k + 1))
      expect(new Set(supports.flat()).size).toBe(6)
    }
    for (const support of supportsOf(sampleGates(X, { count: 10, order: 6 }))) expect(support.length).toBe(6)
  })

  it('features are the only ones read, with order among them', () => {
    const X = normal(30, 6)
    for (const support of supportsOf(sampleGates(X, { count: 10, features: [4, 1] }))) expect(support).toEqual([1, 4])
    for (const support of supportsOf(sampleGates(X, { count: 20, features: [5, 0, 2], order: 2 }))) {
      expect(support.length).toBeLessThanOrEqual(2)
      expect(support.every((j) => [0, 2, 5].includes(j))).toBe(true)
    }
  })

  it('activeProportion is the share of rows that is on', () => {
    const X = normal(40, 3)
    for (const share of [0.01, 0.25, 0.5, 1]) {
      const gates = sampleGates(X, { count: 12, bias: true, activeProportion: share })
      expect(gates.count).toBe(share === 1 ? 1 : share === 0.01 ? gates.count : 12)
      for (const text of texts(gates)) expect(text.replaceAll('0', '').length).toBe(Math.max(1, Math.round(share * 40)))
    }
  })

  it('differences are those of two rows, and make distinct patterns by their vectors', () => {
    fc.assert(
      fc.property(inputs, seeds, fc.boolean(), (X, seed, bias) => {
        fc.pre(X.rows > 1 && new Set(rowTexts(X)).size > 1)
        const gates = sampleGates(X, { count: 6, seed, bias, draw: 'differences' })
        expect(new Set(texts(gates)).size).toBe(gates.count)
        expect(texts(gates).every((text) => text.includes('1'))).toBe(true)
        expect(gatesFrom(gates.vectors, X)).toEqual(gates)
        const pairs = new Set<string>()
        for (let a = 0; a < X.rows; a++)
          for (let b = 0; b < X.rows; b++)
            pairs.add(
              Array.from(
                { length: X.columns },
                (_, j) => X.data[a * X.columns + j]! - X.data[b * X.columns + j]!,
              ).join(),
            )
        for (let i = 0; i < gates.count; i++) {
          const g = gates.vectors.data.subarray(i * gates.vectors.columns, i * gates.vectors.columns + X.columns)
          expect(g.some((entry) => entry !== 0)).toBe(true)
          expect(pairs.has(Array.from(g).join())).toBe(true)
        }
      }),
    )
  })

  it('a window is a rectangle of whole pixels, of every size and place asked for', () => {
    const shape = { height: 4, width: 6, channels: 3 }
    const gates = sampleGates(normal(40, 72), { count: 300, window: { shape, size: [1, 2] } })
    const seen = new Set<string>()
    const pixels = new Set<number>()
    for (const support of supportsOf(gates)) {
      const inside = [...new Set(support.map((j) => Math.floor(j / 3)))]
      for (const pixel of inside) pixels.add(pixel)
      expect(support.length).toBe(3 * inside.length)
      const [rows, columns] = [inside.map((p) => Math.floor(p / 6)), inside.map((p) => p % 6)]
      const [height, width] = [rows, columns].map((at) => Math.max(...at) - Math.min(...at) + 1)
      expect(inside.length).toBe(height! * width!)
      seen.add(`${height} x ${width}`)
    }
    expect([...seen].sort()).toEqual(['1 x 1', '1 x 2', '2 x 1', '2 x 2'])
    expect(pixels.size).toBe(24)
    for (const support of supportsOf(sampleGates(normal(40, 72), { count: 20, window: { shape, size: 3 } })))
      expect(support.length).toBe(27)
  })

  it('differences within windows are those of the pixels there, of a compact matrix as of a full one', () => {
    const draws = random(5)
    const bytes = Uint8Array.from({ length: 30 * 25 }, () => (draws.below(3) === 0 ? draws.below(256) : 0))
    const X = compactMatrix(30, 25, bytes, { divisor: 255 })
    const full = matrix(
      30,
      25,
      Float64Array.from(bytes, (entry) => entry / 255),
    )
    const options: SampleGatesOptions = {
      count: 20,
      draw: 'differences',
      window: { shape: { height: 5, width: 5, channels: 1 }, size: 2 },
    }
    const gates = sampleGates(X, options)
    expect(gates).toEqual(sampleGates(full, options))
    for (const support of supportsOf(gates)) {
      expect(support.length).toBeGreaterThan(0)
      expect(support.at(-1)! - support[0]!).toBeLessThanOrEqual(6)
    }
  })

  it('takes any form of X', () => {
    const rows = [
      [1, 2],
      [-1, 0.5],
      [0.2, -3],
    ]
    expect(sampleGates(rows, { count: 4 })).toEqual(sampleGates(fromRows(rows), { count: 4 }))
  })

  it.each<[SampleGatesOptions, string]>([
    [{ count: 0 }, 'sampleGates: count is 0, expected a positive whole number; pass how many gates to sample.'],
    [{ count: 1.5 }, 'sampleGates: count is 1.5, expected a positive whole number; pass how many gates to sample.'],
    [
      { count: 1e9, bias: true },
      'sampleGates: count is 1000000000, expected at most 67108864 for 5 rows of 3 columns, so that the gates fit in memory; pass fewer, for example 100.',
    ],
    [{ seed: -1 }, 'seed is -1, expected a whole number from 0 to 2^53 - 1; pass for example seed: 1.'],
    [
      { order: 0 },
      'sampleGates: order is 0, expected a positive whole number; pass how many features a gate may read.',
    ],
    [
      { features: [] },
      'sampleGates: features is [], expected column numbers from 0 to 2; pass the columns a gate may read.',
    ],
    [
      { features: [0, 3] },
      'sampleGates: features is [0, 3], expected column numbers from 0 to 2; pass the columns a gate may read.',
    ],
    [
      { activeProportion: 0.5 },
      'sampleGates: activeProportion is 0.5 without bias, expected a share above 0 and at most 1 together with bias: true.',
    ],
    [
      { activeProportion: 0, bias: true },
      'sampleGates: activeProportion is 0, expected a share above 0 and at most 1 together with bias: true.',
    ],
    [
      { activeProportion: 1.5, bias: true },
      'sampleGates: activeProportion is 1.5, expected a share above 0 and at most 1 together with bias: true.',
    ],
    [
      { draw: 'other' as never },
      "sampleGates: draw is 'other', expected 'normal' or 'differences'; pass one of them, or nothing.",
    ],
    [
      { window: { shape: { height: 2, width: 2, channels: 1 }, size: 1 } },
      'sampleGates: the window is of images of 2 x 2 x 1 and X has 3 columns; pass the shape of its images.',
    ],
    [
      { window: { shape: { height: 1, width: 3, channels: 1 }, size: 2 } },
      "sampleGates: the window's size is 2, expected whole numbers from 1 to 1, the smaller first; pass for example 1.",
    ],
    [
      { window: { shape: { height: 1, width: 3, channels: 1 }, size: [1, 0.5] } },
      "sampleGates: the window's size is [1, 0.5], expected whole numbers from 1 to 1, the smaller first; pass for example 1.",
    ],
    [
      { window: { shape: { height: 1, width: 3, channels: 1 }, size: 1 }, order: 1 },
      'sampleGates: both window and order or features are given, and each says which features a gate reads; pass one of them.',
    ],
  ])('refuses %o in a sentence', (options, sentence) => {
    const X = normal(5, 3)
    expect(sampleGates(X, { count: 2 }).count).toBe(2)
    expect(() => sampleGates(X, { count: 2, ...options })).toThrow(new RangeError(sentence))
  })

  it.each([
    [{ features: 3 }, 'features is 3, expected an array of column numbers; pass the columns a gate may read.'],
    [{ features: null }, 'features is null, expected an array of column numbers; pass the columns a gate may read.'],
    [
      { window: 7 },
      'window is 7 without a shape, expected one of images; pass { shape: { height: 28, width: 28, channels: 1 }, size: 7 }.',
    ],
  ])('refuses %o, which is of another kind, in a sentence', (options, sentence) => {
    expect(() => sampleGates(normal(5, 3), { count: 2, ...(options as object) })).toThrow(
      new TypeError(`sampleGates: ${sentence}`),
    )
  })

  it('refuses differences of a single row, and of rows that are all alike', () => {
    expect(() => sampleGates([[1, 2]], { draw: 'differences' })).toThrow(
      new RangeError(
        "sampleGates: draw is 'differences' and X has 1 row, expected at least two; pass more rows, or draw: 'normal'.",
      ),
    )
    const alike = [
      [1, 2],
      [1, 2],
    ]
    expect(sampleGates(alike).count).toBe(1)
    expect(() => sampleGates(alike, { count: 2, draw: 'differences' })).toThrow(
      new RangeError(
        "sampleGates: no gate was on for any of the 2 rows of X and made of different rows; pass rows that differ, or draw: 'normal'.",
      ),
    )
  })

  it('refuses data that are none', () => {
    expect(() => sampleGates([])).toThrow(
      new RangeError('sampleGates: X is 0 x 0, expected at least one row and one column; pass the data.'),
    )
    expect(() =>
      sampleGates([
        [1, 2],
        [3, Number.NaN],
      ]),
    ).toThrow(new RangeError('sampleGates: X has NaN in row 1, column 1 (counted from 0); drop or impute the row.'))
  })
})

describe('gatesFrom', () => {
  const X = fromRows([
    [1, 0],
    [0, 1],
    [-1, 1],
  ])

  it('keeps every vector in its order, duplicates and all-off ones too, and puts boundary rows on', () => {
    const vectors = [
      [1, 0],
      [1, 0],
      [-1, -2],
    ]
    const gates = gatesFrom(vectors, X)
    expect(texts(gates)).toEqual(['110', '110', '000'])
    expect([gates.count, gates.bias, gates.exhaustive]).toEqual([3, false, false])
    expect(gatesFrom(vectors, X, { exhaustive: true }).exhaustive).toBe(true)
  })

  it('reads an offset from one entry more', () => {
    const gates = gatesFrom([[1, 0, -0.5]], X)
    expect([texts(gates), gates.bias]).toEqual([['100'], true])
  })

  it.each<[string, () => Gates, string]>([
    [
      'vectors of another length',
      () => gatesFrom([[1, 2, 3, 4]], X),
      'gatesFrom: a gate has 4 entries and X has 2 columns; pass one gate per row with 2 entries, or 3 with an offset last.',
    ],
    [
      'no vectors',
      () => gatesFrom(matrix(0, 2), X),
      'gatesFrom: vectors is empty, expected at least one gate; pass one gate per row.',
    ],
    [
      'NaN in a vector',
      () => gatesFrom([[1, Number.NaN]], X),
      'gatesFrom: vectors has NaN in row 0, column 1 (counted from 0); drop or impute the row.',
    ],
    [
      'Infinity in X',
      () => gatesFrom([[1, 2]], [[1, Number.POSITIVE_INFINITY]]),
      'gatesFrom: X has Infinity in row 0, column 1 (counted from 0); drop or impute the row.',
    ],
  ])('refuses %s in a sentence', (_, call, sentence) => {
    expect(call).toThrow(new RangeError(sentence))
  })
})

describe('gatesOf', () => {
  const networks = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }))
    .chain(([n, d, width]) =>
      fc.record({ X: plainMatrix(n, d), W1: plainMatrix(width, d), b1: plainMatrix(1, width), biased: fc.boolean() }),
    )

  it('has the pattern of every neuron once', () => {
    fc.assert(
      fc.property(networks, ({ X, W1, b1, biased }) => {
        const bias = biased ? b1.data : new Float64Array(W1.rows)
        const gates = gatesOf({ W1, b1: bias }, X)
        const patterns = texts(gates)
        expect(new Set(patterns).size).toBe(patterns.length)
        const expected = new Set<string>()
        for (let j = 0; j < W1.rows; j++) {
          let text = ''
          for (let r = 0; r < X.rows; r++) {
            let total = 0
            for (let f = 0; f < X.columns; f++) total += X.data[r * X.columns + f]! * W1.data[j * X.columns + f]!
            text += total + bias[j]! >= 0 ? '1' : '0'
          }
          expected.add(text)
        }
        expect(new Set(patterns)).toEqual(expected)
      }),
    )
  })

  it('with others keeps these first and as they were, and adds what they lack', () => {
    fc.assert(
      fc.property(networks, seeds, fc.boolean(), ({ X, W1, b1, biased }, seed, bias) => {
        const also = sampleGates(X, { count: 4, seed, bias })
        const network = { W1, b1: biased ? b1.data : new Float64Array(W1.rows) }
        const gates = gatesOf(network, X, also)
        expect(texts(gates).slice(0, also.count)).toEqual(texts(also))
        const own = texts(gatesOf(network, X))
        expect(new Set(texts(gates))).toEqual(new Set([...texts(also), ...own]))
        expect(gates.count).toBe(new Set([...texts(also), ...own]).size)
        expect(gates.vectors.columns).toBe(X.columns + (gates.bias ? 1 : 0))
      }),
    )
  })

  it('refuses other columns and entries that are not finite', () => {
    const network = reluNetwork({
      W1: fromRows([[1, 2]]),
      b1: Float64Array.of(0),
      W2: fromRows([[1]]),
      intercept: Float64Array.of(0),
    })
    expect(gatesOf(network, [[1, 1]]).count).toBe(1)
    expect(() => gatesOf(network, [[1, 2, 3]])).toThrow(
      new RangeError('gatesOf: X has 3 columns and the network reads 2; pass its data.'),
    )
    expect(() => gatesOf(network, [[1, Number.NaN]])).toThrow(
      new RangeError('gatesOf: X has NaN in row 0, column 1 (counted from 0); drop or impute the row.'),
    )
  })
})

function normal(rows: number, columns: number, seed = 1): Matrix {
  const draws = random(seed)
  return matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => draws.normal()),
  )
}

function rowTexts(X: Matrix): string[] {
  return Array.from({ length: X.rows }, (_, r) => X.data.subarray(r * X.columns, (r + 1) * X.columns).join())
}

/** The columns each gate reads. */
function supportsOf({ vectors, count }: Gates): number[][] {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: vectors.columns }, (_, j) => j).filter((j) => vectors.data[i * vectors.columns + j] !== 0),
  )
}

/** Multiples 1, 2, ... of one row. */
function multiples(rows: number, columns: number): Matrix {
  const row = normal(1, columns)
  return matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, k) => (1 + Math.floor(k / columns)) * row.data[k % columns]!),
  )
}
