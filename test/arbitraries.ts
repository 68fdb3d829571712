import fc from 'fast-check'
import {
  type ConvexProgram,
  featureGroupL1,
  type GatedReluNetwork,
  type Gates,
  gatedReluNetwork,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  type LossChoice,
  l1,
  type Matrix,
  matrix,
  type PenaltyChoice,
  type ReluNetwork,
  reluProgram,
  ridge,
  squared,
  type Vector,
} from '../src/index.ts'

/** About normal, on a grid of thousandths. */
export const gaussian: fc.Arbitrary<number> = fc
  .array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 3 })
  .map((draws) => draws.reduce((a, b) => a + b, 0) / 1000)

/** Small whole numbers, for ties, exact zeros and rows on a gate's boundary. */
export const whole: fc.Arbitrary<number> = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.constant(-0),
)

/** What data look like: measured or counted. */
export const entry: fc.Arbitrary<number> = fc.oneof({ weight: 3, arbitrary: gaussian }, whole)

/** A positive number over six decades: steps, weights, factors. */
export function step(): fc.Arbitrary<number> {
  return fc.double({ min: -3, max: 3, noNaN: true }).map((exponent) => 10 ** exponent)
}

/** `length` entries. */
export function vector(length: number, of: fc.Arbitrary<number> = entry): fc.Arbitrary<Vector> {
  return fc.array(of, { minLength: length, maxLength: length }).map((entries) => Float64Array.from(entries))
}

/** A matrix of independent entries. */
export function plainMatrix(rows: number, columns: number, of: fc.Arbitrary<number> = gaussian): fc.Arbitrary<Matrix> {
  return vector(rows * columns, of).map((data) => matrix(rows, columns, data))
}

/** Columns whose sizes differ by up to six decades. */
function decades(rows: number, columns: number): fc.Arbitrary<Matrix> {
  const exponents = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: columns, maxLength: columns })
  return fc
    .tuple(plainMatrix(rows, columns), exponents)
    .map(([M, powers]) => mapEntries(M, (value, _, j) => value * 10 ** powers[j]!))
}

/** The product of a rows x 1 and a 1 x columns matrix. */
function rankOne(rows: number, columns: number): fc.Arbitrary<Matrix> {
  return fc
    .tuple(vector(rows), vector(columns))
    .map(([a, b]) => mapEntries(matrix(rows, columns), (_, i, j) => a[i]! * b[j]!))
}

/** Every row is one of the first few. */
function duplicateRows(rows: number, columns: number): fc.Arbitrary<Matrix> {
  const sources = fc.array(fc.nat({ max: Math.max(0, Math.ceil(rows / 3) - 1) }), { minLength: rows, maxLength: rows })
  return fc
    .tuple(plainMatrix(rows, columns), sources)
    .map(([M, from]) => mapEntries(M, (_, i, j) => M.data[from[i]! * columns + j]!))
}

/** Some rows and some columns are zero. */
function zeroed(rows: number, columns: number): fc.Arbitrary<Matrix> {
  const kept = (length: number): fc.Arbitrary<boolean[]> =>
    fc.array(fc.boolean(), { minLength: length, maxLength: length })
  return fc
    .tuple(plainMatrix(rows, columns), kept(rows), kept(columns))
    .map(([M, keptRows, keptColumns]) => mapEntries(M, (value, i, j) => (keptRows[i] && keptColumns[j] ? value : 0)))
}

/** A matrix as it comes: well behaved, whole numbers, badly scaled, rank one, with duplicate rows, with zero rows or columns. */
export function anyMatrix(rows: number, columns: number): fc.Arbitrary<Matrix> {
  return fc.oneof(
    { weight: 3, arbitrary: plainMatrix(rows, columns) },
    { weight: 2, arbitrary: plainMatrix(rows, columns, whole) },
    decades(rows, columns),
    rankOne(rows, columns),
    duplicateRows(rows, columns),
    zeroed(rows, columns),
  )
}

/** Targets: real, or labels -1 and 1, or all the same. */
export function targets(rows: number, outputs: number): fc.Arbitrary<Matrix> {
  return fc.oneof(
    { weight: 3, arbitrary: plainMatrix(rows, outputs) },
    plainMatrix(rows, outputs, fc.constantFrom(-1, 1)),
    whole.map((value) => matrix(rows, outputs, new Float64Array(rows * outputs).fill(value))),
  )
}

/** A network with given sizes, gates with offsets or without. */
export function network(width: number, features: number, outputs: number): fc.Arbitrary<GatedReluNetwork> {
  return fc
    .record({
      gates: plainMatrix(width, features),
      gateBias: fc.oneof(vector(width), fc.constant(new Float64Array(width))),
      W1: plainMatrix(width, features),
      b1: vector(width),
      W2: plainMatrix(width, outputs),
      intercept: vector(outputs),
    })
    .map(gatedReluNetwork)
}

/** Everything a two-layer program is given. */
export interface Instance {
  /** Which program; the penalty is the gated one's choice, the ReLU program has its own. */
  readonly family: Family
  readonly X: Matrix
  readonly y: Matrix
  /** One gate per row, with an offset last when there is one column more than X has. */
  readonly vectors: Matrix
  readonly penalty: PenaltyName
  readonly bias: boolean | 'unpenalised'
  readonly lambda: number
}

export type Family = 'gated-relu' | 'relu'

export type TwoLayerNetwork = GatedReluNetwork | ReluNetwork

export type PenaltyName = 'group-l1' | 'joint-group-l1' | 'l1' | 'ridge' | 'feature-group-l1'

/** Every penalty a two-layer program takes. */
export const penalties: Record<PenaltyName, PenaltyChoice> = {
  'group-l1': groupL1(),
  'joint-group-l1': groupL1({ joint: true }),
  l1: l1(),
  ridge: ridge(),
  'feature-group-l1': featureGroupL1(),
}

/** The penalties that are norms: those with a finite lambda_max. */
export const norms: readonly PenaltyName[] = ['group-l1', 'joint-group-l1', 'l1', 'feature-group-l1']

export interface InstanceOptions {
  readonly inputs?: (rows: number, columns: number) => fc.Arbitrary<Matrix>
  readonly families?: readonly Family[]
  readonly penalties?: readonly PenaltyName[]
  readonly biases?: readonly Instance['bias'][]
  /** Smallest lambda (default 0). */
  readonly leastLambda?: number
}

/** A small program: up to 8 rows, 3 features, 5 gates and 2 outputs. */
export function instance(options: InstanceOptions = {}): fc.Arbitrary<Instance> {
  const {
    inputs = anyMatrix,
    families = ['gated-relu', 'relu'],
    biases = [false, true, 'unpenalised'],
    leastLambda = 0,
  } = options
  const names = options.penalties ?? (Object.keys(penalties) as PenaltyName[])
  const sizes = fc.record({
    n: fc.integer({ min: 1, max: 8 }),
    d: fc.integer({ min: 1, max: 3 }),
    gates: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    offsets: fc.boolean(),
  })
  return sizes.chain(({ n, d, gates, outputs, offsets }) =>
    fc.record({
      family: fc.constantFrom(...families),
      X: inputs(n, d),
      y: targets(n, outputs),
      vectors: plainMatrix(gates, offsets ? d + 1 : d, entry),
      penalty: fc.constantFrom(...names),
      bias: fc.constantFrom(...biases),
      lambda: fc.oneof(
        fc.constantFrom(...[0, 1].filter((value) => value >= leastLambda)),
        fc.double({ min: Math.max(leastLambda, 1e-3), max: 1, noNaN: true }),
      ),
    }),
  )
}

/** The program of an instance. */
export function programOf(at: Instance, loss: LossChoice = squared()): ConvexProgram<TwoLayerNetwork> {
  const { X, y, bias, lambda } = at
  const shared = { X, y, bias, lambda, loss, gates: gatesOf(at) }
  if (at.family === 'relu') return reluProgram(shared)
  return gatedReluProgram({ ...shared, penalty: penalties[at.penalty] })
}

/** Coefficients per gate. */
export function perGate({ family, X, y, bias }: Instance): number {
  return (family === 'relu' ? 2 : 1) * y.columns * (X.columns + (bias === true ? 1 : 0))
}

export function gatesOf({ vectors, X }: Instance): Gates {
  return gatesFrom(vectors, X)
}

/** A program with a point of it. */
export function instanceWithPoint(options: InstanceOptions = {}): fc.Arbitrary<[Instance, Vector]> {
  return instance(options).chain((at) => {
    const size = at.X.columns + (at.bias === true ? 1 : 0)
    const blocks = (at.vectors.rows * perGate(at)) / size
    // Whole blocks that are zero, as solutions have them.
    const point = fc
      .tuple(vector(blocks * size), fc.array(fc.boolean(), { minLength: blocks, maxLength: blocks }))
      .map(([u, kept]) => u.map((value, k) => (kept[Math.floor(k / size)] ? value : 0)))
    return fc.tuple(fc.constant(at), point)
  })
}

/** A permutation of 0 .. count - 1. */
export function permutation(count: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: count }, (_, k) => k)
  return fc.shuffledSubarray(all, { minLength: count, maxLength: count })
}

/** Each entry replaced by a function of it and its place. */
export function mapEntries(M: Matrix, change: (value: number, row: number, column: number) => number): Matrix {
  return matrix(
    M.rows,
    M.columns,
    M.data.map((value, k) => change(value, Math.floor(k / M.columns), k % M.columns)),
  )
}
