import * as v from 'valibot'
import { MODEL_VERSION } from '../models/index.ts'
import type { ModelJson, Status } from '../types.ts'
import type { Label } from './file.ts'

/**
 * The fields of an estimator's file, which says of itself that it is one of this kind.
 *
 * @throws TypeError in one sentence when the file is foreign, newer, or of another kind.
 */
export function fieldsOf(kind: string, json: string | object): object {
  const head = (typeof json === 'string' ? parse(json) : json) as Partial<ModelJson> | null
  if (typeof head !== 'object' || head === null || head.format !== 'cvxnn')
    throw new TypeError('load: this is not a cvxnn model (no "format": "cvxnn"); pass what toJSON() wrote.')
  if (typeof head.version === 'number' && head.version > MODEL_VERSION)
    throw new TypeError(
      `load: the model has format version ${head.version} and this release reads up to ${MODEL_VERSION}; update cvxnn.`,
    )
  if (head.kind !== kind)
    throw new TypeError(
      `load: the model is of kind ${JSON.stringify(head.kind ?? null)}, expected "${kind}"; use loadModel() for any kind.`,
    )
  return head
}

/** A figure of how training went: JSON writes NaN and Infinity, of training that diverged, as null. */
export const measured: v.SchemaWithPipe<
  readonly [v.NullableSchema<v.NumberSchema<undefined>, undefined>, v.TransformAction<number | null, number>]
> = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
)

/** Only training that diverged has figures that are no numbers. */
export function requireFigures(status: Status, figures: object): void {
  const wrong = Object.entries(figures).find(([, value]) => Number.isNaN(value))
  if (wrong && status !== 'diverged') throw new RangeError(`${wrong[0]} is null and the status is ${status}`)
}

/** Two classes share one output, more have one each. */
export function requireOutputs(classes: readonly Label[], outputs: number): void {
  const distinct = new Set(classes).size
  if (distinct < classes.length || outputs !== (distinct === 2 ? 1 : distinct))
    throw new RangeError(`${distinct} classes and ${outputs} outputs do not belong together`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TypeError(`load: the text is no JSON (${(error as Error).message}); pass what toJSON() wrote.`, {
      cause: error,
    })
  }
}
