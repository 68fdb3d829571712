import { describe, expect, it } from 'vitest'
import {
  certify,
  type GatedReluNetwork,
  type GatedReluOptions,
  type Gates,
  gatedReluNetwork,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  huber,
  l1,
  matrix,
  type ReluNetwork,
  reluNetwork,
  reluProgram,
  type TwoLayerOptions,
  toMlMatrix,
  verify,
} from '../../src/index.ts'

const X = [
  [1, 2],
  [-1, 0.5],
  [0, 1],
]
const y = [1, -1, 2]
const gates = gatesFrom(
  [
    [1, 0],
    [-1, 1],
  ],
  X,
)
const valid: TwoLayerOptions = { X, y, gates, lambda: 0.1 }

for (const [name, make] of [
  ['gatedReluProgram', gatedReluProgram],
  ['reluProgram', reluProgram],
] as const)
  describe(name, () => {
    const blocks = name === 'reluProgram' ? 4 : 2
    const kind = name === 'reluProgram' ? 'relu' : 'gated-relu'

    it('takes every form of X and y as the same data', () => {
      const point = { coefficients: Float64Array.from({ length: 2 * blocks }, (_, k) => Math.cos(k)) }
      const expected = certify(make(valid), point)
      const M = matrix(3, 2, Float64Array.from(X.flat()))
      for (const given of [
        { X: M },
        { X: toMlMatrix(M) },
        { y: Float64Array.from(y) },
        { y: y.map((value) => [value]) },
        { y: matrix(3, 1, Float64Array.from(y)) },
      ])
        expect(certify(make({ ...valid, ...given }), point)).toEqual(expected)
    })

    it('is frozen, named, and as large as its blocks', () => {
      const program = make(valid)
      expect(Object.isFrozen(program)).toBe(true)
      expect([program.name, program.lambda, program.scope]).toEqual([kind, 0.1, 'program'])
      expect([program.operator.rows, program.operator.columns]).toEqual([3, 2 * blocks])
      expect(make({ ...valid, bias: true }).operator.columns).toBe(3 * blocks)
      expect(make({ ...valid, bias: 'unpenalised' }).operator.columns).toBe(2 * blocks)
      expect(make({ ...valid, y: y.map((value) => [value, -value]) }).operator.columns).toBe(4 * blocks)
    })

    it.each<[string, Partial<Record<keyof TwoLayerOptions, unknown>>, string]>([
      ['a target too few', { y: [1, 2] }, 'y has 2 rows and X has 3; pass one target per row.'],
      [
        'NaN in X',
        {
          X: [
            [1, 2],
            [3, Number.NaN],
            [0, 1],
          ],
        },
        'X has NaN in row 1, column 1 (counted from 0); drop or impute the row.',
      ],
      [
        'Infinity in y',
        { y: [1, Number.POSITIVE_INFINITY, 0] },
        'y has Infinity in row 1, column 0 (counted from 0); drop or impute the row.',
      ],
      ['no rows', { X: [], y: [] }, 'X is 0 x 0, expected at least one row and one column; pass the data.'],
      [
        'gates of other rows',
        { gates: gatesFrom([[1, 0]], [[1, 2]]) },
        'the gates were made for 1 rows of 2 features and X is 3 x 2; call sampleGates with this X.',
      ],
      [
        'gates of other columns',
        { gates: gatesFrom([[1]], [[1], [2], [3]]) },
        'the gates were made for 3 rows of 1 features and X is 3 x 2; call sampleGates with this X.',
      ],
      ...[-1, Number.NaN, Number.POSITIVE_INFINITY].map((lambda): [string, object, string] => [
        `lambda ${lambda}`,
        { lambda },
        `lambda is ${lambda}, expected a number of at least 0; pass for example 0.1 * lambdaMax(program).`,
      ]),
      ...['unpenalized', 1, null].map((bias): [string, object, string] => [
        `bias ${bias}`,
        { bias },
        `bias is ${JSON.stringify(bias)}, expected one of true, false, "unpenalised"; pass one of them, or nothing.`,
      ]),
      ['an option that is written wrong', { biass: true }, 'there is no option biass; did you mean bias?'],
      [
        'an option that there is not',
        { device: 'gpu' },
        `there is no option device; the options are X, y, gates, lambda, loss, bias${name === 'reluProgram' ? '' : ', precision'}, penalty.`,
      ],
    ])('refuses %s in a sentence', (_, broken, sentence) => {
      expect(make(valid).lambda).toBe(0.1)
      expect(() => make({ ...valid, ...broken } as TwoLayerOptions)).toThrow(new RangeError(`${name}: ${sentence}`))
    })

    it('refuses lambda as a text', () => {
      expect(() => make({ ...valid, lambda: '0.1' } as unknown as TwoLayerOptions)).toThrow(
        new TypeError(`${name}: lambda is "0.1", expected a number; pass 0.1 without quotes.`),
      )
    })

    it.each<[string, Partial<Record<keyof TwoLayerOptions, unknown>>, string]>([
      ['X that is text', { X: 'table.csv' }, 'X is the text "table.csv", expected a matrix; '],
      ['y that is missing', { y: undefined }, 'y is undefined, expected a matrix; '],
      ['gates that are missing', { gates: undefined }, 'gates is undefined, expected gates; pass sampleGates('],
      ['a number of gates', { gates: 50 }, 'gates is 50, expected gates; pass sampleGates(X, { count: 100 }).'],
      ['a loss by name', { loss: 'huber' }, 'loss is "huber", expected a loss; pass for example squared().'],
      [
        'a loss that was not called',
        { loss: huber },
        'loss is the function huber, expected a loss; pass what it returns, huber().',
      ],
      ['a loss of some targets', { loss: huber().over(matrix(1, 1)) }, 'loss is an object (Object), expected a loss; '],
      [
        'words for targets',
        { y: ['a', 'b', 'c'] },
        'y has the text "a" at row 0, expected a number; pass numbers only.',
      ],
    ])('refuses %s, naming it', (_, broken, sentence) => {
      expect(() => make({ ...valid, ...broken } as TwoLayerOptions)).toThrow(TypeError)
      expect(() => make({ ...valid, ...broken } as TwoLayerOptions)).toThrow(`${name}: ${sentence}`)
    })

    it('refuses to be made of nothing, naming its options', () => {
      expect(() => make(undefined as unknown as TwoLayerOptions)).toThrow(
        `${name}: the options are undefined, expected an object; pass one with X, y, gates, lambda, `,
      )
    })

    it('keeps the scope of its gates, and loses it with a gate', () => {
      const all: Gates = { ...gates, exhaustive: true }
      const program = make({ ...valid, gates: all })
      expect(program.scope).toBe('network')
      expect(program.restrict!(Int32Array.of(0, 1)).scope).toBe('network')
      expect(program.restrict!(Int32Array.of(1)).scope).toBe('program')
      expect(certify(program, { coefficients: new Float64Array(2 * blocks) }).scope).toBe('network')
    })

    it('refuses points of another size', () => {
      expect(() => certify(make(valid), { coefficients: new Float64Array(3) })).toThrow(
        new RangeError(
          `certify: the point has 3 coefficients and ${kind} has ${2 * blocks}; pass a point of this program.`,
        ),
      )
    })
  })

describe('embed', () => {
  const weights = {
    W1: matrix(1, 2, Float64Array.of(1, 0.5)),
    b1: new Float64Array(1),
    W2: matrix(1, 1, Float64Array.of(2)),
    intercept: new Float64Array(1),
  }
  const gate = { gates: matrix(1, 2, Float64Array.of(1, 0)), gateBias: new Float64Array(1) }
  const gated = gatedReluProgram(valid)
  const relu = reluProgram({ ...valid, gates: gatesFrom([[1, 0.5]], X) })

  it('takes a network with the patterns of the program', () => {
    expect(gated.embed(gatedReluNetwork({ ...weights, ...gate })).coefficients).toEqual(Float64Array.of(2, 1, 0, 0))
    expect(relu.embed(reluNetwork(weights)).coefficients).toEqual(Float64Array.of(2, 1, 0, 0))
    const negative = reluNetwork({ ...weights, W2: matrix(1, 1, Float64Array.of(-2)) })
    expect(relu.embed(negative).coefficients).toEqual(Float64Array.of(0, 0, 2, 1))
  })

  it('passes over a neuron that is off on every row, which adds nothing', () => {
    const off = matrix(1, 2, Float64Array.of(-1, -9))
    expect(gated.embed(gatedReluNetwork({ ...weights, ...gate, gates: off })).coefficients).toEqual(new Float64Array(4))
    expect(relu.embed(reluNetwork({ ...weights, W1: off })).coefficients).toEqual(new Float64Array(4))
  })

  it.each<[string, () => unknown, string]>([
    [
      'a gate that the program has not',
      () => gated.embed(gatedReluNetwork({ ...weights, ...gate, gates: matrix(1, 2, Float64Array.of(-1, 0.1)) })),
      'embed: neuron 0 has an activation pattern that is not among the 2 of the program; add its gate with gatesFrom().',
    ],
    [
      'a neuron with a pattern that the program has not',
      () => relu.embed(reluNetwork({ ...weights, W1: matrix(1, 2, Float64Array.of(-1, 0.1)) })),
      "embed: neuron 0 has an activation pattern that is not among the 1 of the program; add the network's own with gatesOf(network, X, gates).",
    ],
    [
      'a bias that the program has not',
      () => gated.embed(gatedReluNetwork({ ...weights, ...gate, b1: Float64Array.of(1) })),
      'embed: neuron 0 has a bias and the program has none; make the program with bias: true.',
    ],
    [
      'a bias of a ReLU network that the program has not',
      () => relu.embed(reluNetwork({ ...weights, b1: Float64Array.of(1) })),
      'embed: neuron 0 has a bias and the program has none; make the program with bias: true.',
    ],
    [
      'other sizes',
      () =>
        relu.embed(
          reluNetwork({
            W1: matrix(1, 3),
            b1: new Float64Array(1),
            W2: matrix(1, 2),
            intercept: new Float64Array(2),
          }),
        ),
      'embed: the network reads 3 features and gives 2 outputs, and the program has 2 and 1; pass a network of these data.',
    ],
  ])('refuses %s in a sentence', (_, call, sentence) => {
    expect(call).toThrow(new RangeError(sentence))
  })

  it.each<[string, () => unknown, string]>([
    [
      'a ReLU network to a gated program',
      () => verify(gated, reluNetwork(weights) as unknown as GatedReluNetwork),
      'embed: the network is a relu-network and the program is gated-relu; pass a gated-relu-network.',
    ],
    [
      'a gated network to a ReLU program',
      () => verify(relu, gatedReluNetwork({ ...weights, ...gate }) as unknown as ReluNetwork),
      'embed: the network is a gated-relu-network and the program is relu; pass a relu-network.',
    ],
    [
      'a promise of a network',
      () => verify(relu, Promise.resolve(reluNetwork(weights)) as unknown as ReluNetwork),
      'embed: the network is an object (Promise) and the program is relu; pass a relu-network.',
    ],
  ])('refuses %s, naming both', (_, call, sentence) => {
    expect(call).toThrow(new TypeError(sentence))
  })

  it('of a network without neurons is zero', () => {
    const none = { W1: matrix(0, 2), b1: new Float64Array(0), W2: matrix(0, 1), intercept: new Float64Array(1) }
    expect(relu.embed(reluNetwork(none)).coefficients).toEqual(new Float64Array(4))
  })
})

describe('the penalty of a gated program', () => {
  it('is a choice, which is given the sizes, or a penalty that has them', () => {
    const chosen = gatedReluProgram({ ...valid, penalty: groupL1() })
    expect(chosen.penalty.blocks).toEqual({ size: 2 })
    expect(gatedReluProgram({ ...valid, penalty: groupL1({ size: 4 }) }).penalty.blocks).toEqual({ size: 4 })
    expect(gatedReluProgram(valid).penalty.name).toBe('group-l1')
  })

  it('of a ReLU program is the same, and no other', () => {
    expect(reluProgram({ ...valid, penalty: groupL1() }).penalty.name).toBe(reluProgram(valid).penalty.name)
    expect(() => reluProgram({ ...valid, penalty: l1() })).toThrow(
      new RangeError(
        'reluProgram: penalty is l1, expected group-l1, which the convex form needs; leave it out, or use gatedReluProgram().',
      ),
    )
  })

  it.each<[unknown, string]>([
    ['l1', 'penalty is "l1", expected a penalty; pass for example groupL1().'],
    [l1, 'penalty is the function l1, expected a penalty; pass what it returns, l1().'],
    [null, 'penalty is null, expected a penalty; pass for example groupL1().'],
  ])('is refused where it is %o', (penalty, sentence) => {
    expect(() => gatedReluProgram({ ...valid, penalty } as unknown as GatedReluOptions)).toThrow(
      new TypeError(`gatedReluProgram: ${sentence}`),
    )
  })
})
