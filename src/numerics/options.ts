import { closest } from './closest.ts'
import { given } from './given.ts'

/** The names of T's options: all of them, as the compiler sees to. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>

/**
 * Refuses a name that is no option of the caller's, which would otherwise do nothing without a word.
 *
 * @throws TypeError when the options are no object; RangeError naming the option that there is not, and the one that was
 * probably meant.
 */
export function requireOptions<T extends object>(options: T, names: OptionNames<T>, caller: string): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `${caller}: the options are ${given(options)}, expected an object; pass one with ${listed(names)}.`,
    )
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue
    const near = closest(name, Object.keys(names))
    throw new RangeError(
      `${caller}: there is no option ${name}; ${near ? `did you mean ${near}?` : `the options are ${listed(names)}.`}`,
    )
  }
}

function listed(names: object): string {
  return Object.keys(names).join(', ')
}
