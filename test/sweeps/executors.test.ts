import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bullmq,
  crossValidate,
  type Executor,
  type FoldJob,
  type FoldOutcome,
  inline,
  kFolds,
  matrix,
  ReluClassifier,
  ReluRegressor,
  type SharedRows,
  type SweepData,
  type SweepGridOptions,
  type SweepResult,
  type SweepWorker,
  sweepGrid,
  sweepWorker,
  threads,
} from '../../src/index.ts'
import { bent, rays } from '../support/planted.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const numbers = bent(60, 3, 0.4)
const classes = rays(60, ['a', 'b', 'c'])
const labels = classes.labels.map((label, r) => (r % 7 === 0 ? 'b' : label))
const settings = [
  { gates: 10, lambdaCount: 6, lambdaRatio: 0.01 },
  { gates: 12, gateOrder: 1, lambdaCount: 4, bias: false },
  { gates: 8, lambdas: [0.01, 0] },
]

/** A result without the only figure that differs from run to run. */
const bare = ({ seconds, ...rest }: SweepResult): Omit<SweepResult, 'seconds'> => {
  expect(seconds).toBeGreaterThanOrEqual(0)
  return rest
}

async function all(data: SweepData, options: SweepGridOptions): Promise<Omit<SweepResult, 'seconds'>[]> {
  const found: Omit<SweepResult, 'seconds'>[] = []
  for await (const result of sweepGrid(data, options)) found.push(bare(result))
  return found.sort((a, b) => a.setting - b.setting || a.seed - b.seed || a.fold - b.fold)
}

/** An executor that notes which jobs it was given. */
function noting(): Executor & { readonly jobs: FoldJob[] } {
  const jobs: FoldJob[] = []
  return {
    ...{ name: 'noting', jobs, close: async () => {} },
    async *run(given, data, watch): AsyncGenerator<FoldOutcome, void> {
      jobs.push(...given)
      yield* inline().run(given, data, watch)
    },
  }
}

/** Where else jobs may run: how to open it, and what to close with it. */
const places: [string, () => Promise<Executor>][] = [
  ['inline', async () => inline()],
  ['threads', async () => threads({ count: 2 })],
]

let redis: TestRedis
let worker: SweepWorker
if (hasRedis) {
  places.push(['bullmq', async () => bullmq({ redis: redis.url })])
  beforeAll(async () => {
    redis = await startRedis()
    worker = await sweepWorker({ redis: redis.url, lease: 2 })
  })
  afterAll(async () => {
    await worker.close()
    await redis.stop()
  })
}

describe.each(places)('%s', (_, open) => {
  let executor: Executor
  beforeAll(async () => {
    executor = await open()
  })
  afterAll(() => executor.close())

  it('finds what every other executor finds, to the last bit', async () => {
    const options = { settings, seeds: [1, 2], folds: 3 }
    const expected = await all(numbers, options)
    expect(expected).toHaveLength(18)
    const shares: number[] = []
    const onProgress = ({ share }: { share: number }): void => void shares.push(share)
    expect(await all(numbers, { ...options, executor, onProgress })).toEqual(expected)
    expect(shares.at(-1)).toBeCloseTo(1, 12)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  })

  it('judges classes on stratified folds, and folds that were given', async () => {
    const data = { X: classes.X, y: labels }
    const folds = kFolds(60, { count: 4, stratify: labels })
    const dealt = await all(data, { settings: settings.slice(0, 1), folds: 4 })
    const given = await all(data, { settings: settings.slice(0, 1), folds, executor })
    expect(given.map(({ points }) => points)).toEqual(dealt.map(({ points }) => points))
    // 15 rows are held out in each.
    for (const { points } of given)
      for (const { loss } of points) expect(Math.abs(15 * loss - Math.round(15 * loss))).toBeLessThan(1e-9)
  })

  it('trains the same estimators', async () => {
    const quick = { gates: 15, folds: 4, lambdaCount: 6, lambdaRatio: 0.01 }
    const regressor = await new ReluRegressor(quick).trainAsync(numbers.X, numbers.y, { executor })
    expect(regressor.toJSON()).toEqual(new ReluRegressor(quick).train(numbers.X, numbers.y).toJSON())
    const classifier = await new ReluClassifier(quick).trainAsync(classes.X, labels, { executor })
    expect(classifier.toJSON()).toEqual(new ReluClassifier(quick).train(classes.X, labels).toJSON())
  })

  it('leaves out the same end of a grid that has clearly become worse', async () => {
    const noise = bent(60, 5, 20)
    const options = { gates: 30, gateOrder: 0, folds: 4, lambdaCount: 30, lambdaRatio: 1e-4 }
    const expected = new ReluRegressor(options).train(noise.X, noise.y)
    expect(expected.crossValidation!.points.length).toBeLessThan(30)
    const found = await new ReluRegressor(options).trainAsync(noise.X, noise.y, { executor })
    expect(found.crossValidation).toEqual(expected.crossValidation)
  })

  it('ends with the signal, and goes on from what was found by then', async () => {
    const options = { settings: settings.slice(0, 1), seeds: [5, 6, 7], folds: 3 }
    const expected = await all(numbers, options)
    const stop = new AbortController()
    const early: SweepResult[] = []
    for await (const result of sweepGrid(numbers, { ...options, executor, signal: stop.signal })) {
      early.push(result)
      stop.abort()
    }
    expect(early.length).toBeGreaterThan(0)
    expect(early.length).toBeLessThan(9)
    const rest = noting()
    const together = await all(numbers, { ...options, executor: rest, known: early })
    expect(together).toEqual(expected)
    expect(rest.jobs).toHaveLength(9 - early.length)
    // What was called off can be asked for again.
    expect(await all(numbers, { ...options, executor })).toEqual(expected)
  })

  it('stops at once where the loop is left, and yields nothing after an abort', async () => {
    const options = { settings: settings.slice(0, 1), seeds: [8, 9], folds: 3, executor }
    for await (const _ of sweepGrid(numbers, options)) break
    expect(await all(numbers, { ...options, signal: AbortSignal.abort() })).toEqual([])
    expect(await all(numbers, options)).toHaveLength(6)
  })

  it('throws the sentence of a job that cannot be done', async () => {
    const noted = noting()
    await all(numbers, { settings: settings.slice(0, 1), folds: 2, executor: noted })
    const job = noted.jobs[0]!
    const X = numbers.X
    const data: SharedRows = { hash: job.data, task: 'regression', X, Y: matrix(60, 1, Float64Array.from(numbers.y)) }
    const wrong = { ...job, id: `wrong-${executor.name}`, backend: 'abacus' as 'js' }
    await expect(executor.run([wrong], data).next()).rejects.toThrow(
      'useBackend: there is no backend "abacus"; use wasm, js, blas.',
    )
  })
})

describe.runIf(hasRedis)('a Redis that forgets', () => {
  it.each(['everything', 'the rows'])('%s is told again', async (what) => {
    const own = { redis: redis.url, queue: `forgetful-${what.length}` }
    const executor = bullmq(own)
    const options = { settings: settings.slice(0, 1), seeds: [20 + what.length], folds: 2 }
    const found = all(numbers, { ...options, executor })
    const client = new Redis(redis.url)
    // Nobody is at this queue yet: the sweep waits.
    const rows = async (): Promise<string[]> => client.keys('cvxnn-rows:*')
    const waiting = `cvxnn:${own.queue}:wait`
    while ((await client.llen(waiting)) < 2 || (await rows()).length < 3)
      await new Promise((resolve) => setTimeout(resolve, 20))
    await (what === 'everything' ? client.flushall() : client.del(...(await rows())))
    const late = await sweepWorker({ ...own, lease: 2 })
    expect(await found).toEqual(await all(numbers, options))
    client.disconnect()
    await Promise.all([late.close(), executor.close()])
  })
})

describe('jobs', () => {
  it('have ids that only their content decides, and equal ones are done once', async () => {
    const [first, again, other] = [noting(), noting(), noting()]
    const twice = await all(numbers, { settings: [settings[0]!, settings[0]!], folds: 3, executor: first })
    expect(twice).toHaveLength(6)
    expect(first.jobs).toHaveLength(3)
    expect(twice[0]!.points).toEqual(twice[3]!.points)
    await all(numbers, { settings: [settings[0]!], folds: 3, executor: again })
    expect(again.jobs).toEqual(first.jobs)
    await all(
      { ...numbers, y: numbers.y.map((value) => value + 1) },
      { settings: [settings[0]!], folds: 3, executor: other },
    )
    const ids = new Set([...first.jobs, ...other.jobs].map(({ id }) => id))
    expect(ids.size).toBe(6)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/)
  })

  it('are plain data: nothing is lost on the way through JSON', async () => {
    const noted = noting()
    await all(numbers, { settings, folds: 2, executor: noted })
    expect(JSON.parse(JSON.stringify(noted.jobs))).toEqual(noted.jobs)
  })
})

describe('sweepGrid refuses', () => {
  const refused = async (options: object, sentence: string): Promise<void> => {
    await expect(sweepGrid(numbers, options).next()).rejects.toThrow(sentence)
  }
  it.each([
    [{ settings: [] }, 'sweepGrid: settings is empty, expected one at least; pass [{}].'],
    [{ seeds: [1, 1] }, 'sweepGrid: seeds is [1, 1], expected one at least, all distinct; pass [1, 2].'],
    [{ seeds: [-1] }, 'sweepGrid: seed is -1, expected a whole number of at least 0.'],
    [{ folds: 61 }, 'kFolds: count is 61 and there are 60 rows'],
    [{ folds: [] }, 'sweepGrid: folds is empty, expected two at least; pass what kFolds returns.'],
    [{ settings: [{ gates: 0 }] }, 'sweepGrid: gates is 0, expected a whole number of at least 1.'],
    [{ settings: [{ lambda: 1 }] }, "sweepGrid: a setting has lambda, which is not a setting's; pass lambdas in it."],
    [{ settings: [{ lambdas: [] }] }, 'sweepGrid: lambdas is [], expected numbers of at least 0'],
    [{ settings: [{ lambdas: [1, -1] }] }, 'sweepGrid: lambdas is [1, -1], expected numbers of at least 0'],
    [
      { settings: [{ gateOrder: 'cv' }] },
      'sweepGrid: a setting has gateOrder "cv", expected a whole number; pass one setting a number.',
    ],
    [{ settings: [{ penalty: 'ridge' }] }, 'sweepGrid: the ridge penalty has no lambda_max to start a grid from'],
    [{ tolerance: 0 }, 'sweepGrid: tolerance is 0, expected a number above 0.'],
    [
      {
        folds: [
          { train: [0, 1, 2], validation: [2, 3] },
          { train: [0], validation: [1] },
        ],
      },
      'sweepGrid: fold 0 trains on row 2 and holds it out; leave it out of one of them.',
    ],
    [
      {
        folds: [
          { train: [0], validation: [1] },
          { train: [0], validation: [60] },
        ],
      },
      'sweepGrid: fold 1 has row 60 and X has 60 rows; count them from 0.',
    ],
  ])('%j', refused)

  it('rows and targets that do not belong together', async () => {
    await expect(crossValidate({ X: numbers.X, y: [1, 2] })).rejects.toThrow(
      'crossValidate: y has 2 rows and X has 60; pass one target per row.',
    )
  })
})

describe('executors refuse', () => {
  it('threads: a count that is none', () => {
    expect(() => threads({ count: 0 })).toThrow(
      'threads: count is 0, expected a positive whole number; leave it out for one per core.',
    )
  })

  it('bullmq: what is no address, without telling its password', () => {
    expect(() => bullmq({ redis: 'http://me:secret@example.org' })).toThrow(
      'bullmq: http://me:***@example.org is no address of Redis; pass redis://host:port, or rediss:// for TLS.',
    )
    expect(() => bullmq({ redis: '6379' })).toThrow('bullmq: 6379 is no address of Redis')
    expect(() => bullmq({ redis: 'redis://localhost', queue: 'a:b' })).toThrow('bullmq: queue is "a:b"')
    expect(() => bullmq({ redis: 'redis://localhost', attempts: 0 })).toThrow('bullmq: attempts is 0')
  })

  it('bullmq and workers: an address where nobody answers, in one sentence', async () => {
    const url = 'redis://me:secret@127.0.0.1:1'
    const executor = bullmq({ redis: url })
    const sentence =
      /^bullmq: Redis at redis:\/\/me:\*\*\*@127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED.*\); start it, or correct the address\.$/
    await expect(sweepGrid(numbers, { executor }).next()).rejects.toThrow(sentence)
    await executor.close()
    await expect(sweepWorker({ redis: url })).rejects.toThrow(/^worker: Redis at .* does not answer/)
    await expect(sweepWorker({ redis: url, concurrency: 0 })).rejects.toThrow('worker: concurrency is 0')
    await expect(sweepWorker({ redis: url, lease: 0 })).rejects.toThrow('worker: lease is 0')
  })
})
