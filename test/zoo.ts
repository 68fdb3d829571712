import {
  type ConvexProgram,
  featureGroupL1,
  fromRows,
  type GatedReluNetwork,
  gatedReluProgram,
  gatesFrom,
  groupL1,
  l1,
  lambdaMax,
  type Matrix,
  matrix,
  type PenaltyChoice,
  type ReluNetwork,
  reluProgram,
  ridge,
  sampleGates,
} from '../src/index.ts'
import { random } from '../src/numerics/random.ts'

/** A small program with a name, and what is special about it when a solver meets it. */
export interface Specimen {
  readonly name: string
  readonly program: ConvexProgram<GatedReluNetwork | ReluNetwork>
  /** Lambda over lambda_max, where there is one. */
  readonly ratio?: number
}

interface Recipe {
  readonly name: string
  readonly X: Matrix
  readonly y: Matrix
  readonly gates?: Matrix
  readonly count?: number
  readonly penalty?: PenaltyChoice
  readonly bias?: boolean | 'unpenalised'
  readonly families?: readonly ('gated-relu' | 'relu')[]
  /** Lambda over lambda_max, or lambda itself for ridge, which has none. */
  readonly ratio: number
}

const X = normal(20, 3, 1)
const y = bentTargets(X)

const recipes: Recipe[] = [
  ...[0, 0.01, 0.5, 0.999, 1, 2].map((ratio) => ({ name: `lambda at ${ratio} lambda_max`, X, y, ratio })),
  ...[
    { name: 'l1', penalty: l1() },
    { name: 'ridge', penalty: ridge() },
    { name: 'feature groups', penalty: featureGroupL1() },
    { name: 'joint groups on one output', penalty: groupL1({ joint: true }) },
  ].map((recipe) => ({ X, y, ratio: 0.1, families: ['gated-relu'] as const, ...recipe })),
  { name: 'two outputs, one-vs-all', X, y: twoOutputs(X), ratio: 0.1 },
  {
    name: 'two outputs, joint',
    X,
    y: twoOutputs(X),
    ratio: 0.1,
    penalty: groupL1({ joint: true }),
    families: ['gated-relu'],
  },
  { name: 'a penalised bias', X, y: plus(y, 3), ratio: 0.1, bias: true },
  { name: 'an unpenalised bias', X, y: plus(y, 3), ratio: 0.1, bias: 'unpenalised' },
  {
    name: 'an unpenalised bias and lambda 0',
    X,
    y: plus(y, 3),
    ratio: 0,
    bias: 'unpenalised',
    families: ['gated-relu'],
  },
  { name: 'duplicate rows', X: rowsOf(X, (r) => r % 5), y, ratio: 0.1 },
  { name: 'a zero column', X: mapped(X, (value, _, j) => (j === 1 ? 0 : value)), y, ratio: 0.1 },
  { name: 'a zero row', X: mapped(X, (value, r) => (r === 4 ? 0 : value)), y, ratio: 0.1 },
  { name: 'two equal columns', X: mapped(X, (value, r, j) => (j === 1 ? X.data[r * 3]! : value)), y, ratio: 0.1 },
  {
    name: 'rows on the boundary of a gate',
    X: fromRows([
      [1, 0],
      [0, 1],
      [1, 1],
      [-1, 1],
      [2, 0],
      [-1, -2],
    ]),
    y: column([1, -1, 2, 0, 1.5, 0.5]),
    gates: fromRows([
      [1, 0],
      [0, -1],
      [1, 1],
      [-1, 2],
    ]),
    ratio: 0.05,
  },
  { name: 'the same gate twice', X, y, gates: rowsOf(normal(3, 3, 2), (r) => r, [0, 1, 1, 2, 0]), ratio: 0.1 },
  { name: 'one gate', X, y, count: 1, ratio: 0.1 },
  { name: 'one row', X: fromRows([[1, -2, 0.5]]), y: column([3]), gates: fromRows([[1, 0, 0]]), ratio: 0.1 },
  { name: 'one feature', X: normal(12, 1, 3), y: bentTargets(normal(12, 1, 3)), gates: column([1, -1]), ratio: 0.1 },
  { name: 'columns of unlike size', X: mapped(X, (value, _, j) => value * [1, 0.1, 10][j]!), y, ratio: 0.1 },
  { name: 'targets that are all zero', X, y: plus(y, 0, 0), ratio: 0.1 },
]

/** Small programs with everything that has hurt, gated and ReLU. */
export const zoo: readonly Specimen[] = recipes.flatMap((recipe) =>
  (recipe.families ?? (['gated-relu', 'relu'] as const)).map((family) => make(recipe, family)),
)

function make(recipe: Recipe, family: 'gated-relu' | 'relu'): Specimen {
  const { X, y, ratio, penalty = groupL1(), bias = false } = recipe
  const gates = recipe.gates ? gatesFrom(recipe.gates, X) : sampleGates(X, { count: recipe.count ?? 6, seed: 4 })
  const shared = { X, y, gates, bias, lambda: 1 }
  const program = family === 'relu' ? reluProgram(shared) : gatedReluProgram({ ...shared, penalty })
  const top = lambdaMax(program)
  const name = `${family}: ${recipe.name}`
  if (!Number.isFinite(top)) return { name, program: { ...program, lambda: ratio } }
  return { name, program: { ...program, lambda: ratio * top || (ratio > 0 ? 1 : 0) }, ratio }
}

function normal(rows: number, columns: number, seed: number): Matrix {
  const draws = random(seed)
  return matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => draws.normal()),
  )
}

/** |x_0| - max(0, last entry) and a little that no network of few neurons explains. */
function bentTargets(X: Matrix): Matrix {
  return column(
    Array.from({ length: X.rows }, (_, r) => {
      const row = X.data.subarray(r * X.columns, (r + 1) * X.columns)
      return Math.abs(row[0]!) - Math.max(0, row[X.columns - 1]!) + 0.2 * Math.sin(7 * r)
    }),
  )
}

function twoOutputs(X: Matrix): Matrix {
  const first = bentTargets(X)
  return matrix(
    X.rows,
    2,
    Float64Array.from({ length: 2 * X.rows }, (_, k) =>
      k % 2 === 0 ? first.data[k >> 1]! : Math.max(0, X.data[(k >> 1) * X.columns + 1]!) - 0.3,
    ),
  )
}

function column(values: readonly number[]): Matrix {
  return matrix(values.length, 1, Float64Array.from(values))
}

/** factor M + shift */
function plus(M: Matrix, shift: number, factor = 1): Matrix {
  return mapped(M, (value) => factor * value + shift)
}

function mapped(M: Matrix, change: (value: number, row: number, column: number) => number): Matrix {
  return matrix(
    M.rows,
    M.columns,
    M.data.map((value, k) => change(value, Math.floor(k / M.columns), k % M.columns)),
  )
}

/** Each row replaced by another of them. */
function rowsOf(
  M: Matrix,
  source: (row: number) => number,
  rows = Array.from({ length: M.rows }, (_, r) => r),
): Matrix {
  const chosen = matrix(rows.length, M.columns)
  rows.forEach((r, k) => {
    const from = source(r) * M.columns
    chosen.data.set(M.data.subarray(from, from + M.columns), k * M.columns)
  })
  return chosen
}
