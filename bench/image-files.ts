import { join } from 'node:path'
import {
  type CompactMatrix,
  type GateDraw,
  type LossChoice,
  logistic,
  type Matrix,
  matrix,
  nystromNewton,
  nystromNewtonCg,
  openIdx,
  readIdx,
  type SampleGatesOptions,
  type Solver,
  softmax,
  squared,
  type Vector,
} from '../src/index.ts'

/** Images in bytes with their classes, of which there are ten. */
export interface Images {
  readonly X: CompactMatrix
  readonly labels: ArrayLike<number>
}

export const OUTPUTS = 10

/** A folder of the one that CVXNN_DATA names (default ../shared/data). */
export function dataFolder(name: string): string {
  return join(process.env.CVXNN_DATA ?? '../shared/data', name)
}

export async function mnist(part: 'train' | 't10k'): Promise<Images> {
  const folder = dataFolder('mnist')
  const labels = await readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`))
  return { X: await openIdx(join(folder, `${part}-images-idx3-ubyte.gz`), { divisor: 255 }), labels: labels.data }
}

export function firstRows(X: CompactMatrix, rows: number): CompactMatrix {
  return rows >= X.rows ? X : Object.freeze({ ...X, rows })
}

/** 1 in the column of the row's class, `other` elsewhere. */
export function oneHot(labels: ArrayLike<number>, rows: number, other = 0): Matrix {
  const Y = matrix(rows, OUTPUTS, new Float64Array(rows * OUTPUTS).fill(other))
  for (let r = 0; r < rows; r++) Y.data[r * OUTPUTS + labels[r]!] = 1
  return Y
}

/** How many images have their largest output in the column of their class. */
export function rightOf(fit: Vector, { X, labels }: Images): number {
  let right = 0
  for (let r = 0; r < X.rows; r++) {
    const row = fit.subarray(r * OUTPUTS, (r + 1) * OUTPUTS)
    if (row.indexOf(Math.max(...row)) === labels[r]) right++
  }
  return right
}

interface ImageLoss {
  readonly loss: LossChoice
  readonly solver: (options: { landmarks?: number }) => Solver
  readonly other: number
}

/** The losses there are to choose from, what solves them, and what targets are where the class is another. */
const losses: Record<'squared' | 'softmax' | 'logistic', ImageLoss> = {
  squared: { loss: squared(), solver: nystromNewton, other: 0 },
  softmax: { loss: softmax(), solver: nystromNewtonCg, other: 0 },
  logistic: { loss: logistic(), solver: nystromNewtonCg, other: -1 },
}

export function lossNamed(name: string): ImageLoss {
  if (name === 'squared' || name === 'softmax' || name === 'logistic') return losses[name]
  throw new RangeError(`--loss is ${name}, expected one of ${Object.keys(losses).join(', ')}.`)
}

/** Gates of images as options say them: how many, how drawn, and within windows of how many pixels a side, '' for none. */
export function gatesOfImages(
  { gates, draw, window }: { gates: string; draw: string; window: string },
  shape = { height: 28, width: 28, channels: 1 },
): SampleGatesOptions {
  const [least, most] = window.split(',').map(Number)
  return {
    count: Number(gates),
    seed: 1,
    draw: draw as GateDraw,
    ...(least && { window: { shape, size: [least, most ?? least] as const } }),
  }
}
