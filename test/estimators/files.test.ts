import { describe, expect, it } from 'vitest'
import { loadModel, ReluClassifier, ReluRegressor } from '../../src/estimators/index.ts'
import { bent, rays } from '../support/planted.ts'

const { X, y } = bent(50)
const { X: points, labels } = rays(45, ['b', 'ä', '"c"'])
const settings = { gates: 8, folds: 2, lambdaCount: 2, lambdaRatio: 0.1 }
const regressor = new ReluRegressor(settings).train(X, y)
const classifier = new ReluClassifier(settings).train(points, labels)

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Path = (string | number)[]

const parsed = (text: string): Json => JSON.parse(text)

/** Every place in a file; of an array the first entry stands for all. */
function places(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Array.isArray(value)
    ? value.slice(0, 1).flatMap((entry) => places(entry, [...path, 0]))
    : Object.entries(value).flatMap(([name, entry]) => places(entry, [...path, name]))
  return path.length > 0 ? [path, ...inner] : inner
}

/** A copy in which one place was changed. */
function changed(file: Json, path: Path, change: (holder: never, name: never) => void): object {
  const copy = structuredClone(file)
  let holder = copy
  for (const name of path.slice(0, -1)) holder = (holder as Json[])[name as number]!
  change(holder as never, path.at(-1) as never)
  return copy as object
}

/** What loading says, or `undefined` when it says nothing. */
function complaint(load: () => unknown): string | undefined {
  try {
    load()
    return undefined
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

describe('a file of an estimator', () => {
  it('brings back a regressor that predicts the same to the last bit', () => {
    const text = JSON.stringify(regressor)
    for (const loaded of [ReluRegressor.load(text), ReluRegressor.load(JSON.parse(text)), loadModel(text)]) {
      expect(loaded).toBeInstanceOf(ReluRegressor)
      const again = loaded as ReluRegressor
      expect(again.predict(X)).toEqual(regressor.predict(X))
      expect(again.score(X, y)).toBe(regressor.score(X, y))
      expect(JSON.stringify(again)).toBe(text)
      expect(again.certificate).toEqual(regressor.certificate)
      expect(again.crossValidation).toEqual(regressor.crossValidation)
      const { penalty, loss, ...problem } = regressor.problem(X, y)
      expect(again.problem(X, y)).toMatchObject(problem)
      expect(again.problem(X, y).penalty.name).toBe(penalty.name)
      expect(again.problem(X, y).loss.name).toBe(loss.name)
    }
  })

  it.each([[['b', 'ä', '"c"']], [['no', 'yes']], [[3, 1, 2]], [[0, 1]]])(
    'brings back a classifier of %j',
    (classes) => {
      const given = rays<string | number>(45, classes)
      const trained = new ReluClassifier({ gates: 8, lambda: 0.02 }).train(given.X, given.labels)
      const text = JSON.stringify(trained)
      for (const loaded of [ReluClassifier.load(text), loadModel(JSON.parse(text))]) {
        const again = loaded as ReluClassifier
        expect(again).toBeInstanceOf(ReluClassifier)
        expect(again.classes).toEqual(trained.classes)
        expect(again.predict(given.X)).toEqual(trained.predict(given.X))
        expect(again.decisionFunction(given.X)).toEqual(trained.decisionFunction(given.X))
        expect(JSON.stringify(again)).toBe(text)
      }
    },
  )

  it('brings back a network by itself', () => {
    const loaded = loadModel(JSON.stringify(regressor.network.toJSON())) as typeof regressor.network
    expect(loaded.kind).toBe('gated-relu-network')
    expect([...loaded.predict(X).data]).toEqual(regressor.predict(X))
  })

  it('keeps the options: what was loaded trains on as before', () => {
    const options = { gates: 6, lambda: 0.03, penalty: 'l1', bias: false, seed: 4, timeLimit: 60 } as const
    const first = new ReluRegressor(options).train(X, y)
    const other = bent(40, 6)
    const loaded = ReluRegressor.load(JSON.stringify(first)).train(other.X, other.y)
    expect(loaded.toJSON()).toEqual(new ReluRegressor(options).train(other.X, other.y).toJSON())
  })

  it('is not changed by later training of what it was written from or loaded to', () => {
    const source = new ReluRegressor({ gates: 6, lambda: 0.03 }).train(X, y)
    const file = source.toJSON()
    const text = JSON.stringify(file)
    const loaded = ReluRegressor.load(file)
    source.train(bent(30, 7).X, bent(30, 7).y)
    loaded.train(bent(30, 8).X, bent(30, 8).y)
    expect(JSON.stringify(file)).toBe(text)
  })

  const regressorFile = parsed(JSON.stringify(regressor))
  const classifierFile = parsed(JSON.stringify(classifier))
  const files = [
    ['a regressor', regressorFile, (json: object) => ReluRegressor.load(json)],
    ['a classifier', classifierFile, (json: object) => ReluClassifier.load(json)],
  ] as const

  it.each(files)('of %s says in one sentence which field is missing, for every field in turn', (_, file, load) => {
    // Cross-validation is there only when lambda was chosen, and has as many points and folds as it has.
    const optional = new Set(['crossValidation', 'crossValidation.points.0', 'crossValidation.points.0.folds.0'])
    const paths = places(file)
    expect(paths.length).toBeGreaterThan(60)
    for (const path of paths) {
      const name = path.join('.')
      const json = changed(file, path, (holder: Json[] | Record<string, Json>, key: never) => {
        if (Array.isArray(holder)) holder.splice(key, 1)
        else delete holder[key]
      })
      if (optional.has(name))
        expect(
          complaint(() => load(json)),
          name,
        ).toBeUndefined()
      else
        expect(
          complaint(() => load(json)),
          name,
        ).toMatch(/^TypeError: load(Model)?: .*[.]$/)
      expect(
        complaint(() => loadModel(json)),
        name,
      ).toEqual(path[0] === 'kind' ? expect.stringMatching(/of kind undefined/) : complaint(() => load(json)))
    }
  })

  it.each(files)(
    'of %s says in one sentence which field is of the wrong type, for every field in turn',
    (_, file, load) => {
      for (const path of places(file))
        for (const wrong of [{ no: 'value' }, [[]], true, null] as Json[]) {
          const name = `${path.join('.')} = ${JSON.stringify(wrong)}`
          let held: Json = null
          const json = changed(file, path, (holder: Record<string, Json>, key: never) => {
            held = holder[key]!
            holder[key] = wrong
          })
          if (typeof held === typeof wrong && typeof wrong !== 'object') continue
          if (held === null && wrong === null) continue
          expect(
            complaint(() => load(json)),
            name,
          ).toMatch(/^TypeError: load(Model)?: .*[.]$/)
        }
    },
  )

  it('names the field', () => {
    const without = (name: string): object =>
      changed(regressorFile, [name], (holder: Json[], key) => delete holder[key])
    expect(() => ReluRegressor.load(without('prepared'))).toThrow(
      /^loadModel: the model is damaged at "prepared" \(.*\); save it again with toJSON\(\)\.$/,
    )
  })

  it.each<[string, Path, Json, RegExp]>([
    ['an option out of range', ['settings', 'gates'], 0, /gates is 0, expected a whole number of at least 1/],
    ['a penalty that there is not', ['settings', 'penalty'], 'l7', /damaged at "settings\.penalty"/],
    ['a status that there is not', ['status'], 'fine', /damaged at "status"/],
    ['a negative lambda', ['selectedLambda'], -1, /damaged at "selectedLambda"/],
    ['a scale of zero', ['prepared', 'inputs', 'scale', 0], 0, /has (NaN|-?Infinity) in row/],
    ['more means than columns', ['prepared', 'inputs', 'mean'], [1, 2, 3, 4], /the scaling has 4 inputs/],
    ['a class twice', ['classes'], ['b', 'b', 'c'], /2 classes and 3 outputs do not belong together/],
    ['a class too few', ['classes'], ['b', 'c'], /2 classes and 3 outputs do not belong together/],
    ['one class', ['classes'], ['b'], /damaged at "classes"/],
  ])('with %s is refused', (_, path, value, sentence) => {
    const json = changed(classifierFile, path, (holder: Record<string, Json>, name: never) => {
      holder[name] = value
    })
    expect(complaint(() => ReluClassifier.load(json))).toMatch(sentence)
    expect(complaint(() => ReluClassifier.load(json))).toMatch(/^TypeError: loadModel: the model is damaged.*[.]$/)
  })

  it('of a newer version asks for an update', () => {
    const newer = { ...regressor.toJSON(), version: 2, surprise: true }
    for (const load of [ReluRegressor.load, loadModel])
      expect(() => load(newer)).toThrow(
        new TypeError('load: the model has format version 2 and this release reads up to 1; update cvxnn.'),
      )
  })

  it('of another kind says which kind it is', () => {
    expect(() => ReluRegressor.load(classifier.toJSON())).toThrow(
      'load: the model is of kind "relu-classifier", expected "relu-regressor"; use loadModel() for any kind.',
    )
    expect(() => ReluClassifier.load(regressor.network.toJSON())).toThrow('of kind "gated-relu-network"')
    expect(() => loadModel({ ...regressor.toJSON(), kind: 'relu-poet' })).toThrow(/of kind "relu-poet"/)
  })

  it.each<[string, unknown]>([
    ['an empty object', {}],
    ['null', null],
    ['a number', 7],
    ['an array', []],
    ['a file of another program', { format: 'onnx', version: 1, kind: 'relu-regressor' }],
    ['the text of one', '{"layers": []}'],
    ['the text null', 'null'],
  ])('that is none, %s, is called what it is', (_, json) => {
    for (const load of [ReluRegressor.load, ReluClassifier.load, loadModel])
      expect(complaint(() => load(json as object))).toMatch(
        /^TypeError: load(Model)?: this is not a cvxnn model \(no "format": "cvxnn"\); pass what toJSON\(\) wrote\.$/,
      )
  })

  it.each(['', '{"format": "cvxnn"', 'model.json'])('that is no JSON, %j, is called that', (text) => {
    for (const load of [ReluRegressor.load, ReluClassifier.load, loadModel])
      expect(complaint(() => load(text))).toMatch(
        /^TypeError: load(Model)?: the text is no JSON \(.*\); pass what toJSON\(\) wrote\.$/,
      )
  })
})
