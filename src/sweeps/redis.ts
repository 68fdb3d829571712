import type { Redis } from 'ioredis'
import { optional } from './optional.ts'

/** Seconds to wait for the first answer. */
const FIRST = 5

/**
 * Checks the address of a Redis or Valkey server.
 *
 * @throws RangeError in one sentence, without the password.
 */
export function requireRedisUrl(url: string, caller: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '')
    throw new RangeError(
      `${caller}: ${shown(url)} is no address of Redis; pass redis://host:port, or rediss:// for TLS.`,
    )
}

/** A server that has answered once. */
export interface Reached {
  /** A connection, which comes back by itself when it is lost. */
  connect(): Redis
  /** Ends all connections when what is being closed is, or after two seconds: without a server there is nobody to take leave of. */
  leave(closing: readonly Promise<unknown>[]): Promise<void>
}

/** @throws Error in one sentence when the server does not answer, or ioredis is not installed. */
export async function reachRedis(url: string, caller: string): Promise<Reached> {
  requireRedisUrl(url, caller)
  const { Redis } = await optional<typeof import('ioredis')>('ioredis').catch((cause: unknown) => {
    throw notInstalled(caller, cause)
  })
  const first = new Redis(url, { lazyConnect: true, connectTimeout: 1000 * FIRST, retryStrategy: () => null })
  let reason: Error | undefined
  first.on('error', (error: Error) => {
    reason ??= error
  })
  try {
    await first.connect()
    await first.ping()
  } catch (error) {
    const { message } = reason ?? (error as Error)
    throw new Error(
      `${caller}: Redis at ${shown(url)} does not answer (${message}); start it, or correct the address.`,
      {
        cause: error,
      },
    )
  } finally {
    first.disconnect()
  }
  const clients: Redis[] = []
  let left = false
  return {
    connect() {
      // A blocking connection must not give up on a command; copies that BullMQ makes of it end as it does.
      const retryStrategy = (times: number): number | null => (left ? null : Math.min(50 * times, 1000))
      const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy })
      // Outages are told where they matter, by what does not come.
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    async leave(closing) {
      await withinSeconds(2, Promise.allSettled(closing))
      left = true
      for (const client of clients) client.disconnect()
    },
  }
}

/** Resolves when the work is done or has failed, or the time is over. */
export async function withinSeconds(seconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, 1000 * seconds)
  })
  await Promise.race([work.catch(() => {}), over])
  clearTimeout(timer)
}

/**
 * The classes of BullMQ.
 *
 * @throws Error in one sentence when it is not installed.
 */
export function loadBullmq(caller: string): Promise<typeof import('bullmq')> {
  return optional<typeof import('bullmq')>('bullmq').catch((cause: unknown) => {
    throw notInstalled(caller, cause)
  })
}

/** This package's version: jobs are done by the version they come from. */
export async function packageVersion(): Promise<string> {
  // Asked for rather than imported: bundlers for browsers follow every import.
  const { createRequire } = globalThis.process.getBuiltinModule('node:module')
  return (createRequire(import.meta.url)('cvxnn/package.json') as { version: string }).version
}

/** An address without its password. */
function shown(url: string): string {
  return url.replace(/(:\/\/[^/@]*?):[^/@]*@/, '$1:***@')
}

function notInstalled(caller: string, cause: unknown): Error {
  return new Error(`${caller}: BullMQ is not installed; run npm install bullmq ioredis tinypool.`, { cause })
}
