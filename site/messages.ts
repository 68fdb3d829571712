import type { Certificate, ModelJson, Scope, Status } from '../src/types.ts'

/** Rows to learn from, as plain arrays: what the page draws and the worker solves. */
export interface Sample {
  readonly task: 'regression' | 'classification'
  readonly features: readonly string[]
  readonly target: string
  /** Classification: the names of the classes -1 and +1. */
  readonly classes?: readonly [string, string]
  readonly rows: readonly (readonly number[])[]
  /** One target per row; -1 or +1 for classification. */
  readonly y: readonly number[]
}

/** One certificate on the way to an answer. */
export interface Moment {
  readonly iteration: number
  readonly primal: number
  readonly dual: number
  readonly relativeGap: number
}

/** A two-layer ReLU network as its JSON says it: f(x) = sum_j (W1_j'x + b1_j)_+ W2_j + intercept. */
export interface NetworkJson extends ModelJson {
  readonly W1: readonly (readonly number[])[]
  readonly b1: readonly number[]
  readonly W2: readonly (readonly number[])[]
  readonly intercept: readonly number[]
}

/** One lambda of a path, solved. */
export interface PathPoint {
  readonly index: number
  readonly lambda: number
  readonly status: Status
  readonly certificate: Certificate
  readonly iterations: number
  readonly seconds: number
  readonly moments: readonly Moment[]
  /** Reads raw rows and answers in raw units. */
  readonly network: NetworkJson
  /** |w1_j| |w2_j| of each neuron; the key is the same at other lambdas while it is on for the same rows. */
  readonly neurons: readonly { readonly key: string; readonly weight: number; readonly sign: 1 | -1 }[]
  /** Root mean squared error in raw units, or the share of rows on the right side. */
  readonly score: number
}

/** What is known before the first lambda is solved. */
export interface PathStart {
  readonly patterns: number
  readonly scope: Scope
  readonly lambdas: readonly number[]
}

/** A network checked apart from the solver that found it. */
export interface Check {
  readonly network: number
  readonly lowerBound: number
  readonly scope: Scope
  readonly width: number
}

/** How gradient descent does on the same objective. */
export interface Duel {
  readonly steps: number
  readonly width: number
  /** The lowest objective of any start so far, at every report. */
  readonly best: readonly { readonly step: number; readonly objective: number }[]
  readonly done: boolean
}

export type Request = { readonly id: number } & (
  | { readonly kind: 'solve'; readonly sample: Sample }
  | { readonly kind: 'read'; readonly text: string; readonly target?: string }
  | { readonly kind: 'check'; readonly index: number }
  | { readonly kind: 'duel'; readonly index: number }
)

export type Reply = { readonly id: number } & (
  | ({ readonly kind: 'start' } & PathStart)
  | { readonly kind: 'point'; readonly point: PathPoint }
  | { readonly kind: 'end' }
  | { readonly kind: 'table'; readonly sample: Sample; readonly columns: readonly string[] }
  | ({ readonly kind: 'check' } & Check)
  | ({ readonly kind: 'duel' } & Duel)
  | { readonly kind: 'refused'; readonly sentence: string }
)
