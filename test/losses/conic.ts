import { cscEmpty, cscFromTriplets, solveConic } from 'cvxjs'
import type { ConvexProgram, Matrix } from '../../src/index.ts'

/** A linear expression: constant + sum of factors times variables. */
export interface Expression {
  readonly constant: number
  readonly terms: readonly (readonly [variable: number, factor: number])[]
}

/** A cone program under construction: variables are numbered as they are made, and every constraint is a cone of expressions. */
export class ConeProgram {
  readonly #cost: number[] = []
  readonly #nonnegative: Expression[] = []
  readonly #secondOrder: Expression[][] = []
  readonly #exponential: Expression[][] = []

  variable(cost = 0): number {
    return this.#cost.push(cost) - 1
  }

  /** e >= 0 */
  nonnegative(e: Expression): void {
    this.#nonnegative.push(e)
  }

  /** |(e_1, ..)| <= e_0 */
  secondOrder(cone: Expression[]): void {
    this.#secondOrder.push(cone)
  }

  /** y exp(x / y) <= z */
  exponential(x: Expression, y: Expression, z: Expression): void {
    this.#exponential.push([x, y, z])
  }

  /** u^2 / 2 <= t, as |(u sqrt 2, t - 1)| <= t + 1. */
  halfSquare(u: Expression, t: Expression): void {
    this.secondOrder([plus(t, 1), times(u, Math.SQRT2), plus(t, -1)])
  }

  /** sum_k exp(e_k) <= 1, with a variable for each exponential. */
  sumOfExponentials(exponents: Expression[]): void {
    const parts = exponents.map((exponent) => {
      const part = this.variable()
      this.exponential(exponent, constant(1), of(part))
      return part
    })
    this.nonnegative({ constant: 1, terms: parts.map((part) => [part, -1] as const) })
  }

  /** The least cost. */
  async solve(): Promise<number> {
    const all = [...this.#nonnegative, ...this.#secondOrder.flat(), ...this.#exponential.flat()]
    const n = this.#cost.length
    const rows: number[] = []
    const columns: number[] = []
    const values: number[] = []
    // A x + s = b with s in the cone: s is the expression.
    all.forEach(({ terms }, row) => {
      for (const [variable, factor] of terms) {
        rows.push(row)
        columns.push(variable)
        values.push(-factor)
      }
    })
    const answer = await solveConic(
      cscEmpty(n, n),
      Float64Array.from(this.#cost),
      cscFromTriplets(all.length, n, rows, columns, values),
      Float64Array.from(all, (expression) => expression.constant),
      {
        zero: 0,
        nonneg: this.#nonnegative.length,
        soc: this.#secondOrder.map((cone) => cone.length),
        exp: this.#exponential.length,
        power: [],
      },
      { tolGapAbs: 1e-11, tolGapRel: 1e-11 },
    )
    if (answer.status !== 'optimal' || answer.objVal === null)
      throw new Error(`Clarabel ended with status ${answer.status}.`)
    return answer.objVal
  }
}

export const constant = (value: number): Expression => ({ constant: value, terms: [] })
export const of = (variable: number): Expression => ({ constant: 0, terms: [[variable, 1]] })
export const times = ({ constant, terms }: Expression, by: number): Expression => ({
  constant: constant * by,
  terms: terms.map(([variable, factor]) => [variable, factor * by] as const),
})
export const plus = ({ constant, terms }: Expression, value: number): Expression => ({
  constant: constant + value,
  terms,
})
export const sum = (a: Expression, b: Expression): Expression => ({
  constant: a.constant + b.constant,
  terms: [...a.terms, ...b.terms],
})

/** Adds the loss of a fit to the cost: sum of what `rows` of expressions (one per output) cost. */
export type ConicLoss = (cones: ConeProgram, fit: Expression[][], targets: Matrix) => void

/**
 * The optimum of a two-layer program by an interior-point method, from its operator's matrix: a norm per block as a
 * second-order cone, the activation cones, where there are any, as linear inequalities, and an intercept as a variable.
 */
export async function conicOptimum(program: ConvexProgram, targets: Matrix, loss: ConicLoss): Promise<number> {
  const { operator, lambda, constraint } = program
  const size = (constraint?.penalty ?? program.penalty).blocks!.size
  const cones = new ConeProgram()
  const first = cones.variable()
  for (let k = 1; k < operator.columns; k++) cones.variable()
  const rowsOf = (columns: number, rows: number, apply: (u: Float64Array) => Float64Array): Expression[] => {
    const terms: [number, number][][] = Array.from({ length: rows }, () => [])
    for (let k = 0; k < columns; k++) {
      const unit = new Float64Array(columns)
      unit[k] = 1
      apply(unit).forEach((value, row) => {
        if (value !== 0) terms[row]!.push([first + k, value])
      })
    }
    return terms.map((row) => ({ constant: 0, terms: row }))
  }
  for (let start = 0; start < operator.columns; start += size) {
    const norm = cones.variable(lambda)
    cones.secondOrder([of(norm), ...Array.from({ length: size }, (_, j) => of(first + start + j))])
  }
  if (constraint) {
    const { operator: G } = constraint
    for (const slack of rowsOf(G.columns, G.rows, (u) => G.apply(u))) cones.nonnegative(slack)
  }
  const intercepts = Array.from({ length: program.loss.intercept ? targets.columns : 0 }, () => cones.variable())
  const fit = rowsOf(operator.columns, operator.rows, (u) => operator.apply(u)).map((z, k) => {
    const b = intercepts[k % targets.columns]
    return b === undefined ? z : sum(z, of(b))
  })
  loss(
    cones,
    Array.from({ length: targets.rows }, (_, r) => fit.slice(r * targets.columns, (r + 1) * targets.columns)),
    targets,
  )
  return cones.solve()
}

/** (1/n) sum t_rk with log(1 + exp(-y z)) <= t: exp(-t) + exp(-y z - t) <= 1. */
export const conicLogistic: ConicLoss = (cones, fit, { rows, columns, data }) => {
  fit.forEach((row, r) => {
    row.forEach((z, k) => {
      const t = cones.variable(1 / rows)
      const below = times(of(t), -1)
      cones.sumOfExponentials([below, sum(times(z, -data[r * columns + k]!), below)])
    })
  })
}

/** (1/n) sum t_r with log sum exp(z_r) - z_r,class <= t. */
export const conicSoftmax: ConicLoss = (cones, fit, { rows, columns, data }) => {
  fit.forEach((row, r) => {
    const t = cones.variable(1 / rows)
    const own = row.find((_, k) => data[r * columns + k]! > 0)!
    const less = times(sum(own, of(t)), -1)
    cones.sumOfExponentials(row.map((z) => sum(z, less)))
  })
}

/** (1/n) sum t with s >= 1 - y z, s >= 0 and s^2/2 <= t. */
export const conicSquaredHinge: ConicLoss = (cones, fit, { rows, columns, data }) => {
  fit.forEach((row, r) => {
    row.forEach((z, k) => {
      const [s, t] = [cones.variable(), cones.variable(1 / rows)]
      cones.nonnegative(of(s))
      cones.nonnegative(plus(sum(of(s), times(z, data[r * columns + k]!)), -1))
      cones.halfSquare(of(s), of(t))
    })
  })
}

/** h(e) is the least of a^2/2 + delta |e - a|: t with a^2/2 <= t, and m >= |e - a|. */
export const conicHuber =
  (delta: number): ConicLoss =>
  (cones, fit, { data, columns }) => {
    fit.forEach((row, r) => {
      row.forEach((z, k) => {
        const [a, t, m] = [cones.variable(), cones.variable(1 / data.length), cones.variable(delta / data.length)]
        const rest = sum(plus(z, -data[r * columns + k]!), times(of(a), -1))
        cones.halfSquare(of(a), of(t))
        cones.nonnegative(sum(of(m), rest))
        cones.nonnegative(sum(of(m), times(rest, -1)))
      })
    })
  }
