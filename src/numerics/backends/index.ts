import type { Backend, BackendName } from '../backend.ts'
import { js } from './js.ts'

/** The backends that work here, the preferred one first. */
export function backends(): readonly Backend[] {
  return [js]
}

let current: Backend | undefined

/** The backend in use. Ask each time it is needed rather than keep it: `useBackend` changes it. */
export function backend(): Backend {
  return (current ??= backends()[0]!)
}

/**
 * Uses this backend from now on, for everything that is made from now on.
 *
 * @throws RangeError when it is not available here.
 */
export function useBackend(name: BackendName): Backend {
  const found = backends().find((one) => one.name === name)
  if (!found)
    throw new RangeError(
      `useBackend: ${name} is not available here; use ${backends()
        .map((one) => one.name)
        .join(' or ')}.`,
    )
  return (current = found)
}
