import { type Gates, type Matrix, matrix, sampleGates } from '../src/index.ts'
import { random } from '../src/numerics/random.ts'

export interface PlantedSize {
  readonly rows: number
  readonly features: number
  readonly gates: number
}

export interface Planted {
  /** n x d, columns of norm one. */
  readonly X: Matrix
  /** n x 1, mean square about one. */
  readonly y: Matrix
  readonly gates: Gates
}

/**
 * A regression with a known kind of answer: y = teacher(X) + noise, with a random two-layer ReLU teacher.
 *
 * X is normal with its columns scaled to norm one, the teacher has ten neurons and its output a mean square of one, and
 * the noise a standard deviation of a tenth of that. The same seed gives the same problem.
 */
export function planted({ rows, features, gates }: PlantedSize, seed = 1): Planted {
  const draws = random(seed)
  const X = matrix(rows, features)
  for (let k = 0; k < X.data.length; k++) X.data[k] = draws.normal()
  const output = new Float64Array(rows)
  for (let neuron = 0; neuron < TEACHER_WIDTH; neuron++) addNeuron(X, draws, output)
  const size = Math.sqrt(output.reduce((sum, value) => sum + value * value, 0) / rows)
  const y = matrix(
    rows,
    1,
    output.map((value) => value / size + NOISE * draws.normal()),
  )
  unitColumns(X)
  return { X, y, gates: sampleGates(X, { count: gates, seed }) }
}

const TEACHER_WIDTH = 10
const NOISE = 0.1

/** output += w2 (X w1)_+ with normal w1 and w2. */
function addNeuron(X: Matrix, draws: ReturnType<typeof random>, output: Float64Array): void {
  const w1 = Float64Array.from({ length: X.columns }, () => draws.normal())
  const w2 = draws.normal()
  for (let r = 0; r < X.rows; r++) {
    let value = 0
    for (let j = 0; j < X.columns; j++) value += X.data[r * X.columns + j]! * w1[j]!
    if (value > 0) output[r]! += w2 * value
  }
}

function unitColumns(X: Matrix): void {
  for (let j = 0; j < X.columns; j++) {
    let square = 0
    for (let k = j; k < X.data.length; k += X.columns) square += X.data[k]! ** 2
    for (let k = j; k < X.data.length; k += X.columns) X.data[k]! /= Math.sqrt(square)
  }
}
