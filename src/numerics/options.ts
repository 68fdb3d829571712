import { closest } from './closest.ts'
import { given } from './given.ts'

/** What a value has to be before it is looked at: a number, true or false, or whatever its own check says. */
type Kind = 'number' | 'boolean' | true

/** The names of T's options, all of them, as the compiler sees to; those of numbers may say so, and those of true or false. */
export type OptionNames<T> = Readonly<Record<keyof T, Kind>>

/** The same, where those that take nothing but a number, or true or false, have to say so. */
export type OptionKinds<T> = {
  readonly [K in keyof T]-?: [NonNullable<T[K]>] extends [number]
    ? 'number'
    : [NonNullable<T[K]>] extends [boolean]
      ? 'boolean'
      : true
}

/**
 * Refuses a name that is no option of the caller's, which would otherwise do nothing without a word, and a value of another
 * kind, which would pass for a number where it is compared (`'0.1' > 0`) or for true (`'no'`). What is undefined is left out.
 *
 * @throws TypeError when the options are no object, or one of them is of another kind; RangeError naming the option that
 * there is not, and the one that was probably meant.
 */
export function requireOptions<T extends object>(options: T, names: OptionNames<T>, caller: string): void {
  if (typeof options !== 'object' || options === null)
    throw new WrongKind(
      `${caller}: the options are ${given(options)}, expected an object; pass one with ${listed(names)}.`,
    )
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(names, name)) {
      const near = closest(name, Object.keys(names))
      throw new RangeError(
        `${caller}: there is no option ${name}; ${near ? `did you mean ${near}?` : `the options are ${listed(names)}.`}`,
      )
    }
    const kind = (names as Record<string, Kind>)[name]
    if (kind === true || value === undefined || typeof value === kind) continue
    throw new WrongKind(
      `${caller}: ${name} is ${given(value)}, expected ${kind === 'number' ? 'a number' : 'true or false'}; ${instead(value, kind!)}.`,
    )
  }
}

/** Options, or one of them, of another kind than expected: in a file that is read, damage. */
export class WrongKind extends TypeError {}

/** What to pass for a value of the wrong kind. */
function instead(value: unknown, kind: Kind): string {
  if (kind === 'boolean') return 'pass one of them'
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  return Number.isNaN(read) ? 'pass one' : `pass ${read} without quotes`
}

function listed(names: object): string {
  return Object.keys(names).join(', ')
}
