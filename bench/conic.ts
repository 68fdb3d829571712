import { createRequire } from 'node:module'
import { type CscMatrix, cscFromTriplets, solveConic } from 'cvxjs'
import type { ConvexProgram, Vector } from '../src/index.ts'
import { stopwatch } from './machine.ts'

/**
 * A squared-loss ReLU program as general conic solvers take it:  minimise x'Px / 2 + c'x  subject to  Ax + s = b, s in the
 * product of {0}^zero, the non-negative orthant and second-order cones, for x = (u, e, t) and
 *
 *     curvature/2 |e|^2 + lambda sum_b t_b ,   A u - e = y ,   G u >= 0 ,   |u_b| <= t_b .
 */
export interface ConicForm {
  readonly P: CscMatrix
  readonly c: Vector
  readonly A: CscMatrix
  readonly b: Vector
  readonly zero: number
  readonly nonnegative: number
  readonly secondOrder: readonly number[]
}

export function conicForm({ operator, constraint, penalty, lambda, loss }: ConvexProgram): ConicForm {
  const { curvature, target } = loss.quadratic!
  const size = penalty.blocks!.size
  const [n, m] = [operator.rows, operator.columns]
  const blocks = m / size
  const G = constraint!.operator
  const entries: [number, number, number][] = []
  const unit = new Float64Array(m)
  for (let k = 0; k < m; k++) {
    unit[k] = 1
    operator.apply(unit).forEach((value, r) => {
      if (value !== 0) entries.push([r, k, value])
    })
    G.apply(unit).forEach((value, r) => {
      if (value !== 0) entries.push([n + r, k, -value])
    })
    unit[k] = 0
  }
  for (let r = 0; r < n; r++) entries.push([r, m + r, -1])
  for (let b = 0; b < blocks; b++) {
    const first = n + G.rows + b * (size + 1)
    entries.push([first, m + n + b, -1])
    for (let j = 0; j < size; j++) entries.push([first + 1 + j, b * size + j, -1])
  }
  const variables = m + n + blocks
  const rows = n + G.rows + blocks * (size + 1)
  const b = new Float64Array(rows)
  b.set(target)
  const residuals = Array.from({ length: n }, (_, r) => m + r)
  return {
    P: cscFromTriplets(
      variables,
      variables,
      residuals,
      residuals,
      residuals.map(() => curvature),
    ),
    c: new Float64Array(variables).fill(lambda, m + n),
    A: cscFromTriplets(
      rows,
      variables,
      entries.map(([r]) => r),
      entries.map(([, k]) => k),
      entries.map(([, , value]) => value),
    ),
    b,
    zero: n,
    nonnegative: G.rows,
    secondOrder: Array.from({ length: blocks }, () => size + 1),
  }
}

/** What a solver came to: `solved` by its own rule, and the seconds that it alone took. */
export interface ConicAnswer {
  readonly solved: boolean
  readonly value: number
  readonly seconds: number
}

/** Clarabel, an interior-point method (Goulart and Chen 2024), in WebAssembly. */
export async function clarabel({ P, c, A, b, zero, nonnegative, secondOrder }: ConicForm): Promise<ConicAnswer> {
  const took = stopwatch()
  const cones = { zero, nonneg: nonnegative, soc: [...secondOrder], exp: 0, power: [] }
  const { status, objVal } = await solveConic(P, c, A, b, cones, { tolGapAbs: 1e-6, tolGapRel: 1e-6 })
  return { solved: status === 'optimal', value: objVal ?? Number.NaN, seconds: took().cpu }
}

interface ScsSettings {
  epsAbs: number
  epsRel: number
  maxIters: number
  timeLimitSecs: number
  verbose: number
}

interface Scs {
  readonly ScsSettings: new () => ScsSettings
  setDefaultSettings(settings: ScsSettings): void
  solve(data: object, cone: object, settings: ScsSettings): { status: string; info: { pobj: number } }
}

/** SCS, operator splitting (O'Donoghue, Chu, Parikh and Boyd 2016), in WebAssembly; `limit` in seconds of its own clock. */
export async function scs(form: ConicForm, limit: number): Promise<ConicAnswer> {
  const create = createRequire(import.meta.url)('scs-solver') as () => Promise<Scs>
  const solver = await create()
  const settings = new solver.ScsSettings()
  solver.setDefaultSettings(settings)
  Object.assign(settings, { epsAbs: 1e-6, epsRel: 1e-6, maxIters: 1_000_000, timeLimitSecs: limit, verbose: 0 })
  const { A, P, b, c } = form
  const data = {
    m: A.nrows,
    n: A.ncols,
    ...{ A_x: [...A.values], A_i: [...A.rowIdx], A_p: [...A.colPtr] },
    ...{ P_x: [...P.values], P_i: [...P.rowIdx], P_p: [...P.colPtr] },
    b: [...b],
    c: [...c],
  }
  const { zero, nonnegative, secondOrder } = form
  const cone = { z: zero, l: nonnegative, q: [...secondOrder], qsize: secondOrder.length }
  const took = stopwatch()
  const { status, info } = solver.solve(data, cone, settings)
  return { solved: status === 'SOLVED', value: info.pobj, seconds: took().cpu }
}
