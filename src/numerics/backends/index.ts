import type { Backend, BackendName } from '../backend.ts'
import { requireOptions } from '../options.ts'
import { blas } from './blas.ts'
import { js } from './js.ts'
import { wasm, wasmWorks } from './wasm.ts'

const NAMES: readonly BackendName[] = ['wasm', 'js', 'blas']

/** What was made or looked for, by name and threads: a backend, or why there is none. */
const found = new Map<string, Backend | string>()

function find(name: BackendName, threads = 1): Backend | string {
  const key = `${name} ${threads}`
  const known = found.get(key)
  if (known !== undefined) return known
  const none = 'WebAssembly has no 128-bit vectors here'
  const made = name === 'js' ? js : name === 'blas' ? blas({ threads }) : wasmWorks() ? wasm({ threads }) : none
  found.set(key, made)
  return made
}

/** The backends that work here: the default one first, then what is slower or has to be asked for. */
export function backends(): readonly Backend[] {
  return NAMES.map((name) => find(name)).filter((one) => typeof one !== 'string')
}

let current: Backend | undefined

/**
 * The backend in use: the one that was asked for by `useBackend`, or by the environment as CVXNN_BACKEND and
 * CVXNN_THREADS, or WebAssembly on one thread, or plain TypeScript where that has no vectors. Ask each time rather than
 * keep it.
 *
 * @throws RangeError when the environment asks for what does not work here.
 */
export function backend(): Backend {
  if (current) return current
  const { CVXNN_BACKEND: asked, CVXNN_THREADS: count } = globalThis.process?.env ?? {}
  const threads = count ? wholeThreads(Number(count), `CVXNN_THREADS is ${count}`) : 1
  if (asked) return (current = named(asked, threads, 'CVXNN_BACKEND'))
  const preferred = find('wasm', threads)
  return (current = typeof preferred === 'string' ? js : preferred)
}

/** How a backend is set up. */
export interface BackendOptions {
  /** Threads that large products are divided among (default 1); plain TypeScript has one. */
  readonly threads?: number
}

/**
 * Uses this backend, or the one of this name, for everything that is made from now on.
 *
 * @throws RangeError when none of this name works here, saying why, or the threads are no positive whole number.
 */
export function useBackend(choice: BackendName | Backend, options: BackendOptions = {}): Backend {
  requireOptions(options, { threads: 'number' }, 'useBackend')
  const { threads = 1 } = options
  wholeThreads(threads, `useBackend: threads is ${threads}`)
  return (current = typeof choice === 'object' ? choice : named(choice, threads, 'useBackend'))
}

function named(name: string, threads: number, caller: string): Backend {
  if (!(NAMES as readonly string[]).includes(name))
    throw new RangeError(`${caller}: there is no backend "${name}"; use ${NAMES.join(', ')}.`)
  const one = find(name as BackendName, threads)
  if (typeof one === 'string') throw new RangeError(`${caller}: ${name} does not work here: ${one}.`)
  return one
}

function wholeThreads(threads: number, given: string): number {
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new RangeError(`${given}, expected a whole number from 1 to 64; leave it out for one thread.`)
  return threads
}
