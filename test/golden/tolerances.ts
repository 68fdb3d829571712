/**
 * How closely a reference is met where its file does not say: the one place for it.
 *
 * A file may carry `tolerances` with some of these names, which then count instead.
 */
export interface Tolerances {
  /** |objective - optimum| / (1 + |optimum|), in the units of the file. */
  readonly objective: number
  /** Largest entry of |fit - reference fit|. */
  readonly fit: number
  /** Relative duality gap; at lambda = 0, where no bound is finite, the largest relative KKT residual. */
  readonly gap: number
  /** |lambda_max - reference| / reference */
  readonly lambdaMax: number
  /** How far a neuron may be outside its cone, relative to its norm. */
  readonly feasibility: number
  /** Entries and norm of a projection onto a cone. */
  readonly projection: number
}

export const tolerances: Tolerances = {
  objective: 1e-8,
  fit: 1e-5,
  gap: 1e-9,
  lambdaMax: 1e-9,
  feasibility: 1e-8,
  projection: 1e-9,
}

/** What the solver is asked for: a tenth of the gap that is checked. */
export const asked: number = tolerances.gap / 10

/** A group counts as active above this share of the largest group's norm. */
export const activeShare = 1e-6
