import { lambdaMax, type Matrix, matrix, type Solution, type Vector } from '../../src/index.ts'
import type { Checked } from './reference.ts'
import { activeShare, type Tolerances, tolerances } from './tolerances.ts'

/** What is known of one optimum, in the units of its file; what is absent is not compared. */
export interface Known {
  readonly objective: number
  /** How far the reference's own objective may be off, relative; it is matched no closer than that. */
  readonly accuracy?: number | undefined
  readonly fit?: Vector
  readonly lambdaMax?: number
  readonly active?: ActiveGroups
  readonly tolerances?: Partial<Tolerances> | undefined
}

export interface ActiveGroups {
  /** Entries of one group. */
  readonly size: number
  /** How many are non-zero, or which. */
  readonly expected: number | readonly number[]
}

/** Ours against a reference. `scale`: the file's objective is ours times this (n c where a file has no 1/n). */
export function compare(name: string, solution: Solution, known: Known, scale = 1): Checked {
  const allowed = { ...tolerances, ...known.tolerances }
  const { certificate, program, coefficients, seconds, status } = solution
  const expected = known.objective
  const got = certificate.primal * scale
  const error = Math.abs(got - expected) / (1 + Math.abs(expected))
  const { stationarity, dualFeasibility, complementarity, primalFeasibility } = certificate
  const gap = program.lambda > 0 ? certificate.relativeGap : Math.max(stationarity, dualFeasibility, complementarity)
  const misses: string[] = []
  const require = (what: string, value: number, most: number): void => {
    if (!(value <= most)) misses.push(`${what} is ${value.toExponential(2)}, allowed is ${most.toExponential(0)}`)
  }
  if (status !== 'solved') misses.push(`the solver ended with status ${status}`)
  require('the error of the objective', error, Math.max(allowed.objective, known.accuracy ?? 0))
  require(program.lambda > 0 ? 'the relative gap' : 'the largest KKT residual', gap, allowed.gap)
  require('the primal infeasibility', primalFeasibility, allowed.gap)
  // A lower bound above the reference would be a wrong certificate, however small the gap.
  if (program.lambda > 0)
    require('the lower bound above the reference, relative,', (certificate.dual * scale - expected) /
      (1 + Math.abs(expected)), allowed.objective)
  if (known.fit) {
    const fit = solution.fit ?? program.operator.apply(coefficients)
    require('the largest error of the fit', largestDifference(fit, known.fit), allowed.fit)
  }
  if (known.lambdaMax !== undefined)
    require('the relative error of lambda_max', Math.abs(lambdaMax(program) * scale - known.lambdaMax) /
      known.lambdaMax, allowed.lambdaMax)
  if (known.active) {
    const groups = activeGroups(coefficients, known.active.size)
    const wanted = known.active.expected
    const same = typeof wanted === 'number' ? groups.length === wanted : sameNumbers(groups, wanted)
    if (!same)
      misses.push(
        typeof wanted === 'number'
          ? `${groups.length} groups are active, expected ${wanted}`
          : `the active groups are ${groups.join(' ')}, expected ${wanted.join(' ')}`,
      )
  }
  return { kind: 'checked', name, expected, got, error, gap, seconds, misses }
}

/** A number of activation patterns against a reference's, which must be met exactly. */
export function counted(name: string, expected: number, got: number, seconds = 0, samePatterns = true): Checked {
  const misses = got === expected ? [] : [`${got} patterns were found, expected ${expected}`]
  if (!samePatterns) misses.push('the patterns are other ones')
  const error = Math.abs(got - expected) / (1 + expected)
  return { kind: 'checked', name, expected, got, error, gap: 0, seconds, misses }
}

/** The consecutive blocks of `size` entries whose norm is not negligible beside the largest. */
export function activeGroups(u: Vector, size: number): number[] {
  const norms: number[] = []
  for (let start = 0; start < u.length; start += size) norms.push(Math.hypot(...u.subarray(start, start + size)))
  const least = activeShare * norms.reduce((a, b) => Math.max(a, b), 0)
  return norms.flatMap((norm, group) => (norm > least ? [group] : []))
}

/** Columns as rows: the files give one gate per column, `gatesFrom` takes one per row. */
export function transposed(rows: readonly (readonly number[])[]): Matrix {
  const columns = rows[0]?.length ?? 0
  const M = matrix(columns, rows.length)
  rows.forEach((row, j) => {
    if (row.length !== columns) throw new RangeError(`row ${j} has ${row.length} entries and row 0 has ${columns}`)
    row.forEach((value, i) => {
      M.data[i * rows.length + j] = value
    })
  })
  return M
}

function largestDifference(a: Vector, b: Vector): number {
  if (a.length !== b.length) return Number.NaN
  return a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0)
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, k) => value === b[k])
}
