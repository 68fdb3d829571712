import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyStandardization,
  fromRows,
  type GatedReluNetwork,
  gatedReluNetwork,
  loadModel,
  type Matrix,
  matrix,
  type ReluNetwork,
  reluNetwork,
  standardize,
  toMlMatrix,
  toRows,
  undoStandardization,
  unstandardize,
  type Vector,
} from '../../src/index.ts'
import { plainMatrix, vector } from '../arbitraries.ts'

type Network = GatedReluNetwork | ReluNetwork

interface Kind {
  readonly name: string
  /** A network of whatever weights, with as many inputs and outputs as asked. */
  readonly make: (width: number, features: number, outputs: number) => fc.Arbitrary<Network>
  /** The prediction for one row, from the formula. */
  readonly predict: (network: Network, x: readonly number[]) => number[]
  /** The same network with some weights replaced. */
  readonly change: (network: Network, fields: object) => Network
}

const dot = (M: Matrix, row: number, x: readonly number[]): number =>
  x.reduce((total, value, j) => total + value * M.data[row * M.columns + j]!, 0)

/** sum_j h_j w2_j + intercept */
function second({ W2, intercept }: Network, hidden: readonly number[]): number[] {
  return Array.from(
    intercept,
    (start, k) => start + hidden.reduce((total, h, j) => total + h * W2.data[j * intercept.length + k]!, 0),
  )
}

const shared = (width: number, features: number, outputs: number) => ({
  W1: plainMatrix(width, features),
  b1: vector(width),
  W2: plainMatrix(width, outputs),
  intercept: vector(outputs),
})

const kinds: Kind[] = [
  {
    name: 'reluNetwork',
    make: (width, features, outputs) => fc.record(shared(width, features, outputs)).map(reluNetwork),
    predict: (network, x) =>
      second(
        network,
        Array.from(network.b1, (b, j) => Math.max(0, dot(network.W1, j, x) + b)),
      ),
    change: (network, fields) => reluNetwork({ ...(network as ReluNetwork), ...fields }),
  },
  {
    name: 'gatedReluNetwork',
    make: (width, features, outputs) =>
      fc
        .record({
          ...shared(width, features, outputs),
          gates: plainMatrix(width, features),
          gateBias: vector(width),
        })
        .map(gatedReluNetwork),
    predict: (network, x) => {
      const { gates, gateBias } = network as GatedReluNetwork
      return second(
        network,
        Array.from(network.b1, (b, j) => (dot(gates, j, x) + gateBias[j]! >= 0 ? dot(network.W1, j, x) + b : 0)),
      )
    },
    change: (network, fields) => gatedReluNetwork({ ...(network as GatedReluNetwork), ...fields }),
  },
]

const sizes = fc.tuple(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 2 }),
  fc.integer({ min: 1, max: 6 }),
)

for (const { name, make, predict, change } of kinds)
  describe(name, () => {
    const cases = sizes.chain(([width, features, outputs, rows]) =>
      fc.record({ network: make(width, features, outputs), X: plainMatrix(rows, features) }),
    )
    const law = (title: string, check: (network: Network, X: Matrix) => void): void =>
      it(title, () => {
        fc.assert(fc.property(cases, ({ network, X }) => check(network, X)))
      })
    const [example] = fc.sample(make(3, 2, 2), { numRuns: 1, seed: 1 }) as [Network]

    law('predicts what its formula says', (network, X) => {
      const expected = toRows(X).map((x) => predict(network, x))
      const actual = toRows(network.predict(X))
      expected.forEach((row, r) => {
        row.forEach((value, k) => {
          expect(Math.abs(actual[r]![k]! - value)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(value)) * 100)
        })
      })
    })

    law('predicts each row alone as it does among others, and never writes to X', (network, X) => {
      const before = X.data.slice()
      const together = toRows(network.predict(X))
      toRows(X).forEach((x, r) => {
        expect(toRows(network.predict(fromRows([x])))).toEqual([together[r]])
      })
      expect(X.data).toEqual(before)
      expect(network.predict(toMlMatrix(X) as unknown as Matrix)).toEqual(network.predict(X))
    })

    law('comes back from JSON with the same weights and predictions', (network, X) => {
      const back = loadModel(JSON.stringify(network)) as Network
      expect(back.toJSON()).toEqual(JSON.parse(JSON.stringify(network)))
      expect([back.kind, back.width, back.features, back.outputs]).toEqual([
        network.kind,
        network.width,
        network.features,
        network.outputs,
      ])
      expect(toRows(back.predict(X)).flat()).toEqual(
        toRows(network.predict(X))
          .flat()
          .map((value) => expect.closeTo(value, 12)),
      )
      expect(loadModel(network.toJSON()).toJSON()).toEqual(network.toJSON())
    })

    law('gives a JSON of its own: changing it changes no network', (network, X) => {
      const before = network.predict(X)
      const json = network.toJSON() as unknown as { W1: number[][]; b1: number[] }
      json.b1.fill(17)
      for (const row of json.W1) row.fill(17)
      expect(network.predict(X)).toEqual(before)
    })

    it('without neurons predicts its intercept', () => {
      fc.assert(
        fc.property(make(0, 2, 2), plainMatrix(3, 2), (network, X) => {
          expect(network.width).toBe(0)
          for (const row of toRows(network.predict(X))) expect(row).toEqual(Array.from(network.intercept))
        }),
      )
    })

    it('refuses rows of another length and entries that are not finite', () => {
      expect(() => example.predict(matrix(1, 3))).toThrow(
        new RangeError('predict: X has 3 columns and the network reads 2; pass the features it was trained on.'),
      )
      expect(() => example.predict(fromRows([[1, Number.NaN]]))).toThrow(
        new RangeError('predict: X has NaN in row 0, column 1 (counted from 0); drop or impute the row.'),
      )
    })

    const parts = Object.entries(example.toJSON())
      .filter(([, value]) => Array.isArray(value))
      .map(([field]) => field)

    it.each(parts)('refuses a %s of another size or with NaN in it', (field) => {
      const value = example[field as 'W1' | 'b1']
      const isMatrix = 'rows' in value
      const longer = isMatrix ? matrix(value.rows + 1, value.columns) : new Float64Array(value.length + 1)
      expect(() => change(example, { [field]: longer })).toThrow(/do not belong together; pass one row per neuron\.$/)
      const data = (isMatrix ? value.data : (value as Vector)).slice()
      data[1] = Number.NaN
      const damaged = isMatrix ? { ...value, data } : data
      expect(() => change(example, { [field]: damaged })).toThrow(`${name}: ${field} has NaN in row 1`)
      expect(change(example, {}).toJSON()).toEqual(example.toJSON())
    })

    describe('in a file', () => {
      const json = example.toJSON() as unknown as Record<string, unknown>

      it.each(Object.keys(json))('%s is missed when it is not there', (field) => {
        const { [field]: _, ...rest } = json
        expect(() => loadModel(rest)).toThrow(TypeError)
        expect(() => loadModel(rest)).toThrow(/^loadModel: .+\.$/)
      })

      it.each(Object.keys(json))('%s is refused when it is something else', (field) => {
        for (const other of [null, 'text', -1, 1.5, [], {}, [['a']], [null], true]) {
          expect(() => loadModel({ ...json, [field]: other }), JSON.stringify(other)).toThrow(TypeError)
          expect(() => loadModel({ ...json, [field]: other })).toThrow(/^loadModel: .+\.$/)
        }
      })

      it.each(parts)('%s is refused when it is longer, shorter, ragged or not finite', (field) => {
        const value = json[field] as (number | number[])[]
        const nested = Array.isArray(value[0])
        const wrong: unknown[] = [value.slice(1), [...value, value[0]]]
        if (nested) wrong.push(value.map((row, i) => (i === 1 ? (row as number[]).slice(1) : row)))
        // JSON has no NaN: it is written as null.
        wrong.push(nested ? [...value.slice(1), [null, null]] : [...value.slice(1), null])
        for (const damaged of wrong) {
          expect(() => loadModel({ ...json, [field]: damaged }), JSON.stringify(damaged)).toThrow(
            /^loadModel: the model is damaged.+; save it again with toJSON\(\)\.$/,
          )
        }
      })

      it('a newer version says so', () => {
        expect(() => loadModel({ ...json, version: 99 })).toThrow(
          new TypeError('loadModel: the model has format version 99 and this release reads up to 1; update cvxnn.'),
        )
      })

      it('damage is named by its place', () => {
        const b1 = [...(json.b1 as number[])]
        expect(() => loadModel({ ...json, b1: [b1[0], 'x', b1[2]] })).toThrow('the model is damaged at "b1.1"')
      })
    })

    it('unstandardize reads raw rows and answers in raw units, as predicting on standardised rows and undoing it', () => {
      const raw = sizes.chain(([width, features, outputs, rows]) =>
        fc.record({
          network: make(width, features, outputs),
          X: plainMatrix(rows + 2, features),
          y: plainMatrix(rows + 2, outputs),
        }),
      )
      fc.assert(
        fc.property(raw, fc.boolean(), ({ network, X, y }, withTargets) => {
          const inputs = standardize(X)
          const targets = standardize(y)
          // Rows on a gate's boundary may go either way after rounding.
          if (network.kind === 'gated-relu-network') {
            const { gates, gateBias } = network
            for (const x of toRows(inputs.X))
              for (let j = 0; j < network.width; j++) fc.pre(Math.abs(dot(gates, j, x) + gateBias[j]!) > 1e-9)
          }
          const inside = network.predict(inputs.X)
          const expected = withTargets ? undoStandardization(inside, targets) : inside
          const back = withTargets ? unstandardize(network, inputs, targets) : unstandardize(network, inputs)
          expect(back.kind).toBe(network.kind)
          const actual = back.predict(X)
          const scale =
            1 +
            Math.max(...expected.data.map(Math.abs), ...inputs.mean.map((mean, j) => Math.abs(mean / inputs.scale[j]!)))
          for (let k = 0; k < expected.data.length; k++)
            expect(Math.abs(actual.data[k]! - expected.data[k]!)).toBeLessThanOrEqual(1e-11 * scale)
        }),
      )
    })

    it('unstandardize leaves the network it is given as it was, and refuses the scaling of other columns', () => {
      const before = JSON.stringify(example)
      const scaling = { mean: [1, 2], scale: [2, 0.5] }
      unstandardize(example, scaling, scaling)
      expect(JSON.stringify(example)).toBe(before)
      expect(() => unstandardize(example, { mean: [1], scale: [1] })).toThrow(
        new RangeError(
          'unstandardize: the scaling has 1 inputs and the network 2 and 2; pass the scaling it was trained with.',
        ),
      )
      expect(() => unstandardize(example, scaling, { mean: [1, 2, 3], scale: [1, 1, 1] })).toThrow(RangeError)
    })

    it('unstandardize serves rows it has not seen', () => {
      const scaling = standardize(
        fromRows([
          [1, 10],
          [3, -4],
          [2, 5],
        ]),
      )
      const rows = fromRows([
        [0.5, 2],
        [-3, 8],
      ])
      const expected = example.predict(applyStandardization(rows, scaling))
      const actual = unstandardize(example, scaling).predict(rows)
      actual.data.forEach((value, k) => {
        expect(value).toBeCloseTo(expected.data[k]!, 12)
      })
    })
  })

describe('loadModel', () => {
  it.each<[string, string | object, string]>([
    ['text that is no JSON', '{"format":', 'loadModel: the text is no JSON ('],
    ['a number', '3', 'loadModel: this is not a cvxnn model (no "format": "cvxnn"); pass what toJSON() wrote.'],
    ['null', 'null', 'loadModel: this is not a cvxnn model'],
    ['a list', '[]', 'loadModel: this is not a cvxnn model'],
    ["another program's file", { format: 'onnx', version: 1 }, 'loadModel: this is not a cvxnn model'],
    ['no version', { format: 'cvxnn', kind: 'relu-network' }, 'loadModel: the model is damaged at "version" ('],
    [
      'an unknown kind',
      { format: 'cvxnn', version: 1, kind: 'transformer' },
      'loadModel: the model is of kind "transformer", expected one of ',
    ],
    ['a kind every object has', { format: 'cvxnn', version: 1, kind: 'toString' }, 'loadModel: the model is of kind '],
  ])('refuses %s in a sentence', (_, file, sentence) => {
    expect(() => loadModel(file)).toThrow(TypeError)
    expect(() => loadModel(file)).toThrow(sentence)
  })
})
