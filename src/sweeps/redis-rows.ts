import type { Redis } from 'ioredis'
import { type SharedRows, sharedRows } from '../estimators/content-hash.ts'
import type { Matrix } from '../types.ts'

/** Bytes of one piece: far below what Redis takes as one value. */
const PIECE = 1 << 23

/** What is written last, so that rows which are there are there whole. */
interface Heading {
  readonly task: SharedRows['task']
  readonly X: { readonly rows: number; readonly columns: number }
  readonly Y: { readonly rows: number; readonly columns: number }
}

const keyOf = (hash: string): string => `cvxnn-rows:${hash}`

/** Puts rows into Redis under their hash, once, to be kept for this many seconds from now. */
export async function shipRows(client: Redis, { hash, task, X, Y }: SharedRows, keep: number): Promise<void> {
  const key = keyOf(hash)
  const keys = [X, Y].flatMap((M, m) => piecesOf(M).map((_, k) => `${key}:${m}:${k}`))
  const renewed = await Promise.all([key, ...keys].map((name) => client.expire(name, keep)))
  if (renewed.every((there) => there === 1)) return
  for (const [m, M] of [X, Y].entries())
    for (const [k, piece] of piecesOf(M).entries()) await client.set(`${key}:${m}:${k}`, piece, 'EX', keep)
  const heading: Heading = { task, X: sizes(X), Y: sizes(Y) }
  await client.set(key, JSON.stringify(heading), 'EX', keep)
}

/**
 * The rows of this hash.
 *
 * @throws Error in one sentence when they are not there, or others than their hash says.
 */
export async function fetchRows(client: Redis, hash: string): Promise<SharedRows> {
  const key = keyOf(hash)
  const heading = await client.get(key)
  if (heading === null) throw new Error(`worker: the rows ${hash.slice(0, 12)} are not in Redis; sweep again.`)
  const { task, X, Y } = JSON.parse(heading) as Heading
  const [x, y] = await Promise.all([X, Y].map((size, m) => fetchMatrix(client, `${key}:${m}`, size)))
  const rows = await sharedRows(task, x!, y!)
  if (rows.hash !== hash) throw new Error(`worker: the rows ${hash.slice(0, 12)} are damaged in Redis; sweep again.`)
  return rows
}

async function fetchMatrix(client: Redis, key: string, { rows, columns }: Heading['X']): Promise<Matrix> {
  const data = new Float64Array(rows * columns)
  const bytes = new Uint8Array(data.buffer)
  for (let k = 0; k * PIECE < bytes.length; k++) {
    const piece = await client.getBuffer(`${key}:${k}`)
    if (piece && piece.length <= bytes.length - k * PIECE) bytes.set(piece, k * PIECE)
  }
  return { rows, columns, data }
}

function piecesOf({ data }: Matrix): Buffer[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, k) => bytes.subarray(k * PIECE, (k + 1) * PIECE))
}

function sizes({ rows, columns }: Matrix): Heading['X'] {
  return { rows, columns }
}
