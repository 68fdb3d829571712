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
  /** The sides of each group's cone, in the ReLU program. */
  readonly cones?: number[][][]
  readonly lambda: number
}

export function naive(at: Instance): Naive {
  const { family, X, y, vectors, bias, lambda } = at
  const n = X.rows
  const c = y.columns
  const P = vectors.rows
  const signs = family === 'relu' ? [1, -1] : [1]
  const rows = rowsOf(at)
  const d = rows[0]!.length
  const A: number[][] = []
  for (let r = 0; r < n; r++)
    for (let k = 0; k < c; k++) {
      const row: number[] = []
      for (let i = 0; i < P; i++)
        for (const sign of signs)
          for (let output = 0; output < c; output++)
            for (const value of rows[r]!) row.push(output === k && isOn(at, r, i) ? sign * value : 0)
      A.push(row)
    }
  const shared = {
    A,
    y: Array.from(y.data),
    outputs: c,
    curvature: 1 / (n * c),
    intercept: bias === 'unpenalised',
    lambda,
  }
  if (family === 'gated-relu') return { ...shared, penalty: at.penalty, groups: groupsOf(at.penalty, P, c, d) }
  const groups = groupsOf('group-l1', P, 2 * c, d)
  const cones = groups.map((_, b) => coneSides(rows, (r) => isOn(at, r, Math.floor(b / (2 * c)))))
  return { ...shared, penalty: 'group-l1', groups, cones }
}

/** X, with a column of ones for a penalised bias. */
export function rowsOf({ X, bias }: Pick<Instance, 'X' | 'bias'>): number[][] {
  return Array.from({ length: X.rows }, (_, r) => [
    ...X.data.subarray(r * X.columns, (r + 1) * X.columns),
    ...(bias === true ? [1] : []),
  ])
}

/** x_r g + g_0 >= 0 */
export function isOn({ X, vectors }: Pick<Instance, 'X' | 'vectors'>, r: number, gate: number): boolean {
  let side = 0
  for (let j = 0; j < X.columns; j++) side += X.data[r * X.columns + j]! * vectors.data[gate * vectors.columns + j]!
  if (vectors.columns > X.columns) side += vectors.data[gate * vectors.columns + X.columns]!
  return side >= 0
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

/** max over groups of the norm of the group, or of its projection on its cone: R's dual norm. */
export function polarOf({ groups, cones }: Naive, v: readonly number[]): number {
  return groups.reduce((most, group, b) => {
    const part = group.map((k) => v[k]!)
    return Math.max(most, length(cones ? projectOnCone(cones[b]!, part) : part))
  }, 0)
}

/** The point, every group projected on its cone where there are cones. */
export function insideOf({ groups, cones }: Naive, u: Vector): Vector {
  if (!cones) return u
  const inside = u.slice()
  groups.forEach((group, b) => {
    const part = group.map((k) => u[k]!)
    const nearest = projectOnCone(cones[b]!, part)
    // What rounding leaves of a projection on the origin has no direction.
    const zero = length(nearest) <= 1e-12 * length(part)
    group.forEach((k, j) => {
      inside[k] = zero ? 0 : nearest[j]!
    })
  })
  return inside
}

/** The certificate of a point from the formulas: primal, best scaled dual, residuals (none with cones). */
export function naiveCertificate(
  at: Naive,
  given: Vector,
): { primal: number; dual: number; gradientNorm: number; distance: number; mismatch: number } {
  const u = insideOf(at, given)
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
    gradientNorm: length(zeroGradient),
    distance: length(distances),
    mismatch: Math.abs(lambda * penaltyOf(at, u) + conjugate - inner),
  }
}

/** Plain proximal gradient with the fixed step 1 / L, L from power iterations: slow, short, and nobody's relative. */
export function ista(at: Naive, iterations: number): number[] {
  const { curvature, lambda, groups, penalty } = at
  const width = at.A[0]!.length
  let direction = Array.from({ length: width }, (_, k) => 1 + ((k * k) % 7) / 10)
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
      groups.forEach((group, b) => {
        const part = group.map((k) => v[k]!)
        const inside = at.cones ? projectOnCone(at.cones[b]!, part) : part
        const size = length(inside)
        const scale = size > step * lambda ? 1 - (step * lambda) / size : 0
        group.forEach((k, j) => {
          u[k] = scale * inside[j]!
        })
      })
  }
  return u
}

/** Unit rows s_r x_r of { u : s_r x_r u >= 0 }, s_r = 1 where the pattern is on and -1 elsewhere; zero rows say nothing. */
export function coneSides(rows: readonly number[][], on: (r: number) => boolean): number[][] {
  return rows.flatMap((row, r) => {
    const size = length(row)
    return size > 0 ? [row.map((value) => ((on(r) ? 1 : -1) * value) / size)] : []
  })
}

/**
 * The nearest point with nonnegative products with all sides: of the projections on the subspaces where some sides hold
 * with equality (at most as many as there are dimensions), the nearest that satisfies the rest.
 */
export function projectOnCone(sides: readonly number[][], g: readonly number[]): number[] {
  let best = g.map(() => 0)
  let nearest = length(g)
  const visit = (from: number, basis: number[][], point: number[]): void => {
    const outside = Math.max(0, ...sides.map((side) => -side.reduce((total, value, j) => total + value * point[j]!, 0)))
    const distance = length(point.map((value, j) => value - g[j]!))
    if (outside <= 1e-13 * length(g)) {
      if (distance < nearest) [best, nearest] = [point, distance]
    }
    if (basis.length === g.length) return
    for (let k = from; k < sides.length; k++) {
      let rest = sides[k]!.slice()
      for (let pass = 0; pass < 2; pass++)
        for (const q of basis) {
          const along = q.reduce((total, value, j) => total + value * rest[j]!, 0)
          rest = rest.map((value, j) => value - along * q[j]!)
        }
      const size = length(rest)
      if (size < 1e-9) continue
      const unit = rest.map((value) => value / size)
      const along = unit.reduce((total, value, j) => total + value * point[j]!, 0)
      visit(
        k + 1,
        [...basis, unit],
        point.map((value, j) => value - along * unit[j]!),
      )
    }
  }
  visit(0, [], g.slice())
  return best
}
