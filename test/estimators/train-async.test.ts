import { describe, expect, it } from 'vitest'
import { loadModel, ReluClassifier, ReluRegressor, type TrainProgress } from '../../src/estimators/index.ts'
import { bent, rays } from '../support/planted.ts'

const { X, y } = bent(70)
/** More work than a test would wait for. */
const endless = { gates: 100, lambda: 1e-7, tolerance: 1e-14, maxIterations: 100_000_000 }

/** How many turns a timer gets while some work goes on. */
async function turnsDuring(work: () => unknown): Promise<number> {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await work()
  clearInterval(timer)
  return turns
}

describe('trainAsync', () => {
  it('trains the same network as train', async () => {
    const options = { gates: 20, folds: 3, lambdaCount: 4 }
    const regressor = await new ReluRegressor(options).trainAsync(X, y)
    expect(regressor.toJSON()).toEqual(new ReluRegressor(options).train(X, y).toJSON())
    const { X: points, labels } = rays(40, ['a', 'b', 'c'])
    const classifier = await new ReluClassifier(options).trainAsync(points, labels)
    expect(classifier.toJSON()).toEqual(new ReluClassifier(options).train(points, labels).toJSON())
    expect(classifier.predict(points)).toEqual(new ReluClassifier(options).train(points, labels).predict(points))
  })

  it('lets the event loop breathe, in cross-validation and in training, which train does not', async () => {
    // Ends only because a timer got its turn, however busy the machine is.
    const controller = new AbortController()
    let turns = 0
    const timer = setInterval(() => {
      if (++turns > 3) controller.abort()
    }, 1)
    const { status } = await new ReluRegressor(endless).trainAsync(X, y, { signal: controller.signal })
    clearInterval(timer)
    expect(status).toBe('aborted')
    const folds = { gates: 60, lambdaRatio: 1e-5, maxIterations: 500 }
    expect(await turnsDuring(() => new ReluRegressor(folds).trainAsync(X, y))).toBeGreaterThan(3)
    const during = { gates: 100, lambda: 1e-7, tolerance: 1e-14, timeLimit: 0.4, maxIterations: 100_000_000 }
    expect(await turnsDuring(() => new ReluRegressor(during).train(X, y))).toBe(0)
  })

  it('reports the share of cross-validation from 0 towards 1, then ever better certificates', async () => {
    const seen: TrainProgress[] = []
    const options = { gates: 20, gateOrder: 0, folds: 3, lambdaCount: 4 }
    const regressor = await new ReluRegressor(options).trainAsync(X, y, { onProgress: (at) => seen.push(at) })
    const first = seen.findIndex(({ phase }) => phase === 'training')
    const choosing = seen.slice(0, first).filter((at) => at.phase === 'cross-validation')
    const training = seen.slice(first).filter((at) => at.phase === 'training')
    expect(choosing.length).toBe(first)
    expect(training.length).toBe(seen.length - first)
    const shares = choosing.map(({ share }) => share)
    expect(shares[0]).toBe(0)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(shares.at(-1)).toBeCloseTo(11 / 12, 12)
    expect(new Set(choosing.map(({ lambda }) => lambda))).toEqual(
      new Set(regressor.crossValidation!.points.map(({ lambda }) => lambda)),
    )
    expect(new Set(training.map(({ lambda }) => lambda))).toEqual(new Set([regressor.selectedLambda]))
    const objectives = training.map(({ certificate }) => certificate.primal)
    expect(objectives).toEqual([...objectives].sort((a, b) => b - a))
    expect(training.at(-1)!.certificate.primal).toBe(regressor.certificate.primal)
    expect(training.at(-1)!.iteration).toBe(regressor.iterations)
  })

  it('ends at an abort during training with the best network so far', async () => {
    const controller = new AbortController()
    let at = 0
    const regressor = await new ReluRegressor(endless).trainAsync(X, y, {
      signal: controller.signal,
      onProgress(progress) {
        if (progress.phase !== 'training' || progress.iteration < 100 || at > 0) return
        at = progress.iteration
        controller.abort()
      },
    })
    expect(regressor.status).toBe('aborted')
    expect(regressor.iterations).toBe(at)
    expect(regressor.score(X, y)).toBeGreaterThan(0.5)
    expect(regressor.certificate.dual).toBeLessThan(regressor.certificate.primal)
    expect((loadModel(JSON.stringify(regressor)) as ReluRegressor).predict(X)).toEqual(regressor.predict(X))
  })

  it('hears a timer while it trains', async () => {
    const regressor = await new ReluRegressor(endless).trainAsync(X, y, { signal: AbortSignal.timeout(50) })
    expect(regressor.status).toBe('aborted')
    expect(regressor.iterations).toBeGreaterThan(0)
  })

  it('ends at an abort during cross-validation with what is known by then', async () => {
    const controller = new AbortController()
    const options = { gates: 20, gateOrder: 0, folds: 3, lambdaCount: 8, lambdaRatio: 1e-3 }
    const regressor = await new ReluRegressor(options).trainAsync(X, y, {
      signal: controller.signal,
      onProgress: (at) => at.phase === 'cross-validation' && at.share > 0.5 && controller.abort(),
    })
    expect(regressor.status).toBe('aborted')
    const { points, selectedLambda } = regressor.crossValidation!
    expect(points.length).toBe(4)
    expect(points.map(({ lambda }) => lambda)).toContain(selectedLambda)
    expect(regressor.predict(X).every(Number.isFinite)).toBe(true)
    expect(ReluRegressor.load(JSON.stringify(regressor)).predict(X)).toEqual(regressor.predict(X))
  })

  it('that was aborted before it began is aborted, never solved, and its network is usable all the same', async () => {
    const { X: points, labels } = rays(40, [1, 2, 3])
    for (const lambda of ['cv', 0.01] as const) {
      const signal = AbortSignal.abort()
      const classifier = await new ReluClassifier({ gates: 20, lambda }).trainAsync(points, labels, { signal })
      expect(classifier.status).toBe('aborted')
      expect(classifier.predict(points).every((label) => [1, 2, 3].includes(label as number))).toBe(true)
      expect(Number.isFinite(classifier.certificate.gap)).toBe(true)
    }
  })

  it('keeps what it had when it fails or is refused', async () => {
    const regressor = new ReluRegressor({ gates: 20, lambda: 0.02 }).train(X, y)
    const before = regressor.predict(X)
    await expect(regressor.trainAsync(X, [1])).rejects.toThrow('y has 1 rows')
    const failing = regressor.trainAsync(bent(30, 8).X, bent(30, 8).y, {
      onProgress() {
        throw new Error('the listener failed')
      },
    })
    await expect(failing).rejects.toThrow('the listener failed')
    expect(regressor.predict(X)).toEqual(before)
  })
})
