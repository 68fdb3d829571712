import { describe, expect, it } from 'vitest'
import { ReluClassifier, ReluRegressor, type TrainOptions } from '../../src/index.ts'
import { bent } from '../support/planted.ts'

const { X, y } = bent(40)

describe('options', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ gates: 0 }, 'gates is 0, expected a whole number of at least 1.'],
    [{ gates: 2.5 }, 'gates is 2.5, expected a whole number of at least 1.'],
    [{ gates: Number.NaN }, 'gates is NaN, expected a whole number of at least 1.'],
    [{ lambda: -1 }, 'lambda is -1, expected a number of at least 0 or "cv".'],
    [{ lambda: Number.POSITIVE_INFINITY }, 'lambda is Infinity, expected a number of at least 0 or "cv".'],
    [{ lambda: '0.1' }, 'lambda is "0.1", expected a number of at least 0 or "cv".'],
    [{ lambda: null }, 'lambda is null, expected a number of at least 0 or "cv".'],
    [{ penalty: 'l2' }, 'penalty is "l2", expected one of group-l1, joint-group-l1, l1, ridge, feature-group-l1.'],
    [{ penalty: 'toString' }, 'penalty is "toString", expected one of'],
    [
      { penalty: 'ridge' },
      'lambda is "cv", expected a number with the ridge penalty, which has no lambda_max to start a path from.',
    ],
    [{ program: 'relu-poet' }, 'program is "relu-poet", expected one of relu, gated-relu.'],
    [{ seed: -1 }, 'seed is -1, expected a whole number of at least 0.'],
    [{ seed: 0.5 }, 'seed is 0.5, expected a whole number of at least 0.'],
    [{ seed: 2 ** 53 }, 'seed is 9007199254740992, expected a whole number of at least 0.'],
    [{ tolerance: 0 }, 'tolerance is 0, expected a number above 0.'],
    [{ tolerance: Number.NaN }, 'tolerance is NaN, expected a number above 0.'],
    [{ maxIterations: 0 }, 'maxIterations is 0, expected a whole number of at least 1.'],
    [{ timeLimit: 0 }, 'timeLimit is 0, expected seconds above 0.'],
    [{ folds: 1 }, 'folds is 1, expected a whole number of at least 2.'],
    [{ lambdaCount: 0 }, 'lambdaCount is 0, expected a whole number of at least 1.'],
    [{ gateOrder: -1 }, 'gateOrder is -1, expected a whole number of features, 0 for all of them, or "cv".'],
    [{ gateOrder: 1.5 }, 'gateOrder is 1.5, expected a whole number of features, 0 for all of them, or "cv".'],
    [{ gateDraw: 'uniform' }, 'gateDraw is "uniform", expected one of normal, differences.'],
    [{ lambdaRatio: 0 }, 'lambdaRatio is 0, expected a number above 0 and at most 1.'],
    [{ lambdaRatio: 1.5 }, 'lambdaRatio is 1.5, expected a number above 0 and at most 1.'],
    [{ neurons: 5 }, 'there is no option neurons; the options are program, loss, lambda, gates, '],
    [{ Gates: 5 }, 'there is no option Gates; did you mean gates?'],
  ])('refuses %o when it is made, in a sentence with the name of the class', (options, sentence) => {
    for (const Estimator of [ReluRegressor, ReluClassifier]) {
      const make = (): unknown => new Estimator(options as TrainOptions)
      expect(make).toThrow(RangeError)
      expect(make).toThrow(`${Estimator.name}: ${sentence}`)
    }
  })

  it.each<[Record<string, unknown>, string]>([
    [{ gates: '20' }, 'gates is "20", expected a number; pass 20 without quotes.'],
    [{ tolerance: '1e-6' }, 'tolerance is "1e-6", expected a number; pass 0.000001 without quotes.'],
    [{ timeLimit: 'none' }, 'timeLimit is "none", expected a number; pass one.'],
    [{ folds: [5] }, 'folds is an object (Array), expected a number; pass one.'],
    [{ bias: 'unpenalised' }, 'bias is "unpenalised", expected true or false; pass one of them.'],
    [{ standardize: 1 }, 'standardize is 1, expected true or false; pass one of them.'],
  ])('refuses %o, which is of another kind', (options, sentence) => {
    for (const Estimator of [ReluRegressor, ReluClassifier]) {
      const make = (): unknown => new Estimator(options as TrainOptions)
      expect(make).toThrow(TypeError)
      expect(make).toThrow(`${Estimator.name}: ${sentence}`)
    }
  })

  it('that are undefined are as if left out', () => {
    const options = { lambda: undefined, gates: undefined, timeLimit: undefined } as unknown as TrainOptions
    const plain = new ReluRegressor({ lambdaCount: 3, folds: 2 }).train(X, y)
    const same = new ReluRegressor({ lambdaCount: 3, folds: 2, ...options }).train(X, y)
    expect(same.toJSON()).toEqual(plain.toJSON())
    expect(plain.toJSON().settings).toMatchObject({ lambda: 'cv', gates: 300, seed: 1, timeLimit: null })
  })

  it('stop the training: maxIterations and timeLimit give status and a usable network', () => {
    const hard = { gates: 100, lambda: 1e-6, tolerance: 1e-14 }
    const few = new ReluRegressor({ ...hard, maxIterations: 7 }).train(X, y)
    expect(few).toMatchObject({ status: 'iteration-limit', iterations: 7 })
    const short = new ReluRegressor({ ...hard, timeLimit: 0.02, maxIterations: 1e9 }).train(X, y)
    expect(short.status).toBe('time-limit')
    for (const regressor of [few, short]) {
      expect(regressor.certificate.relativeGap).toBeGreaterThan(1e-14)
      expect(regressor.predict(X).every(Number.isFinite)).toBe(true)
    }
  })

  it('set how close to optimal is close enough', () => {
    const of = (tolerance: number): ReluRegressor =>
      new ReluRegressor({ gates: 20, lambda: 0.01, tolerance }).train(X, y)
    const [rough, fine] = [of(1e-2), of(1e-9)]
    expect(rough.certificate.relativeGap).toBeLessThanOrEqual(1e-2)
    expect(fine.certificate.relativeGap).toBeLessThanOrEqual(1e-9)
    expect(rough.iterations).toBeLessThan(fine.iterations)
    expect(rough.certificate.primal).toBeGreaterThanOrEqual(fine.certificate.dual)
    expect(fine.certificate.primal).toBeGreaterThanOrEqual(rough.certificate.dual)
  })
})
