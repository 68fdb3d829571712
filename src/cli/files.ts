import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import type { DataSchema } from '../data/schema.ts'
import type { EstimatorJson } from '../estimators/file.ts'
import { loadModel } from '../estimators/load-model.ts'
import { ReluClassifier } from '../estimators/relu-classifier.ts'
import { ReluRegressor } from '../estimators/relu-regressor.ts'
import type { Matrix } from '../types.ts'

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

export interface ModelFile {
  readonly estimator: ReluRegressor | ReluClassifier
  readonly extras: FileExtras
}

/** Writes a file whole or not at all: under another name first, then renamed. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${randomUUID()}.partial`)
  try {
    await writeFile(draft, text)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new Error(`cannot write ${path} (${(error as Error).message}); check the folder and its permissions.`, {
      cause: error,
    })
  }
}

export function modelText(json: EstimatorJson, extras: FileExtras): string {
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
    if (!(estimator instanceof ReluRegressor || estimator instanceof ReluClassifier))
      throw new TypeError(
        `the model is a bare ${estimator.kind} without the columns it reads; pass a file that cvxnn fit wrote.`,
      )
    const extras = v.safeParse(extrasSchema, JSON.parse(text))
    if (!extras.success)
      throw new TypeError(
        `the model is damaged at "${v.getDotPath(extras.issues[0]) ?? ''}" (${extras.issues[0].message}); fit it again with cvxnn fit.`,
      )
    return { estimator, extras: extras.output as FileExtras }
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** SHA-256 of the entries of some matrices. */
export function fingerprint(...parts: Matrix[]): string {
  const hash = createHash('sha256')
  for (const { data } of parts) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return hash.digest('hex')
}
