import type { Command } from 'commander'
import { sweepWorker } from '../../sweeps/worker.ts'
import { positive, whole } from '../options.ts'
import { remark } from '../terminal.ts'

interface Flags {
  redis: string
  queue: string
  concurrency: number
  lease: number
  quiet?: boolean
}

/** cvxnn worker: does the jobs of sweeps that others have put into Redis. */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('do the folds of cross-validations that run on Redis, until it is stopped')
    .requiredOption('--redis <url>', 'address of Redis or Valkey: redis://[user:password@]host:port, rediss:// for TLS')
    .option('--queue <name>', 'queue to work at', 'sweeps')
    .option('--concurrency <count>', 'jobs at a time, each on a thread', whole, 1)
    .option('--lease <seconds>', 'without a sign of life for so long a job is given to another worker', positive, 30)
    .option('-q, --quiet', 'say nothing')
    .addHelpText(
      'after',
      `
Needs the packages bullmq, ioredis and tinypool. Start as many as there are machines, then sweep with --executor redis://...
Ctrl-C puts back the jobs that were begun.

Examples:
  $ cvxnn worker --redis redis://127.0.0.1:6379
  $ cvxnn worker --redis redis://127.0.0.1:6379 --concurrency 4`,
    )
    .action(async ({ redis, queue, concurrency, lease, quiet }: Flags) => {
      const onNotice = quiet ? () => {} : remark
      const worker = await sweepWorker({ redis, queue, concurrency, lease, onNotice })
      onNotice(`Working at the queue "${queue}"; Ctrl-C ends it.`)
      await stopped()
      await worker.close()
      // Where Redis is away, timers of BullMQ's would keep the process for a while.
      process.exit()
    })
}

/** Resolves at Ctrl-C, or when the system asks to end. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
