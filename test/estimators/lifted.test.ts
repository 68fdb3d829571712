import { describe, expect, it } from 'vitest'
import {
  LiftedClassifier,
  type LiftedMethod,
  LiftedRegressor,
  type LiftedTrainOptions,
  loadModel,
} from '../../src/estimators/index.ts'
import { paceOf } from '../../src/estimators/lifted-options.ts'
import { fromRows, matrix, toRows } from '../../src/numerics/matrix.ts'
import { bent, furthest, rays } from '../support/planted.ts'

const methods: LiftedMethod[] = ['fenchel', 'lpom', 'tikhonov']
const { X, y } = bent(120)
const quick: LiftedTrainOptions = { hidden: [24], maxSweeps: 60 }

describe.each(methods)('%s', (method) => {
  const regressor = new LiftedRegressor({ ...quick, method }).train(X, y)
  const { X: points, labels } = rays(90, ['b', 'ä', 'c'])
  const classifier = new LiftedClassifier({ ...quick, method }).train(points, labels)

  it('fits what no line does, in regression and classification', () => {
    const straight = new LiftedRegressor({ method: 'fenchel', hidden: [], maxSweeps: 5 }).train(X, y).score(X, y)
    expect(regressor.score(X, y)).toBeGreaterThan(straight + 0.1)
    expect(classifier.score(points, labels)).toBeGreaterThan(0.9)
    expect(classifier.classes).toEqual(['b', 'c', 'ä'])
  })

  it('claims nothing beyond its blocks', () => {
    expect(regressor.certificate.scope).toBe('block')
    expect(classifier.certificate.scope).toBe('block')
    expect(regressor.measure.gaps).toHaveLength(method === 'lpom' ? 2 : 1)
  })

  it('reads raw rows and answers in raw units', () => {
    // Other units of the columns and of the target change nothing but the answer's own unit.
    const stretched = fromRows(toRows(X).map(([a, b, c]) => [1000 * a! - 7, b! / 50 + 3, c!]))
    const again = new LiftedRegressor({ ...quick, method }).train(
      stretched,
      y.map((value) => 100 * value + 5),
    )
    const [before, after] = [regressor.predict(X), again.predict(stretched)]
    expect(
      furthest(
        after.map((value) => (value - 5) / 100),
        before,
      ),
    ).toBeLessThan(1e-5)
  })

  it('is saved and loaded to the last bit', () => {
    const text = JSON.stringify(regressor)
    const one = loadModel(text)
    expect(one).toBeInstanceOf(LiftedRegressor)
    expect((one as LiftedRegressor).predict(X)).toEqual(regressor.predict(X))
    expect(JSON.stringify(one)).toBe(text)
    const words = JSON.stringify(classifier)
    const other = LiftedClassifier.load(words)
    expect(other.predict(points)).toEqual(classifier.predict(points))
    expect(JSON.stringify(other)).toBe(words)
  })

  it('tells two classes by the sign of one output, and numbers stay numbers', () => {
    const two = labels.map((label) => (label === 'b' ? 0 : 1))
    const found = new LiftedClassifier({ ...quick, method }).train(points, two)
    expect(found.network.outputs).toBe(1)
    expect(found.classes).toEqual([0, 1])
    expect(found.score(points, two)).toBeGreaterThan(0.9)
  })
})

describe('training', () => {
  it('is the same blocking or breathing, and with another seed another', async () => {
    const settings: LiftedTrainOptions = { hidden: [6, 5], maxSweeps: 4, tolerance: 0 }
    const blocking = new LiftedRegressor(settings).train(X, y)
    const sweeps: number[] = []
    const breathing = await new LiftedRegressor(settings).trainAsync(X, y, {
      onProgress: ({ sweep }) => sweeps.push(sweep),
    })
    expect(breathing.predict(X)).toEqual(blocking.predict(X))
    expect(sweeps).toEqual([0, 1, 2, 3, 4])
    expect(new LiftedRegressor({ ...settings, seed: 2 }).train(X, y).predict(X)).not.toEqual(blocking.predict(X))
    expect([blocking.status, blocking.sweeps]).toEqual(['iteration-limit', 4])
  })

  it('stops on request and keeps what there is', async () => {
    const controller = new AbortController()
    const options: LiftedTrainOptions = { hidden: [6], maxSweeps: 100_000, tolerance: 0 }
    const found = await new LiftedRegressor(options).trainAsync(X, y, {
      signal: controller.signal,
      onProgress: ({ sweep }) => sweep === 3 && controller.abort(),
    })
    expect([found.status, found.sweeps]).toEqual(['aborted', 3])
    expect(found.predict(X)).toHaveLength(120)
  })

  it('goes in batches of 100 beyond 2000 rows, unless it is told otherwise', () => {
    const many = bent(2001)
    const options: LiftedTrainOptions = { hidden: [4], maxSweeps: 2, tolerance: 0 }
    const weights = (batch?: number | 'all'): Float64Array =>
      new LiftedRegressor({ ...options, ...(batch && { batch }) }).train(many.X, many.y).network.layers[0]!.W.data
    expect(weights()).toEqual(weights(100))
    expect(weights('all')).not.toEqual(weights(100))
    const few = (batch?: 'all') => new LiftedRegressor({ ...options, ...(batch && { batch }) }).train(X, y).predict(X)
    expect(few()).toEqual(few('all'))
    expect(paceOf({}, 2000)).toEqual({ maxSweeps: 200 })
    expect(paceOf({}, 2001)).toEqual({ batch: 100, maxSweeps: 20 })
    expect(paceOf({ batch: 'all' }, 2001)).toEqual({ maxSweeps: 200 })
    expect(paceOf({ method: 'tikhonov' }, 2001)).toEqual({ maxSweeps: 20 })
  })

  it('takes batches, several targets and any activation', () => {
    const Y = fromRows(y.map((value, r) => [value, -2 * X.data[3 * r]!]))
    const found = new LiftedRegressor({ hidden: [20], batch: 20, maxSweeps: 40, activation: 'tanh' }).train(X, Y)
    expect(found.network.outputs).toBe(2)
    expect(found.score(X, Y)).toBeGreaterThan(0.7)
    expect(found.predict<number[]>(X)).toEqual(toRows(found.network.predict(X)))
  })
})

describe('what is wrong is said', () => {
  it.each<[string, () => unknown]>([
    ['method is "sgd"', () => new LiftedRegressor({ method: 'sgd' as 'lpom' })],
    ['hidden is [0]', () => new LiftedClassifier({ hidden: [0] })],
    ['hidden is []', () => new LiftedClassifier({ hidden: [], method: 'tikhonov' })],
    ['activation is "gelu"', () => new LiftedRegressor({ activation: 'gelu' as 'relu' })],
    ['activation is "tanh"', () => new LiftedRegressor({ method: 'tikhonov', activation: 'tanh' })],
    ['batch is 10', () => new LiftedRegressor({ method: 'tikhonov', batch: 10 })],
    ['ridge is -1', () => new LiftedRegressor({ ridge: -1 })],
    ['maxSweeps is 0', () => new LiftedRegressor({ maxSweeps: 0 })],
    ['there is no option gates', () => new LiftedRegressor({ gates: 3 } as LiftedTrainOptions)],
    ['y has 2 rows and X has 120', () => new LiftedRegressor().train(X, [1, 2])],
    ['X has NaN in row 0', () => new LiftedRegressor().train(matrix(1, 1, Float64Array.of(Number.NaN)), [1])],
    ['there are 1 labels', () => new LiftedClassifier().train(X, ['a'])],
  ])('%s', (sentence, make) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(sentence)
  })

  it('before it has been trained', () => {
    expect(() => new LiftedRegressor().network).toThrow('call train(X, y) first')
  })

  it('of files of another kind, or damaged', () => {
    const trained = new LiftedRegressor({ hidden: [3], maxSweeps: 2 }).train(X, y)
    const json = trained.toJSON()
    expect(() => LiftedClassifier.load(json)).toThrow('expected "lifted-classifier"')
    expect(() => LiftedRegressor.load('{')).toThrow('the text is no JSON')
    expect(() => LiftedRegressor.load({ ...json, version: 9 })).toThrow('format version 9')
    expect(() => LiftedRegressor.load({ ...json, sweeps: 'many' })).toThrow('damaged at "sweeps"')
    expect(() => LiftedRegressor.load({ ...json, settings: { ...json.settings, batch: 0 } })).toThrow('batch is 0')
  })
})
