import { createHash } from 'node:crypto'
import { access, constants, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import type { DataSchema } from '../data/schema.ts'
import type { EstimatorJson } from '../estimators/file.ts'
import { LiftedClassifier } from '../estimators/lifted-classifier.ts'
import type { LiftedEstimatorJson } from '../estimators/lifted-file.ts'
import { LiftedRegressor } from '../estimators/lifted-regressor.ts'
import { loadModel } from '../estimators/load-model.ts'
import { ReluClassifier } from '../estimators/relu-classifier.ts'
import { ReluRegressor } from '../estimators/relu-regressor.ts'
import type { Matrix } from '../types.ts'

export { writeWhole } from '../data/write-whole.ts'

/** What `cvxnn fit` adds to an estimator's file: how to read a table for it, and which rows it was trained on. */
export interface FileExtras {
  readonly schema: DataSchema
  readonly data: {
    /** Name of the table it was trained on. */
    readonly source: string
    readonly rows: number
    readonly testFraction: number
    readonly splitSeed: number
    readonly missing: string
    /** SHA-256 of the training rows. */
    readonly fingerprint: string
  }
}

/** What `cvxnn fit` trains. */
export type Fitted = ReluRegressor | ReluClassifier | LiftedRegressor | LiftedClassifier

export interface ModelFile {
  readonly estimator: Fitted
  readonly extras: FileExtras
}

/** Refuses a path that cannot be written to, before any work is done for it. */
export async function requireWritable(path: string): Promise<void> {
  const folder = dirname(path)
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new Error(`cannot write ${path}: there is no folder ${folder}; create it first.`)
  const there = await stat(path).catch(() => undefined)
  if (there?.isDirectory()) throw new Error(`cannot write ${path}: it is a folder; pass the name of a file.`)
  await access(there && !there.isFile() ? path : folder, constants.W_OK).catch((cause) => {
    throw new Error(`cannot write ${path}: ${folder} does not allow it; check its permissions.`, { cause })
  })
}

export function modelText(json: EstimatorJson | LiftedEstimatorJson, extras: FileExtras): string {
  return `${JSON.stringify({ ...json, ...extras })}\n`
}

const column = v.variant('kind', [
  v.object({ name: v.string(), kind: v.literal('numeric'), fill: v.optional(v.number()) }),
  v.object({
    name: v.string(),
    kind: v.literal('categorical'),
    categories: v.array(v.string()),
    fill: v.optional(v.string()),
  }),
])

const extrasSchema = v.looseObject({
  schema: v.object({
    columns: v.array(column),
    target: v.array(v.string()),
    task: v.picklist(['regression', 'classification']),
    classes: v.optional(v.array(v.string())),
    markers: v.array(v.string()),
    numbers: v.optional(
      v.object({
        decimal: v.optional(v.picklist(['.', ','])),
        thousands: v.optional(v.picklist([',', '.', ' ', "'"])),
      }),
    ),
  }),
  data: v.object({
    source: v.string(),
    rows: v.number(),
    testFraction: v.number(),
    splitSeed: v.number(),
    missing: v.string(),
    fingerprint: v.string(),
  }),
})

/** Reads a model file of `cvxnn fit`. */
export async function readModelFile(path: string): Promise<ModelFile> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Error(`cannot read ${path} (${error.message}); pass a model file that cvxnn fit wrote.`, { cause: error })
  })
  try {
    const estimator = loadModel(text)
    if (!isFitted(estimator))
      throw new TypeError(
        `the model is a bare ${kindOf(estimator)} without the columns it reads; pass a file that cvxnn fit wrote.`,
      )
    const extras = v.safeParse(extrasSchema, JSON.parse(text))
    if (!extras.success)
      throw new TypeError(
        `the model is damaged at "${v.getDotPath(extras.issues[0]) ?? ''}" (${extras.issues[0].message}); fit it again with cvxnn fit.`,
      )
    const { task, classes } = extras.output.schema
    const expected = 'classes' in estimator ? estimator.classes.map(String) : undefined
    if (
      (task === 'classification') !== (expected !== undefined) ||
      JSON.stringify(classes) !== JSON.stringify(expected)
    )
      throw new TypeError(
        'the model is damaged: its schema has other classes than it predicts; fit it again with cvxnn fit.',
      )
    return { estimator, extras: extras.output as FileExtras }
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** What a model says it is. */
function kindOf(model: { toJSON(): { kind: string } }): string {
  return model.toJSON().kind
}

function isFitted(model: object): model is Fitted {
  return [ReluRegressor, ReluClassifier, LiftedRegressor, LiftedClassifier].some((kind) => model instanceof kind)
}

/** SHA-256 of the entries of some matrices. */
export function fingerprint(...parts: Matrix[]): string {
  const hash = createHash('sha256')
  for (const { data } of parts) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return hash.digest('hex')
}
