import type { Task } from '../data/dataset.ts'
import type { Matrix } from '../types.ts'

/** Rows and targets under the name that their content gives them: what jobs refer to and engines ship. */
export interface SharedRows {
  /** SHA-256 of task, sizes and entries, in hexadecimal. */
  readonly hash: string
  readonly task: Task
  readonly X: Matrix
  /** One row per row of X; classes are encoded as -1 and +1. */
  readonly Y: Matrix
}

/** Rows and targets with their content's hash. */
export async function sharedRows(task: Task, X: Matrix, Y: Matrix): Promise<SharedRows> {
  const parts = [X, Y].map(async ({ rows, columns, data }) => `${rows} x ${columns} ${await sha256(data)}`)
  return { hash: await hashOf(`${task} ${(await Promise.all(parts)).join(' ')}`), task, X, Y }
}

/** SHA-256 of a text, in hexadecimal. */
export function hashOf(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text))
}

async function sha256(data: Float64Array | Uint8Array): Promise<string> {
  // Memory that threads share is not taken.
  const own = data.buffer instanceof ArrayBuffer ? (data as Uint8Array<ArrayBuffer>) : new Float64Array(data)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', own))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
