/**
 * What a round of messages costs on Redis: the figures that docs/distributed.md reckons with.
 *
 *     npx tsx bench/exchange.ts
 *
 * A round is a flow of BullMQ as a divided program would have it: one job a part, and their parent when all are done, none
 * of which computes anything, with as many workers in this process. Then vectors of float64 there and back. Everything is
 * on one machine, Redis too: there is no network in it. The least of several, since other work can only add.
 */
import { FlowProducer, QueueEvents, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { hasRedis, startRedis } from '../test/support/redis.ts'
import { machine } from './machine.ts'
import { brief, table } from './table.ts'

if (!hasRedis) throw new Error('bench: there is no redis-server here; install it.')
const redis = await startRedis({ durable: false })
const { cpu, node } = machine()
console.log(`${cpu}, node ${node}`)
try {
  await rounds()
  console.log()
  await vectors()
} finally {
  await redis.stop()
}

async function rounds(): Promise<void> {
  const { row } = table(['parts', 'a round, ms', 'a part, ms'])
  for (const parts of [1, 4, 16, 64]) {
    const clients = Array.from({ length: 3 }, () => new Redis(redis.url, { maxRetriesPerRequest: null }))
    const queue = `rounds-${parts}`
    const worker = new Worker(queue, async () => 1, { connection: clients[0]!, concurrency: parts + 1 })
    const flows = new FlowProducer({ connection: clients[1]! })
    const events = new QueueEvents(queue, { connection: clients[2]! })
    await Promise.all([worker.waitUntilReady(), events.waitUntilReady()])
    let least = Number.POSITIVE_INFINITY
    for (let k = 0; k < 20; k++) {
      const begun = performance.now()
      const children = Array.from({ length: parts }, () => ({ name: 'part', queueName: queue, data: {} }))
      const { job } = await flows.add({ name: 'sum', queueName: queue, data: {}, children })
      await job.waitUntilFinished(events)
      least = Math.min(least, performance.now() - begun)
    }
    row([parts, brief(least), brief(least / parts)])
    await Promise.all([worker.close(), flows.close(), events.close()])
    for (const client of clients) client.disconnect()
  }
}

async function vectors(): Promise<void> {
  const { row } = table(['float64 entries', 'MB', 'there and back, ms', 'GB/s'])
  const client = new Redis(redis.url)
  for (const entries of [28_100, 100_000, 784_000, 10_000_000]) {
    const bytes = Buffer.from(new Float64Array(entries).map((_, k) => Math.sin(k)).buffer)
    let least = Number.POSITIVE_INFINITY
    for (let k = 0; k < 7; k++) {
      const begun = performance.now()
      await client.set('vector', bytes)
      await client.getBuffer('vector')
      least = Math.min(least, performance.now() - begun)
    }
    row([entries, brief(bytes.length / 1e6), brief(least), brief((2 * bytes.length) / 1e6 / least)])
  }
  client.disconnect()
}
