import * as v from 'valibot'
import type { Tolerances } from './tolerances.ts'

/** A reference file as it was read: the problem and its known optimum, in the terms of its family. */
export interface Reference {
  /** The file's name without `.json`. */
  readonly name: string
  readonly path: string
  readonly content: unknown
}

/** One optimum compared with ours. */
export interface Checked {
  readonly kind: 'checked'
  readonly name: string
  /** The optimum of the file and ours, in the units of the file. */
  readonly expected: number
  readonly got: number
  /** |got - expected| / (1 + |expected|) */
  readonly error: number
  /** Relative duality gap, or the largest KKT residual at lambda = 0. */
  readonly gap: number
  readonly seconds: number
  /** One sentence per thing that is further off than allowed; empty when all is well. */
  readonly misses: readonly string[]
}

/** A file, or part of one, that was not compared; `why` names the family. */
export interface Skipped {
  readonly kind: 'skipped'
  readonly name: string
  readonly why: string
}

/** A file that could not be read as what it says it is. */
export interface Damaged {
  readonly kind: 'damaged'
  readonly name: string
  readonly why: string
}

export type Finding = Checked | Skipped | Damaged

/** A kind of reference file: how to read it and how to check ours against it. */
export interface Family {
  /** The `family` its files carry. */
  readonly family: string
  /**
   * One finding per optimum in the file.
   *
   * @throws when the file is not what it says it is; the runner reports that as damaged.
   */
  check(reference: Reference): Iterable<Finding>
}

export const numbers: v.GenericSchema<number[]> = v.array(v.number())
export const rowsOfNumbers: v.GenericSchema<number[][]> = v.array(numbers)
export const partialTolerances: v.GenericSchema<Partial<Tolerances> | undefined> = v.optional(
  v.partial(v.object({ objective: v.number(), fit: v.number(), gap: v.number(), lambdaMax: v.number() })),
) as v.GenericSchema<Partial<Tolerances> | undefined>

/**
 * The content of a reference in the form its family expects.
 *
 * @throws TypeError naming the field that is missing or of another kind.
 */
export function read<T>(schema: v.GenericSchema<unknown, T>, { content }: Reference): T {
  const result = v.safeParse(schema, content)
  if (result.success) return result.output
  const issue = result.issues[0]
  throw new TypeError(`${v.getDotPath(issue) ?? 'the file'} is ${issue.received}, expected ${issue.expected}`)
}
