/** Those of Node's own modules that readers and writers use. */
interface BuiltIns {
  readonly 'node:fs': typeof import('node:fs')
  readonly 'node:fs/promises': typeof import('node:fs/promises')
  readonly 'node:path': typeof import('node:path')
  readonly 'node:zlib': typeof import('node:zlib')
}

/**
 * One of Node's own modules, undefined in a browser.
 *
 * Asked for rather than imported: bundlers for browsers follow every import, and have nothing to put in its place.
 */
export function builtIn<Name extends keyof BuiltIns>(name: Name): BuiltIns[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as BuiltIns[Name] | undefined
}
