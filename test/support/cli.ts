import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll } from 'vitest'
import { builtCommand } from './build.ts'

/** How a run of the command ended. */
export interface Outcome {
  /** Exit code, null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A run that has begun. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable | null, Readable, Readable>
  /** Resolves when stderr holds the text; rejects when the command ends without it. */
  says(text: string): Promise<void>
  readonly outcome: Promise<Outcome>
}

/** A folder of a test file's own, gone at its end, to run the command in. */
export interface Workplace {
  /** Runs `cvxnn` with these arguments to its end. */
  run(...args: string[]): Promise<Outcome>
  /** The same with a text piped in. */
  runWith(input: string, ...args: string[]): Promise<Outcome>
  /** Begins to run it; with `terminal`, stderr passes for one; `env` is added to the environment, `input` piped in. */
  start(
    args: readonly string[],
    options?: { terminal?: boolean; env?: Readonly<Record<string, string>>; input?: string },
  ): Running
  /** Full path of a name in the folder. */
  path(name: string): string
  write(name: string, text: string): Promise<void>
  read(name: string): Promise<string>
}

/** Call at the top of a test file or of a `describe`. */
export function workplace(): Workplace {
  let folder = ''
  let command = ''
  const path = (name: string): string => join(folder, name)
  beforeAll(async () => {
    command = await builtCommand()
    folder = await mkdtemp(join(tmpdir(), 'cvxnn-cli-'))
    await writeFile(path('terminal.mjs'), 'process.stderr.isTTY = true\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  const start: Workplace['start'] = (args, { terminal = false, env = {}, input } = {}) => {
    const preload = terminal ? ['--import', path('terminal.mjs')] : []
    const child = spawn(process.execPath, [...preload, command, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    }) as Running['child']
    // A command that refuses the first rows reads no more of them.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8')
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout: text(out), stderr: text(err) }))
    })
    const says = (expected: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text(err).includes(expected)) resolve()
        }
        look()
        child.stderr.on('data', look)
        child.on('close', () => reject(new Error(`it ended without saying "${expected}": ${text(err)}`)))
      })
    return { child, says, outcome }
  }
  return {
    run: (...args) => start(args).outcome,
    runWith: (input, ...args) => start(args, { input }).outcome,
    start,
    path,
    write: (name, text) => writeFile(path(name), text),
    read: (name) => readFile(path(name), 'utf8'),
  }
}
