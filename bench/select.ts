import {
  applyStandardization,
  type Fold,
  type GateDraw,
  gatedReluProgram,
  lambdaGrid,
  logistic,
  type Matrix,
  type Model,
  reluProgram,
  type Solution,
  sampleGates,
  squared,
  standardize,
  type Task,
  unstandardize,
  walk,
} from '../src/index.ts'
import { selectRows } from '../src/numerics/matrix.ts'
import type { ConvexProgram } from '../src/types.ts'
import { median, stopwatch } from './machine.ts'
import { solverNamed } from './solvers.ts'

/** One way to state the training problem, all but lambda. */
export interface Candidate {
  readonly program: 'gated-relu' | 'relu'
  /** For classes; regression takes `squared`. */
  readonly loss: 'squared' | 'logistic'
  readonly gates: number
  /** How many features, drawn at random, enter one gate; 0 is all of them. */
  readonly order: number
  readonly draw: GateDraw
  readonly seed: number
}

/** Rows to learn from. */
export interface Rows {
  readonly task: Task
  readonly X: Matrix
  /** Targets; -1 and +1 for classes. */
  readonly y: Matrix
}

export interface SelectOptions {
  readonly candidates: readonly Candidate[]
  readonly folds: readonly Fold[]
  /** Lambdas tried, geometric from lambda_max down, and the last of them over lambda_max. */
  readonly lambdaCount: number
  readonly lambdaRatio: number
  /** What is made of the folds' scores. */
  readonly summary: 'mean' | 'median'
  /** Relative gap of the solves within folds, and of the last one. */
  readonly foldTolerance: number
  readonly tolerance: number
  /** As `solverNamed` takes it (default: what `solve` chooses). */
  readonly solver?: string
  /** Processor seconds after which no further lambda is begun. */
  readonly seconds: number
}

/** What was tried: a candidate at one lambda, and its accuracy (or minus its mean squared error) on held-out rows. */
export interface Judged {
  readonly candidate: Candidate
  readonly lambda: number
  readonly scores: readonly number[]
  readonly summary: number
}

export interface Selected {
  readonly best: Judged
  readonly judged: readonly Judged[]
  /** Solves within folds that did not end solved. */
  readonly unsolved: number
  /** Processor seconds, the last solve not counted. */
  readonly seconds: number
  /** True when the time was up before everything was tried. */
  readonly cut: boolean
  /** Trains the best on all rows: that solution, and predictions for other rows. */
  train(): { readonly solution: Solution<Model>; predict(X: Matrix): Matrix }
}

/**
 * Chooses among candidates and lambdas by cross-validation; the first of equals, and the largest lambda of equals.
 *
 * Standardisation, gates and fits see the training rows of a fold only. Within a fold each lambda starts where the one
 * before ended; all folds of a candidate share the grid of all rows, and end it together when it has become worse.
 */
export function select(rows: Rows, options: SelectOptions): Selected {
  const elapsed = stopwatch()
  const judged: Judged[] = []
  let unsolved = 0
  let cut = false
  const late = (): boolean => (cut ||= elapsed().cpu > options.seconds)
  for (const candidate of options.candidates) {
    if (late()) break
    const grid = lambdaGrid(prepared(rows, candidate).program, {
      count: options.lambdaCount,
      ratio: options.lambdaRatio,
    })
    const parts = options.folds.map(({ train, validation }) => ({
      ...prepared(part(rows, train), candidate),
      held: part(rows, validation),
      start: undefined as Solution<Model> | undefined,
    }))
    let worse = 0
    let top: Judged | undefined
    for (const lambda of grid) {
      if (late() || worse >= PATIENCE) break
      const scores = parts.map((fold) => {
        fold.start = solved({ ...fold.program, lambda }, options.foldTolerance, options.solver, fold.start)
        if (fold.start.status !== 'solved') unsolved++
        return score(fold.network(fold.start).predict(fold.held.X), fold.held)
      })
      const summary = options.summary === 'mean' ? mean(scores) : median(scores)
      const point = { candidate, lambda, scores, summary }
      judged.push(point)
      if (!top || summary > top.summary) top = point
      worse = summary < top.summary - standardError(top.scores) ? worse + 1 : 0
    }
  }
  const best = judged.reduce((a, b) => (b.summary > a.summary ? b : a))
  return {
    ...{ best, judged, unsolved, seconds: elapsed().cpu, cut },
    train() {
      const { program, network } = prepared(rows, best.candidate)
      const solution = solved({ ...program, lambda: best.lambda }, options.tolerance, options.solver)
      const found = network(solution)
      return { solution, predict: (X) => found.predict(X) }
    },
  }
}

/** Accuracy, or minus the mean squared error. */
export function score(predicted: Matrix, { task, y }: Pick<Rows, 'task' | 'y'>): number {
  const each = rowScores(predicted, { task, y })
  return mean(each)
}

/** Row by row: 1 where the class is right, or minus the squared error. */
export function rowScores(predicted: Matrix, { task, y }: Pick<Rows, 'task' | 'y'>): number[] {
  return Array.from({ length: y.rows }, (_, r) => {
    if (task === 'classification') return classOf(predicted, r) === classOf(y, r) ? 1 : 0
    let square = 0
    for (let k = r * y.columns; k < (r + 1) * y.columns; k++) square += (predicted.data[k]! - y.data[k]!) ** 2
    return -square
  })
}

/** Some of the rows. */
export function part({ task, X, y }: Rows, rows: Int32Array): Rows {
  return { task, X: selectRows(X, rows), y: selectRows(y, rows) }
}

interface Prepared {
  readonly program: ConvexProgram<Model>
  /** Reads raw rows, answers in raw units. */
  network(solution: Solution<Model>): Model
}

/** Standardised rows (classes are centred for the squared loss), sampled gates, and the way back. */
function prepared({ task, X, y }: Rows, { program: kind, loss, gates: count, order, draw, seed }: Candidate): Prepared {
  const inputs = standardize(X)
  const { X: targets, mean: center, scale } = standardize(y)
  const signs = task === 'classification' && loss !== 'squared'
  const unscaled = {
    mean: signs ? center.map(() => 0) : center,
    scale: task === 'regression' ? scale : scale.map(() => 1),
  }
  const varying = inputs.X.columns > inputs.constant.length
  const features = Array.from({ length: X.columns }, (_, j) => j).filter(
    (j) => !varying || !inputs.constant.includes(j),
  )
  const problem = {
    X: inputs.X,
    y: task === 'regression' ? targets : applyStandardization(y, unscaled),
    gates: sampleGates(inputs.X, {
      ...{ count, seed, draw, bias: true, features },
      ...(order > 0 && { order: Math.min(order, features.length) }),
    }),
    lambda: 0,
    bias: true,
    loss: signs ? logistic() : squared(),
  }
  const program = (kind === 'relu' ? reluProgram(problem) : gatedReluProgram(problem)) as ConvexProgram<Model>
  return {
    program,
    network: ({ model }) => unstandardize(model as Parameters<typeof unstandardize>[0], inputs, unscaled),
  }
}

/** Lambdas in a row that must be worse than a candidate's best by more than a standard error before the rest is left out. */
const PATIENCE = 3
/** Seconds of a solve after which its point is taken as it is: far from the end of a path nothing is chosen. */
const SOLVE_SECONDS = 20

/** Of the mean over the folds. */
function standardError(scores: readonly number[]): number {
  const center = mean(scores)
  const variance = scores.reduce((total, value) => total + (value - center) ** 2, 0) / (scores.length - 1)
  return Math.sqrt(variance / scores.length)
}

function solved(
  program: ConvexProgram<Model>,
  tolerance: number,
  name = 'default',
  start?: Solution<Model>,
): Solution<Model> {
  const solver = solverNamed(name, program)
  const walking = walk(program, { solver, tolerance, timeLimit: SOLVE_SECONDS, ...(start && { start }) })
  for (;;) {
    const at = walking.next()
    if (at.done) return at.value
  }
}

function classOf({ columns, data }: Matrix, row: number): number {
  if (columns === 1) return data[row]! > 0 ? 1 : 0
  let best = 0
  for (let k = 1; k < columns; k++) if (data[row * columns + k]! > data[row * columns + best]!) best = k
  return best
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
