import type { Backend, BackendName } from '../backend.ts'
import { blas } from './blas.ts'
import { js } from './js.ts'
import { wasm, wasmWorks } from './wasm.ts'

const NAMES: readonly BackendName[] = ['wasm', 'js', 'blas']

/** Each backend that was looked for, or why it is not available. */
const found = new Map<BackendName, Backend | string>()

function find(name: BackendName): Backend | string {
  const known = found.get(name)
  if (known !== undefined) return known
  const made = name === 'js' ? js : name === 'blas' ? blas() : wasmWorks() ? wasm() : 'WebAssembly has no vectors here'
  found.set(name, made)
  return made
}

/** The backends that work here: the default one first, then what is slower or has to be asked for. */
export function backends(): readonly Backend[] {
  return NAMES.map(find).filter((one) => typeof one !== 'string')
}

let current: Backend | undefined

/**
 * The backend in use: the one that was asked for by `useBackend`, or by the environment as CVXNN_BACKEND, or WebAssembly,
 * or plain TypeScript where that has no vectors. Ask each time rather than keep it.
 *
 * @throws RangeError when CVXNN_BACKEND names none that works here.
 */
export function backend(): Backend {
  if (current) return current
  const asked = globalThis.process?.env?.CVXNN_BACKEND
  if (asked) return (current = named(asked, 'CVXNN_BACKEND'))
  const preferred = find('wasm')
  return (current = typeof preferred === 'string' ? js : preferred)
}

/**
 * Uses this backend, or the one of this name, for everything that is made from now on.
 *
 * @throws RangeError when none of this name works here, saying why.
 */
export function useBackend(choice: BackendName | Backend): Backend {
  return (current = typeof choice === 'object' ? choice : named(choice, 'useBackend'))
}

function named(name: string, caller: string): Backend {
  if (!(NAMES as readonly string[]).includes(name))
    throw new RangeError(`${caller}: there is no backend "${name}"; use ${NAMES.join(', ')}.`)
  const one = find(name as BackendName)
  if (typeof one === 'string') throw new RangeError(`${caller}: ${name} does not work here: ${one}.`)
  return one
}
