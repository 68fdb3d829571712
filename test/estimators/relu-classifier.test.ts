import { Matrix as MlMatrix } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { gatedReluProgram, type Label, ReluClassifier, toRows, verify } from '../../src/index.ts'
import { furthest, rays } from '../support/planted.ts'

const quick = { gates: 15, lambda: 0.01 }

describe('ReluClassifier', () => {
  it.each<[string, Label[], Label[]]>([
    ['two texts', ['yes', 'no'], ['no', 'yes']],
    ['two numbers', [10, 2], [2, 10]],
    ['negative and broken numbers', [0.5, -1], [-1, 0.5]],
    ['three texts of any kind', ['b "quoted"', '', '🏠'], ['', 'b "quoted"', '🏠']],
    ['four numbers', [3, 20, 100, 0], [0, 3, 20, 100]],
    ['numbers as texts', ['10', '9', '8'], ['8', '9', '10']],
    ['numbers beside texts, as texts', [1, 'one'], ['1', 'one']],
  ])('gives labels back as they came: %s', (_, labels, classes) => {
    const given = rays(60, labels)
    const classifier = new ReluClassifier(quick).train(given.X, given.labels)
    expect(classifier.classes).toEqual(classes)
    const predicted = classifier.predict(given.X)
    const known = new Set(classes)
    expect(predicted.every((label) => known.has(label))).toBe(true)
    const right = predicted.filter((label, r) => String(label) === String(given.labels[r])).length
    expect(classifier.score(given.X, given.labels)).toBe(right / 60)
    expect(right / 60).toBeGreaterThan(0.9)
  })

  it('gives the same answer for every accepted form of the same numbers', () => {
    const { X, labels } = rays(60, [1, 2, 3])
    const rows = toRows(X)
    const expected = new ReluClassifier(quick).train(X, labels).decisionFunction(X)
    for (const [form, given] of [
      [rows, labels],
      [rows.map((row) => Float64Array.from(row)), Int32Array.from(labels)],
      [new MlMatrix(rows), Float64Array.from(labels)],
    ] as const)
      expect(new ReluClassifier(quick).train(form, given).decisionFunction(form)).toEqual(expected)
  })

  it('predicts the sign of one output for two classes and the largest of one each for more', () => {
    const two = rays(50, ['a', 'b'])
    const binary = new ReluClassifier(quick).train(two.X, two.labels)
    const sign = binary.decisionFunction(two.X)
    expect(sign.columns).toBe(1)
    expect(binary.predict(two.X)).toEqual(Array.from(sign.data, (score) => (score > 0 ? 'b' : 'a')))
    const four = rays(80, ['a', 'b', 'c', 'd'])
    const several = new ReluClassifier(quick).train(four.X, four.labels)
    const scores = several.decisionFunction(four.X)
    expect(scores).toEqual(several.network.predict(four.X))
    expect(scores.columns).toBe(4)
    expect(several.predict(four.X)).toEqual(toRows(scores).map((row) => several.classes[row.indexOf(Math.max(...row))]))
  })

  it('separates rings that no line can', () => {
    const at = (r: number, k: number): number[] => [
      r * Math.cos((2 * Math.PI * k) / 40),
      r * Math.sin((2 * Math.PI * k) / 40),
    ]
    const rows = Array.from({ length: 80 }, (_, k) => at(k < 40 ? 1 : 2, k + 0.5))
    const labels = rows.map((_, k) => (k < 40 ? 'inside' : 'outside'))
    const classifier = new ReluClassifier({ gates: 60, lambda: 0.002 }).train(rows, labels)
    const between = Array.from({ length: 80 }, (_, k) => at(k < 40 ? 1 : 2, k))
    expect(classifier.score(between, labels)).toBe(1)
  })

  it('follows scaled and shifted columns', () => {
    const { X, labels } = rays(60, ['a', 'b', 'c'])
    const moved = toRows(X).map(([a, b]) => [1e3 * a! + 7, b! / 300 - 2])
    const settings = { ...quick, tolerance: 1e-10 }
    const plain = new ReluClassifier(settings).train(X, labels).decisionFunction(X)
    const other = new ReluClassifier(settings).train(moved, labels).decisionFunction(moved)
    expect(furthest(other.data, plain.data)).toBeLessThan(1e-6)
  })

  it.each([
    ['a', 'b'],
    ['a', 'b', 'c'],
  ])('hands out the problem it solved, for classes %s %s %s', (...classes) => {
    const { X, labels } = rays(60, classes.filter(Boolean))
    const classifier = new ReluClassifier(quick).train(X, labels)
    const program = gatedReluProgram(classifier.problem(X, labels))
    const { program: certificate, difference } = verify(program, classifier.preparedNetwork)
    const { primal } = classifier.certificate
    expect(Math.abs(certificate.primal - primal)).toBeLessThan(1e-10 * primal)
    expect(Math.abs(difference!)).toBeLessThan(1e-10 * primal)
  })

  it('scores labels that are numbers against the same as texts', () => {
    const { X, labels } = rays(40, [1, 2])
    const classifier = new ReluClassifier(quick).train(X, labels)
    expect(classifier.score(X, labels.map(String))).toBe(classifier.score(X, labels))
  })

  it.each<[string, unknown[], string]>([
    ['a label too few', ['a'], 'ReluClassifier: there are 1 labels and X has 2 rows; pass one label per row.'],
    [
      'NaN',
      [1, Number.NaN],
      'ReluClassifier: the label of row 1 is NaN, expected a text or a finite number; drop the row.',
    ],
    [
      'nothing',
      ['a', undefined],
      'ReluClassifier: the label of row 1 is undefined, expected a text or a finite number; drop the row.',
    ],
    [
      'true',
      [true, false],
      'ReluClassifier: the label of row 0 is true, expected a text or a finite number; drop the row.',
    ],
    [
      'one class only',
      ['a', 'a'],
      'encodeLabels: there is the one class "a", expected two classes or more; pass labels of each class.',
    ],
  ])('refuses %s in one sentence', (_, labels, sentence) => {
    expect(() => new ReluClassifier(quick).train([[1], [2]], labels as Label[])).toThrow(sentence)
  })

  it.each([
    [undefined, 'undefined'],
    ['ab', '"ab"'],
    [3, '3'],
  ])('refuses labels that are %o', (labels, shown) => {
    expect(() => new ReluClassifier(quick).train([[1], [2]], labels as unknown as Label[])).toThrow(
      new TypeError(
        `ReluClassifier: the labels are ${shown}, expected an array of texts or numbers; pass one label per row of X.`,
      ),
    )
  })

  it('says that it has not been trained, whatever is asked of it', () => {
    const classifier = new ReluClassifier()
    const rows = [[1, 2]]
    for (const ask of [
      () => classifier.predict(rows),
      () => classifier.decisionFunction(rows),
      () => classifier.score(rows, ['a']),
      () => classifier.problem([[1], [2]], ['a', 'b']),
      () => classifier.classes,
      () => classifier.toJSON(),
    ])
      expect(ask).toThrow('ReluClassifier: it has not been trained; call train(X, y) first.')
  })

  it('refuses other numbers of rows and of labels to score', () => {
    const { X, labels } = rays(40, [1, 2])
    const classifier = new ReluClassifier(quick).train(X, labels)
    expect(() => classifier.score(X, [1])).toThrow(
      'score: there are 1 labels and X has 40 rows; pass one label per row.',
    )
  })
})
