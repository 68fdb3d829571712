import type { ChildProcess } from 'node:child_process'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bullmq, crossValidate, type SweepGridOptions, type SweepResult, sweepGrid } from '../../src/index.ts'
import { type Running, workplace } from '../support/cli.ts'
import { bent } from '../support/planted.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const { start } = workplace()
const data = bent(120, 3, 0.4)
/** Long enough, each, to be killed in the midst of: some 30 lambdas. */
const options: SweepGridOptions = {
  settings: [{ gates: 60, lambdaCount: 30, lambdaRatio: 1e-4 }],
  ...{ folds: 4, seeds: [1, 2], tolerance: 1e-8 },
}

describe.runIf(hasRedis)('a sweep on BullMQ', () => {
  let redis: TestRedis
  const begun: Running[] = []
  const worker = async (): Promise<Running> => {
    const one = start(['worker', '--redis', redis.url, '--lease', '2'])
    begun.push(one)
    await one.says('Working at the queue "sweeps"')
    return one
  }
  const gone = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.on('exit', resolve))

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    for (const { child } of begun) child.kill('SIGKILL')
    await redis.stop()
  })

  it('loses nothing and counts nothing twice when a worker is killed at its work and Redis in the midst of it all', async () => {
    const expected = await crossValidate(data, options)
    const notices: string[] = []
    const executor = bullmq({ redis: redis.url, onNotice: (sentence) => notices.push(sentence) })
    const first = await worker()
    const killed = gone(first.child)
    const found: SweepResult[] = []
    const others: Promise<Running>[] = []
    const onProgress = (): void => {
      // The first lambda of a job is done, and the others are not.
      if (!first.child.killed) {
        first.child.kill('SIGKILL')
        others.push(worker(), worker())
      }
    }
    let restarted: Promise<void> | undefined
    for await (const result of sweepGrid(data, { ...options, executor, onProgress })) {
      found.push(result)
      if (found.length === 3) restarted = redis.restart()
    }
    await killed
    await restarted
    expect(first.child.signalCode).toBe('SIGKILL')

    // Every fold of every seed came once, with the figures of a sweep that nothing happened to.
    const place = ({ seed, fold }: SweepResult): number => 4 * seed + fold
    found.sort((a, b) => place(a) - place(b))
    expect(found.map(place)).toEqual(Array.from({ length: 8 }, (_, k) => k))
    const bare = (results: readonly SweepResult[]): object[] => results.map(({ seconds, ...rest }) => rest)
    expect(bare(found)).toEqual(bare(expected.results))
    expect(notices).toContain('The connection to Redis is lost; waiting for it to come back.')
    expect(notices.at(-1)).toBe('Redis is back.')

    // The flow's summary counts every job once, and is that of the sweep.
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
    const queue = new Queue('sweeps', { connection, prefix: 'cvxnn' })
    const summary = await eventually(async () => {
      const jobs = await queue.getJobs(['completed'])
      return jobs.find(({ name }) => name === 'summary')
    })
    const [group] = JSON.parse(summary.returnvalue as string) as { jobs: number; summary: object }[]
    const { setting: _, ...path } = expected.settings[0]!
    expect(group).toMatchObject({ jobs: 8, summary: path })
    const counts = await queue.getJobCounts('active', 'waiting', 'delayed', 'failed', 'waiting-children', 'completed')
    expect(counts).toEqual({ active: 0, waiting: 0, delayed: 0, failed: 0, 'waiting-children': 0, completed: 9 })

    // The job of the killed worker was given to another, and the rows went to each of those once.
    for (const { child } of await Promise.all(others)) child.kill('SIGTERM')
    const said = await Promise.all(begun.slice(1).map(({ outcome }) => outcome))
    expect(said.map(({ code }) => code)).toEqual([0, 0])
    const lines = said.map(({ stderr }) => stderr.split('\n'))
    expect(lines.flat().filter((line) => line.includes('its worker is gone')).length).toBeGreaterThan(0)
    for (const own of lines)
      expect(own.filter((line) => /^rows [0-9a-f]{12}: fetched/.test(line)).length).toBeLessThan(2)

    await queue.close()
    connection.disconnect()
    await executor.close()
  }, 180_000)

  it('is put back by a worker that is asked to end, and needs Redis to come back in time', async () => {
    const more = { ...options, seeds: [7] }
    const executor = bullmq({ redis: redis.url, patience: 0.5 })
    const first = await worker()
    const results: SweepResult[] = []
    let second: Promise<Running> | undefined
    const onProgress = (): void => {
      if (second) return
      first.child.kill('SIGTERM')
      second = worker()
    }
    for await (const result of sweepGrid(data, { ...more, executor, onProgress })) results.push(result)
    expect(results).toHaveLength(4)
    expect((await first.outcome).code).toBe(0)
    // It was put back, not found lost.
    await second
    begun.at(-1)!.child.kill('SIGTERM')
    expect((await begun.at(-1)!.outcome).stderr).not.toContain('its worker is gone')

    const waiting = sweepGrid(data, { ...more, seeds: [8], executor, onProgress: () => {} }).next()
    const refused = expect(waiting).rejects.toThrow(
      'bullmq: Redis has been away for 0.5 s; start it and sweep again: its results are kept.',
    )
    const patient = bullmq({ redis: redis.url })
    const stop = new AbortController()
    const calledOff = sweepGrid(data, { ...more, seeds: [9], executor: patient, signal: stop.signal }).next()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await redis.stop()
    await refused
    // An abort does not wait for Redis.
    stop.abort()
    expect(await calledOff).toEqual({ done: true, value: undefined })
    await Promise.all([executor.close(), patient.close()])
  }, 180_000)
})

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
