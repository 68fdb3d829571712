import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Matrix, matrix, readCsv, sampleGates } from '../../src/index.ts'

/** What both sides are given: unit columns, one target, gates as vectors. */
export interface Shared {
  readonly name: string
  readonly X: Matrix
  readonly y: Matrix
  /** One gate per row, no offsets. */
  readonly gates: Matrix
}

/** A problem whose optima are known. */
export interface Solved extends Shared {
  readonly lambdaMax: number
  /** From lambda / lambda_max to the certified optimum. */
  readonly optima: ReadonlyMap<number, number>
}

const golden = process.env.CVXNN_GOLDEN ?? '../shared/golden'
const data = process.env.CVXNN_DATA ?? '../shared/data'

/** One of the problems in the folder bench of the reference optima; undefined when it is not there. */
export function goldenProblem(name: string): Solved | undefined {
  const folder = join(golden, 'bench', name)
  if (!existsSync(join(folder, 'meta.json'))) return undefined
  const { n, d, P } = json(join(folder, 'meta.json')) as { n: number; d: number; P: number }
  const known = (json(join(golden, 'bench', 'optima_gated.json')) as Record<string, Optima>)[name]
  if (!known) return undefined
  const G = floats(join(folder, 'G.f32'))
  return {
    name,
    X: matrix(n, d, floats(join(folder, 'X.f32'))),
    y: matrix(n, 1, floats(join(folder, 'y.f32'))),
    // The file has one gate per column.
    gates: matrix(
      P,
      d,
      Float64Array.from({ length: P * d }, (_, k) => G[(k % d) * P + Math.floor(k / d)]!),
    ),
    lambdaMax: known.lambdaMax,
    optima: new Map(Object.entries(known.optima).map(([ratio, { objective }]) => [Number(ratio), objective])),
  }
}

interface Optima {
  readonly lambdaMax: number
  readonly optima: Record<string, { readonly objective: number }>
}

/**
 * A table of two classes as scnn's authors prepare it: targets -1 and +1, a column of ones, columns of norm one, sampled
 * gates. Undefined when the table is not there.
 */
export async function realProblem(name: string, count: number): Promise<Shared | undefined> {
  const path = join(data, 'uci', 'classification', `${name}.csv`)
  if (!existsSync(path)) return undefined
  const { X: raw, y } = await readCsv(path, { target: 'y', task: 'classification' })
  if (y.columns !== 1) throw new RangeError(`${name} has ${y.columns} classes, expected two; name another table.`)
  const X = matrix(raw.rows, raw.columns + 1)
  for (let r = 0; r < raw.rows; r++) {
    X.data.set(raw.data.subarray(r * raw.columns, (r + 1) * raw.columns), r * X.columns)
    X.data[r * X.columns + raw.columns] = 1
  }
  unitColumns(X)
  return { name, X, y, gates: sampleGates(X, { count, seed: 1 }).vectors }
}

function unitColumns(X: Matrix): void {
  for (let j = 0; j < X.columns; j++) {
    let square = 0
    for (let k = j; k < X.data.length; k += X.columns) square += X.data[k]! ** 2
    if (square > 0) for (let k = j; k < X.data.length; k += X.columns) X.data[k]! /= Math.sqrt(square)
  }
}

function floats(path: string): Float64Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path)
  const view = new DataView(buffer, byteOffset, byteLength)
  return Float64Array.from({ length: byteLength / 4 }, (_, k) => view.getFloat32(4 * k, true))
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
