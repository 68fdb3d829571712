import type { Activation } from '../layers/activation.ts'
import { times, timesTransposed, transposedTimes } from '../layers/products.ts'
import { matrix } from '../numerics/matrix.ts'
import { dot, squaredDistance, squaredNorm } from '../numerics/vectors.ts'
import { nonnegative } from '../sets/nonnegative.ts'
import type { ConvexProgram, Iterate, LinearOperator, Loss, Penalty, Vector } from '../types.ts'
import { nodeOf } from './chain.ts'
import type { Divergence } from './divergence.ts'
import { increasingRoot } from './increasing-root.ts'
import { linkProblem } from './link-problem.ts'
import type { Block } from './schedule.ts'
import type { Work } from './work.ts'

/**
 * One block with the others fixed as `minimise F(A u) + R(u)`, constants left out: solvers take it, and `certify` says how
 * far the block is from its minimum. Coefficients are a node row by row, or [W b] row by row.
 */
export function subproblem(work: Work, block: Block, damping: number): { program: ConvexProgram<Vector>; at: Iterate } {
  if (block.kind === 'joint') return jointSubproblem(work)
  return block.kind === 'node' ? nodeSubproblem(work, block.k) : linkSubproblem(work, block.k, damping)
}

function stated(
  name: string,
  loss: Loss,
  operator: LinearOperator,
  penalty: Penalty,
  coefficients: Vector,
): { program: ConvexProgram<Vector>; at: Iterate } {
  return {
    program: {
      ...{ name, loss, operator, penalty, lambda: 1, scope: 'block' },
      recover: (at) => at.coefficients.slice(),
      embed: (coefficients) => ({ coefficients }),
    },
    at: { coefficients: coefficients.slice() },
  }
}

function nodeSubproblem(work: Work, k: number): { program: ConvexProgram<Vector>; at: Iterate } {
  const { chain, state } = work
  const { links, input, target } = chain
  const { coupling, divergence } = links[k - 1]!
  const v = nodeOf(chain, state, k)
  const m = input.rows
  const penalty = potentialPenalty(divergence.activation!, coupling / m, work.fit(k).data.slice())
  const size = v.data.length
  if (k === links.length) {
    const copy = (u: Vector, out: Vector = new Float64Array(size)): Vector => {
      out.set(u)
      return out
    }
    const identity = { rows: size, columns: size, apply: copy, adjoint: copy }
    return stated(`node ${k}`, leastSquares(target.data, 1 / m), identity, penalty, v.data)
  }
  const next = links[k]!
  const { W, b } = state.weights[k]!
  const rows = m * next.map.positions
  const operator: LinearOperator = {
    rows: rows * next.units,
    columns: size,
    apply(u, out = new Float64Array(rows * next.units)) {
      timesTransposed(next.map.unfold(matrix(m, v.columns, u)), W, matrix(rows, next.units, out))
      return out
    },
    adjoint(p, out = new Float64Array(size)) {
      const windows = times(matrix(rows, next.units, p), W, matrix(rows, next.map.fanIn))
      out.set(next.map.fold(windows).data)
      return out
    },
  }
  const wanted = nodeOf(chain, state, k + 1).data
  const loss = couplingLoss(next.divergence, next.coupling / m, wanted, next.units, b)
  return stated(`node ${k}`, loss, operator, penalty, v.data)
}

function linkSubproblem(work: Work, k: number, damping: number): { program: ConvexProgram<Vector>; at: Iterate } {
  const { A, T, divergence, scale, ridge, weights } = linkProblem(work, k, damping)
  const { W, b } = weights
  const [units, d] = [W.rows, W.columns]
  const side = d + 1
  const parts = (theta: Vector): [Vector, Vector] => {
    const [w, c] = [new Float64Array(units * d), new Float64Array(units)]
    for (let j = 0; j < units; j++) {
      w.set(theta.subarray(j * side, j * side + d), j * d)
      c[j] = theta[j * side + d]!
    }
    return [w, c]
  }
  const joined = (w: Vector, c: Vector, out: Vector = new Float64Array(units * side)): Vector => {
    for (let j = 0; j < units; j++) {
      out.set(w.subarray(j * d, (j + 1) * d), j * side)
      out[j * side + d] = c[j]!
    }
    return out
  }
  const operator: LinearOperator = {
    rows: T.data.length,
    columns: units * side,
    apply(theta, out = new Float64Array(T.data.length)) {
      const [w, c] = parts(theta)
      timesTransposed(A, matrix(units, d, w), matrix(A.rows, units, out))
      for (let e = 0; e < out.length; e++) out[e]! += c[e % units]!
      return out
    },
    adjoint(p, out) {
      const R = matrix(A.rows, units, p)
      const sums = new Float64Array(units)
      for (let e = 0; e < p.length; e++) sums[e % units]! += p[e]!
      return joined(transposedTimes(R, A, matrix(units, d)).data, sums, out)
    },
  }
  const start = joined(W.data, b)
  const loss = couplingLoss(divergence, scale, T.data, units, new Float64Array(units))
  return stated(`link ${k}`, loss, operator, proximalRidge(start, side, ridge, damping), start)
}

/** All hidden nodes together under linear couplings: least squares of what every link misses, over u >= 0. */
function jointSubproblem(work: Work): { program: ConvexProgram<Vector>; at: Iterate } {
  const { chain, state } = work
  const { links, input, target } = chain
  const m = input.rows
  const sizes = state.nodes.map((X) => X.data.length)
  const total = sizes.reduce((a, b) => a + b, 0)
  const misses = [...sizes, target.data.length]
  const missed = misses.reduce((a, b) => a + b, 0)
  const roots = links.map(({ coupling }) => Math.sqrt(coupling / m))
  const startOf = (list: readonly number[], q: number): number => list.slice(0, q).reduce((a, b) => a + b, 0)
  const nodeIn = (u: Vector, q: number): Vector => u.subarray(startOf(sizes, q), startOf(sizes, q) + sizes[q]!)
  const missIn = (p: Vector, q: number): Vector => p.subarray(startOf(misses, q), startOf(misses, q) + misses[q]!)
  // Link q misses root_q (x_q - W_q x_{q-1} - b_q); the last one root_K (y - W_K x_{K-1} - b_K), signs turned.
  const operator: LinearOperator = {
    rows: missed,
    columns: total,
    apply(u, out = new Float64Array(missed)) {
      links.forEach((link, q) => {
        const own = missIn(out, q)
        if (q > 0)
          timesTransposed(matrix(m, link.map.inputs, nodeIn(u, q - 1)), state.weights[q]!.W, matrix(m, link.units, own))
        else own.fill(0)
        const x = q < sizes.length ? nodeIn(u, q) : undefined
        for (let e = 0; e < own.length; e++) own[e] = roots[q]! * ((x?.[e] ?? 0) - own[e]!)
      })
      return out
    },
    adjoint(p, out = new Float64Array(total)) {
      sizes.forEach((size, q) => {
        const next = links[q + 1]!
        const back = times(matrix(m, next.units, missIn(p, q + 1)), state.weights[q + 1]!.W, matrix(m, next.map.inputs))
        const [own, to] = [missIn(p, q), nodeIn(out, q)]
        for (let e = 0; e < size; e++) to[e] = roots[q]! * own[e]! - roots[q + 1]! * back.data[e]!
      })
      return out
    },
  }
  const wanted = new Float64Array(missed)
  links.forEach(({ units }, q) => {
    const own = missIn(wanted, q)
    const { W, b } = state.weights[q]!
    if (q === 0) timesTransposed(input, W, matrix(m, units, own))
    const y = q === links.length - 1 ? target.data : undefined
    for (let e = 0; e < own.length; e++) own[e] = roots[q]! * (own[e]! + b[e % units]! - (y?.[e] ?? 0))
  })
  const coefficients = new Float64Array(total)
  state.nodes.forEach((X, q) => {
    nodeIn(coefficients, q).set(X.data)
  })
  return stated('nodes', leastSquares(wanted, 1), operator, nonnegativePenalty(), coefficients)
}

/** F(z) = scale (R(z + b) - x'(z + b)): what a link pays, but for what does not depend on z. */
function couplingLoss(divergence: Divergence, scale: number, x: Vector, units: number, b: Vector): Loss {
  const size = x.length
  const shifted = matrix(size / units, units)
  const response = matrix(size / units, units)
  const targets = matrix(size / units, units, x)
  const constant = potentialOf(divergence, x)
  const value = (fit: Vector): number => {
    for (let e = 0; e < size; e++) shifted.data[e] = fit[e]! + b[e % units]!
    return scale * (divergence.value(targets, shifted) - constant)
  }
  const gradient = (fit: Vector, out: Vector = new Float64Array(size)): Vector => {
    for (let e = 0; e < size; e++) shifted.data[e] = fit[e]! + b[e % units]!
    divergence.response(shifted, response)
    for (let e = 0; e < size; e++) out[e] = scale * (response.data[e]! - x[e]!)
    return out
  }
  return {
    name: divergence.name,
    size,
    smoothness: scale * divergence.smoothness,
    value,
    gradient,
    conjugate(p) {
      const q = matrix(size / units, units)
      let total = 0
      for (let e = 0; e < size; e++) {
        q.data[e] = p[e]! / scale + x[e]!
        total -= p[e]! * b[e % units]!
      }
      return total + scale * divergence.dual(q)
    },
    divergence(to, at) {
      const slope = gradient(at)
      return value(to) - value(at) - dot(slope, to) + dot(slope, at)
    },
  }
}

/** Phi(x), so that D(x, z) - Phi(x) = R(z) - x'z. */
function potentialOf({ entry }: Divergence, x: Vector): number {
  let total = 0
  for (const v of x) total += entry ? entry.conjugate(v) : v > 0 ? v * Math.log(v) : 0
  return total
}

function leastSquares(target: Vector, curvature: number): Loss {
  return {
    name: 'squared',
    size: target.length,
    smoothness: curvature,
    quadratic: { curvature, target },
    value: (fit) => (curvature / 2) * squaredDistance(fit, target),
    gradient: (fit, out = new Float64Array(target.length)) => {
      for (let e = 0; e < target.length; e++) out[e] = curvature * (fit[e]! - target[e]!)
      return out
    },
    conjugate: (p) => squaredNorm(p) / (2 * curvature) + dot(p, target),
    divergence: (to, at) => (curvature / 2) * squaredDistance(to, at),
  }
}

/** R(v) = weight D(v, u) with the Fenchel divergence D: at least 0, so that R*(0) = 0. */
function potentialPenalty(activation: Activation, weight: number, u: Vector): Penalty {
  return {
    name: `potential(${activation.name})`,
    value(v) {
      let total = 0
      for (let e = 0; e < v.length; e++)
        total += activation.potential(v[e]!) - u[e]! * v[e]! + activation.conjugate(u[e]!)
      return weight * total
    },
    prox(x, step, out = new Float64Array(x.length)) {
      const c = step * weight
      for (let e = 0; e < x.length; e++)
        // c (s - u) + phi(s) = x for v = phi(s)
        out[e] = activation.shrink
          ? activation.shrink((x[e]! + c * u[e]!) / (1 + c), c / (1 + c))
          : activation.value(
              increasingRoot(
                (s) => c * (s - u[e]!) + activation.value(s),
                (s) => c + activation.slope(s),
                x[e]!,
                u[e]!,
              ),
            )
      return out
    },
    polar: (v) => (v.some((entry) => entry !== 0) ? Number.POSITIVE_INFINITY : 0),
    conjugate(w) {
      let total = 0
      for (let e = 0; e < w.length; e++)
        total += activation.conjugate(u[e]! + w[e]! / weight) - activation.conjugate(u[e]!)
      return weight * total
    },
    subdifferentialDistance(v, w) {
      let total = 0
      for (let e = 0; e < v.length; e++) {
        const t = u[e]! + w[e]! / weight
        total += (weight * (t - nearestInverse(activation, v[e]!, t))) ** 2
      }
      return Math.sqrt(total)
    },
  }
}

/** The s nearest to t with phi(s) = v: phi may be flat there. */
function nearestInverse(activation: Activation, v: number, t: number): number {
  if (activation.value(t) === v) return t
  let inside = activation.inverse(v)
  let outside = t
  for (let round = 0; round < 60; round++) {
    const middle = inside / 2 + outside / 2
    if (activation.value(middle) === v) inside = middle
    else outside = middle
  }
  return inside
}

/** R(Th) = ridge/2 |W|^2 + damping/2 |Th - Th_0|^2, less its least value, so that R*(0) = 0. */
function proximalRidge(start: Vector, side: number, ridge: number, damping: number): Penalty {
  const own = (e: number): number => (e % side < side - 1 ? ridge : 0)
  /** Where entry e would go alone. */
  const centre = (e: number): number => (damping > 0 ? (damping * start[e]!) / (own(e) + damping) : 0)
  return {
    name: 'proximal-ridge',
    value(theta) {
      let total = 0
      for (let e = 0; e < theta.length; e++) total += ((own(e) + damping) * (theta[e]! - centre(e)) ** 2) / 2
      return total
    },
    prox(x, step, out = new Float64Array(x.length)) {
      for (let e = 0; e < x.length; e++) out[e] = (x[e]! + step * damping * start[e]!) / (1 + step * (own(e) + damping))
      return out
    },
    polar: (v) => (v.some((entry) => entry !== 0) ? Number.POSITIVE_INFINITY : 0),
    conjugate(w) {
      let total = 0
      for (let e = 0; e < w.length; e++) {
        if (w[e] !== 0) total += w[e]! ** 2 / (2 * (own(e) + damping)) + w[e]! * centre(e)
      }
      return total
    },
    subdifferentialDistance(theta, w) {
      let total = 0
      for (let e = 0; e < theta.length; e++)
        total += (own(e) * theta[e]! + damping * (theta[e]! - start[e]!) - w[e]!) ** 2
      return Math.sqrt(total)
    },
  }
}

/** The indicator of u >= 0. */
function nonnegativePenalty(): Penalty {
  const domain = nonnegative()
  return {
    name: 'nonnegative',
    domain,
    value: () => 0,
    prox: (v, _step, out) => domain.project(v, out),
    polar: (v) => (v.some((entry) => entry > 0) ? Number.POSITIVE_INFINITY : 0),
    conjugate: (v) => (v.some((entry) => entry > 0) ? Number.POSITIVE_INFINITY : 0),
    subdifferentialDistance(u, v) {
      let total = 0
      for (let e = 0; e < u.length; e++) total += (u[e]! > 0 ? v[e]! : Math.max(0, v[e]!)) ** 2
      return Math.sqrt(total)
    },
  }
}
