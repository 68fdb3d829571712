/**
 * Imports an optional package of Node by its name. Named at run time, so that bundlers for browsers do not follow it where it
 * happens to be installed.
 */
export function optional<Module>(name: string): Promise<Module> {
  return import(/* @vite-ignore */ name)
}
