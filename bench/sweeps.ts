/**
 * A path of 30 lambdas over 5 folds on UCI tables: here, on threads, and on BullMQ with worker processes. Whether all find
 * the same to the last bit, and what dividing the work saves.
 *
 *     npm run bench:sweeps [-- NAME ...] [--gates 300] [--count 2] [--json FILE]
 *
 * Everything runs from the built package. Pool and workers have been started, and have done a small sweep, before the
 * clock is. `busiest` is the processor time of the thread that has most to do, in whatever process: what an idle machine with as many
 * cores would wait for. Wall clock is shown beside it, and says as much as the machine had other work to do.
 *
 * Needs /proc, redis-server for the last of the three, and the folder named by CVXNN_DATA; says what is not there.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Executor, SweepData, SweepGridOptions, SweepResult } from '../src/index.ts'
import { hasRedis, startRedis } from '../test/support/redis.ts'
import { machine } from './machine.ts'
import { brief, table } from './table.ts'
import { dataFolder, uciTable } from './uci-table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gates: { type: 'string', default: '300' },
    count: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const count = Number(values.count)
const names =
  positionals.length > 0
    ? positionals
    : ['classification/ionosphere', 'classification/statlog-german-credit', 'regression/stock']
const command = new URL('../dist/cli.js', import.meta.url).pathname
const built = new URL('../dist/index.js', import.meta.url).href
const { bullmq, inline, sweepGrid, threads } = (await import(built)) as typeof import('../src/index.ts')

/** Where the work is done: its name, who does it, and their processor time. */
interface Place {
  readonly name: string
  readonly executor: Executor
  /** Processor seconds so far of every thread that may share the work, by the system's number for it. */
  shares(): ReadonlyMap<string, number>
  close(): Promise<void>
}

/** One run. */
interface Figures {
  readonly set: string
  readonly place: string
  readonly wall: number
  readonly all: number
  readonly busiest: number
  readonly same: boolean
}

const figures: Figures[] = []
const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores, node ${node}; 30 lambdas x 5 folds, ${values.gates} gates, to a gap of 1e-3`)
const heads = ['set', 'n, d', 'where', 'identical', 'processor s', 'busiest s', 'speed-up', 'wall s', 'by wall clock']
const shown = table(heads, [36, 9, 18])
const places = [await here(), await onThreads(), ...(hasRedis ? [await onBullmq()] : [])]
for (const name of names) await compare(name)
for (const { close } of places) await close()
if (values.json !== undefined) {
  const temporary = `${values.json}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify({ machine: machine(), options: values, figures }, null, 2)}\n`)
  renameSync(temporary, values.json)
}

async function compare(name: string): Promise<void> {
  const data = await uciTable(name)
  if (!data) {
    console.log(`No table ${name} at ${dataFolder}; set CVXNN_DATA to a folder that holds uci/.`)
    return
  }
  const sweep: SweepGridOptions = {
    settings: [{ gates: Number(values.gates), lambdaCount: 30, lambdaRatio: 1e-4 }],
    folds: 5,
  }
  let expected: string | undefined
  let first: Figures | undefined
  for (const place of places) {
    const before = place.shares()
    const begun = performance.now()
    const found = await results(data, { ...sweep, executor: place.executor })
    const wall = (performance.now() - begun) / 1000
    const spent = [...place.shares()].map(([who, seconds]) => seconds - (before.get(who) ?? 0))
    expected ??= found
    const run: Figures = {
      ...{ set: name, place: place.name, wall, same: found === expected },
      ...{ all: spent.reduce((a, b) => a + b, 0), busiest: Math.max(...spent) },
    }
    first ??= run
    figures.push(run)
    shown.row([
      ...[name, `${data.X.rows}, ${data.X.columns}`, place.name, run.same ? 'yes' : 'NO', brief(run.all)],
      ...[brief(run.busiest), brief(first.busiest / run.busiest), brief(wall), brief(first.wall / wall)],
    ])
  }
}

/** All results as one text, without how long they took. */
async function results(data: SweepData, options: SweepGridOptions): Promise<string> {
  const found: Omit<SweepResult, 'seconds'>[] = []
  for await (const { seconds: _, ...result } of sweepGrid(data, options)) found.push(result)
  return JSON.stringify(found.sort((a, b) => a.fold - b.fold))
}

/** A sweep of moments, so that nothing is measured that happens once. */
async function warm(executor: Executor): Promise<void> {
  const X = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  const y = X.map(([a, b]) => Math.abs(a!) - b!)
  for await (const _ of sweepGrid({ X, y }, { settings: [{ gates: 20 }], folds: 4 * count, executor }));
}

async function here(): Promise<Place> {
  const executor = inline()
  await warm(executor)
  return { name: 'inline', executor, shares: () => threadSeconds(process.pid), close: () => executor.close() }
}

async function onThreads(): Promise<Place> {
  const executor = threads({ count })
  await warm(executor)
  return {
    name: `threads, ${count}`,
    executor,
    shares: () => threadSeconds(process.pid),
    close: () => executor.close(),
  }
}

async function onBullmq(): Promise<Place> {
  const redis = await startRedis()
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(redis.url)))
  const executor = bullmq({ redis: redis.url })
  await warm(executor)
  return {
    name: `bullmq, ${count} workers`,
    executor,
    shares: () => new Map(workers.flatMap(({ pid }) => [...threadSeconds(pid!)])),
    async close() {
      await executor.close()
      for (const worker of workers) worker.kill('SIGTERM')
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.on('exit', resolve))))
      await redis.stop()
    },
  }
}

function startWorker(url: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [command, 'worker', '--redis', url], { stdio: ['ignore', 'ignore', 'pipe'] })
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (text: Buffer) => text.includes('Working at the queue') && resolve(child))
    child.on('exit', () => reject(new Error('bench: a worker did not start.')))
  })
}

/** Processor seconds of each thread of a process, by its id; the kernel counts in hundredths. */
function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>()
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ')[1]!.split(' ')
    seconds.set(id, (Number(fields[11]) + Number(fields[12])) / 100)
  }
  return seconds
}
