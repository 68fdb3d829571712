import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workplace } from '../support/cli.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { csv, flowers, houses } from '../support/tables.ts'

const { run, start, write, read } = workplace()
const quick = ['-t', 'price', '--gates', '15', '--folds', '3', '--quiet']
const path = ['path', 'houses.csv', ...quick, '--count', '6', '--ratio', '0.01', '--json']

beforeAll(async () => {
  const { header, rows } = houses(60)
  await write('houses.csv', csv(header, rows))
  const iris = flowers(45, ['setosa', 'virginica', 'versicolor'])
  await write('iris.csv', csv(iris.header, iris.rows))
})

describe('--executor', () => {
  it('threads trains the same network as without, byte for byte', async () => {
    const plain = await run('fit', 'houses.csv', ...quick, '-o', 'plain.json')
    const threads = await run('fit', 'houses.csv', ...quick, '-o', 'threads.json', '--executor', 'threads:2')
    expect({ plain: plain.code, threads: threads.code, stderr: threads.stderr }).toEqual({
      ...{ plain: 0, threads: 0, stderr: '' },
    })
    expect(await read('threads.json')).toBe(await read('plain.json'))
  })

  it('is refused where there is nothing to divide, and where it is none', async () => {
    const fixed = await run('fit', 'houses.csv', '-t', 'price', '--lambda', '0.1', '--executor', 'threads')
    expect({ code: fixed.code, stderr: fixed.stderr }).toEqual({
      code: 2,
      stderr:
        'cvxnn: --executor divides the cross-validation of --lambda cv, and --lambda is given; leave one of them out.\n',
    })
    const bare = await run('path', 'houses.csv', '-t', 'price', '--executor', 'threads')
    expect({ code: bare.code, stderr: bare.stderr }).toEqual({
      code: 2,
      stderr: 'cvxnn: --executor divides the folds of a cross-validation, and --folds is not given; add --folds 5.\n',
    })
    expect((await run('fit', 'houses.csv', '-t', 'price', '--executor', 'moon')).stderr).toContain(
      'Expected inline, threads, threads:<count>, or redis://host:port.',
    )
    expect((await run('fit', 'houses.csv', '-t', 'price', '--executor', 'redis:nowhere')).stderr).toBe(
      'cvxnn: redis:nowhere is no address of Redis; pass redis://host:port, or rediss:// for TLS.\n',
    )
  })

  it('redis:// says in one sentence that nobody answers', async () => {
    const { code, stderr } = await run('fit', 'houses.csv', ...quick, '--executor', 'redis://127.0.0.1:1')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^cvxnn: Redis at redis:\/\/127\.0\.0\.1:1 does not answer \([^\n]*\); start it[^\n]*\n$/)
    const worker = await run('worker', '--redis', 'redis://127.0.0.1:1')
    expect(worker.code).toBe(2)
    expect(worker.stderr).toMatch(
      /^cvxnn: Redis at redis:\/\/127\.0\.0\.1:1 does not answer \([^\n]*\); start it[^\n]*\n$/,
    )
    expect((await run('worker', '--redis', 'localhost')).stderr).toBe(
      'cvxnn: localhost is no address of Redis; pass redis://host:port, or rediss:// for TLS.\n',
    )
  })
})

describe('cvxnn path --folds', () => {
  interface Output {
    points: { lambda: number; heldOut: { mean: number; standardError: number } }[]
    lambdaMin: number
    lambda1se: number
  }

  it('adds held-out losses to the same path, and the lambdas they choose', async () => {
    const { stdout, stderr } = await run(...path)
    expect(stderr).toBe('')
    const { points, lambdaMin, lambda1se } = JSON.parse(stdout) as Output
    const without = await run(
      'path',
      'houses.csv',
      '-t',
      'price',
      '--gates',
      '15',
      '--count',
      '6',
      '--ratio',
      '0.01',
      '--json',
    )
    const bare = (all: object[]): object[] => all.map((one) => ({ ...one, seconds: 0, heldOut: 0 }))
    expect(bare(points)).toEqual(bare((JSON.parse(without.stdout) as Output).points))
    const best = points.reduce((least, point) => (point.heldOut.mean < least.heldOut.mean ? point : least))
    const bound = best.heldOut.mean + best.heldOut.standardError
    expect(lambdaMin).toBe(best.lambda)
    expect(lambda1se).toBe(points.find(({ heldOut }) => heldOut.mean <= bound)!.lambda)
    // The zero network explains nothing.
    expect(points[0]!.heldOut.mean).toBeGreaterThan(0.8)
    expect(best.heldOut.mean).toBeLessThan(0.3)
  })

  it('prints them as two columns and a sentence, the same on threads', async () => {
    const flags = ['path', 'iris.csv', '-t', 'species', '--gates', '15', '--count', '4', '--folds', '3', '--quiet']
    const inline = await run(...flags)
    expect(inline.code).toBe(0)
    expect(inline.stdout).toMatch(/test accuracy {2}held-out loss {2}standard error {2,}status\n/)
    expect(inline.stdout).toMatch(
      /\nThe smallest held-out loss is at lambda \S+; the largest lambda within a standard error of it is \S+\.\n$/,
    )
    expect((await run(...flags, '--executor', 'threads:2')).stdout).toBe(inline.stdout)
  })
})

describe.runIf(hasRedis)('cvxnn worker', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  it('does the folds of fit and of path, and the sweeper says when there is no worker', async () => {
    const plain = await run('fit', 'houses.csv', ...quick, '--lambda-rule', '1se', '-o', 'plain.json')
    expect(plain.code).toBe(0)
    const where = ['--executor', redis.url]
    const fit = start(['fit', 'houses.csv', ...quick, '--lambda-rule', '1se', '-o', 'far.json', ...where])
    await fit.says('No worker is at the queue "sweeps" yet; start one with cvxnn worker --redis <url>.')
    const worker = start(['worker', '--redis', redis.url, '--concurrency', '2'])
    await worker.says('Working at the queue "sweeps"; Ctrl-C ends it.')
    expect((await fit.outcome).code).toBe(0)
    expect(await read('far.json')).toBe(await read('plain.json'))
    const bare = (text: string): object => JSON.parse(text, (key, value: unknown) => (key === 'seconds' ? 0 : value))
    expect(bare((await run(...path, ...where)).stdout)).toEqual(bare((await run(...path)).stdout))
    worker.child.kill('SIGINT')
    const { code, stderr } = await worker.outcome
    expect(code).toBe(0)
    // Nine folds of three gate orders, and three of the path; the rows of both are the same.
    expect(stderr.match(/^rows /gm)).toHaveLength(1)
    expect(stderr.match(/^fold [0-9a-f]{12}: \d+ lambdas in [\d.]+ s$/gm)!.length).toBeGreaterThan(3)
  }, 180_000)

  it('ends also while Redis is away', async () => {
    const gone = await startRedis()
    const worker = start(['worker', '--redis', gone.url])
    await worker.says('Working at the queue')
    await gone.stop()
    await worker.says('The connection to Redis is lost')
    worker.child.kill('SIGTERM')
    expect((await worker.outcome).code).toBe(0)
  })
})
