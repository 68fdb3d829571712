import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A Redis of a test's own on a free port of this machine. */
export interface TestRedis {
  readonly url: string
  /** Stops it as a machine's end would stop it, and starts it again on what it had written. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Whether there is a Redis to start. */
export const hasRedis: boolean = found()

if (!hasRedis) console.warn('No redis-server here: the tests of BullMQ are left out; install redis-server to run them.')

/** Starts one; when `durable`, as by default, every write is on disk before it is answered. */
export async function startRedis({ durable = true }: { durable?: boolean } = {}): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'cvxnn-redis-'))
  const port = await freePort()
  const kept = ['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'always']
  const flags = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...kept]
  const begin = async (): Promise<ChildProcess> => {
    const child = spawn('redis-server', flags.map(String), { stdio: 'pipe' })
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (text: Buffer) => text.includes('Ready to accept connections') && resolve())
      child.on('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    })
    return child
  }
  const end = (child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> => {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    const gone = new Promise((resolve) => child.on('exit', resolve))
    child.kill(signal)
    return gone
  }
  let child = await begin()
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      await end(child, 'SIGKILL')
      child = await begin()
    },
    async stop() {
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function found(): boolean {
  try {
    execFileSync('redis-server', ['--version'])
    return true
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
