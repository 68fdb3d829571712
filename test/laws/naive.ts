import type { Vector } from '../../src/index.ts'
import type { Instance, PenaltyName } from '../arbitraries.ts'

/**
 * The gated ReLU program once more, from its formulas alone: dense matrices, plain loops, nothing from src. What the
 * package computes cleverly is compared with this.
 */
export interface Naive {
  /** n outputs x P outputs d, row-major fit, gate-major coefficients. */
  readonly A: number[][]
  readonly y: number[]
  readonly outputs: number
  /** 1 / (n c) */
  readonly curvature: number
  readonly intercept: boolean
  readonly penalty: PenaltyName
  /** Indices of each group; empty for ridge. */
  readonly groups: number[][]
  readonly lambda: number
}

export function naive(at: Instance): Naive {
  const { X, y, vectors, penalty, bias, lambda } = at
  const n = X.rows
  const c = y.columns
  const P = vectors.rows
  const rows = Array.from({ length: n }, (_, r) => [
    ...X.data.subarray(r * X.columns, (r + 1) * X.columns),
    ...(bias === true ? [1] : []),
  ])
  const d = rows[0]!.length
  const A: number[][] = []
  for (let r = 0; r < n; r++)
    for (let k = 0; k < c; k++) {
      const row = new Array(P * c * d).fill(0)
      for (let i = 0; i < P; i++) {
        let side = 0
        for (let j = 0; j < X.columns; j++) side += X.data[r * X.columns + j]! * vectors.data[i * vectors.columns + j]!
        if (vectors.columns > X.columns) side += vectors.data[i * vectors.columns + X.columns]!
        if (side >= 0) for (let j = 0; j < d; j++) row[(i * c + k) * d + j] = rows[r]![j]!
      }
      A.push(row)
    }
  return {
    A,
    y: Array.from(y.data),
    outputs: c,
    curvature: 1 / (n * c),
    intercept: bias === 'unpenalised',
    penalty,
    groups: groupsOf(penalty, P, c, d),
    lambda,
  }
}

/** Which coefficients share a norm. */
export function groupsOf(penalty: PenaltyName, gates: number, outputs: number, d: number): number[][] {
  const all = Array.from({ length: gates * outputs * d }, (_, k) => k)
  const by = (key: (k: number) => number): number[][] => {
    const groups: number[][] = []
    for (const k of all) (groups[key(k)] ??= []).push(k)
    return groups
  }
  switch (penalty) {
    case 'group-l1':
      return by((k) => Math.floor(k / d))
    case 'joint-group-l1':
      return by((k) => Math.floor(k / (d * outputs)))
    case 'l1':
      return by((k) => k)
    case 'feature-group-l1':
      return by((k) => k % d)
    case 'ridge':
      return []
  }
}

/** A u */
export function fitOf({ A }: Naive, u: ArrayLike<number>): number[] {
  return A.map((row) => row.reduce((total, value, k) => total + value * u[k]!, 0))
}

/** A'p */
export function correlationOf({ A }: Naive, p: readonly number[]): number[] {
  const width = A[0]!.length
  return Array.from({ length: width }, (_, k) => A.reduce((total, row, i) => total + row[k]! * p[i]!, 0))
}

/** z - y, less its column means with an intercept. */
export function residualOf({ y, outputs, intercept }: Naive, fit: readonly number[]): number[] {
  const residual = fit.map((value, k) => value - y[k]!)
  if (!intercept) return residual
  const rows = residual.length / outputs
  const means = Array.from({ length: outputs }, (_, k) =>
    residual.filter((_, i) => i % outputs === k).reduce((a, b) => a + b / rows, 0),
  )
  return residual.map((value, k) => value - means[k % outputs]!)
}

export const length = (values: readonly number[]): number => Math.sqrt(values.reduce((total, v) => total + v * v, 0))

/** R(u) */
export function penaltyOf({ penalty, groups }: Naive, u: ArrayLike<number>): number {
  if (penalty === 'ridge') return length(Array.from(u)) ** 2 / 2
  return groups.reduce((total, group) => total + length(group.map((k) => u[k]!)), 0)
}

/** max over groups of the group's norm: R's dual norm. */
export function polarOf({ groups }: Naive, v: readonly number[]): number {
  return groups.reduce((most, group) => Math.max(most, length(group.map((k) => v[k]!))), 0)
}

/** The certificate of a point from the formulas: primal, best scaled dual, residuals. */
export function naiveCertificate(
  at: Naive,
  u: Vector,
): { primal: number; dual: number; stationarity: number; complementarity: number } {
  const { curvature, lambda, penalty } = at
  const residual = residualOf(at, fitOf(at, u))
  const target = residualOf(
    at,
    at.y.map(() => 0),
  ).map((v) => -v)
  const primal = (curvature / 2) * length(residual) ** 2 + lambda * penaltyOf(at, u)
  const r = residual.map((v) => -curvature * v)
  const g = correlationOf(at, r)
  // D(s) = s r'y - s^2 |r|^2 / (2 curvature), less lambda R*(s g / lambda) for ridge; 0 <= s <= lambda / R°(g) for a norm.
  const linear = r.reduce((total, v, k) => total + v * target[k]!, 0)
  let square = length(r) ** 2 / curvature
  let limit = Number.POSITIVE_INFINITY
  if (penalty === 'ridge') {
    if (lambda > 0) square += length(g) ** 2 / lambda
    else if (length(g) > 0) limit = 0
  } else if (polarOf(at, g) > 0) limit = lambda / polarOf(at, g)
  const s = square > 0 ? Math.min(limit, Math.max(0, linear / square)) : 0
  const dual = s * linear - (s * s * square) / 2

  const zeroGradient = correlationOf(
    at,
    target.map((v) => curvature * v),
  )
  const distances =
    penalty === 'ridge'
      ? g.map((v, k) => v - lambda * u[k]!)
      : at.groups.map((group) => {
          const size = length(group.map((k) => u[k]!))
          const along = group.map((k) => g[k]! - (size > 0 ? (lambda * u[k]!) / size : 0))
          return size > 0 ? length(along) : Math.max(0, length(along) - lambda)
        })
  const inner = g.reduce((total, v, k) => total + v * u[k]!, 0)
  const conjugate = penalty === 'ridge' && lambda > 0 ? length(g) ** 2 / (2 * lambda) : 0
  return {
    primal,
    dual,
    stationarity: length(distances) / (length(zeroGradient) || 1),
    complementarity:
      Math.abs(lambda * penaltyOf(at, u) + conjugate - inner) / ((curvature / 2) * length(target) ** 2 || 1),
  }
}

/** Plain proximal gradient with the fixed step 1 / L, L from power iterations: slow, short, and nobody's relative. */
export function ista(at: Naive, iterations: number): number[] {
  const { curvature, lambda, groups, penalty } = at
  const width = at.A[0]!.length
  let direction = Array.from({ length: width }, (_, k) => 1 + (k % 3) / 10)
  let top = 0
  for (let k = 0; k < 200; k++) {
    const image = correlationOf(at, fitOf(at, direction))
    top = length(image)
    if (top === 0) break
    direction = image.map((v) => v / top)
  }
  const step = top > 0 ? 1 / (1.01 * curvature * top) : 1
  let u: number[] = new Array(width).fill(0)
  for (let t = 0; t < iterations; t++) {
    const gradient = correlationOf(
      at,
      residualOf(at, fitOf(at, u)).map((v) => curvature * v),
    )
    const v = u.map((value, k) => value - step * gradient[k]!)
    if (penalty === 'ridge') u = v.map((value) => value / (1 + step * lambda))
    else
      for (const group of groups) {
        const size = length(group.map((k) => v[k]!))
        const scale = size > step * lambda ? 1 - (step * lambda) / size : 0
        for (const k of group) u[k] = scale * v[k]!
      }
  }
  return u
}
