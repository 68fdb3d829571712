import { times, timesTransposed } from '../layers/products.ts'
import { backend } from '../numerics/backends/index.ts'
import { matrix } from '../numerics/matrix.ts'
import { squaredNorm } from '../numerics/vectors.ts'
import type { Matrix, Vector } from '../types.ts'
import { nodeOf } from './chain.ts'
import { factor } from './cholesky.ts'
import type { Work } from './work.ts'

/** Sweeps of a sample's coordinates at most, and the KKT residual, relative, at which they end. */
const LIMIT = 10_000
const SETTLED = 1e-13
/** Sweeps from one solve for all entries that are not zero to the next; the first comes after one sweep. */
const FACE_EVERY = 5

/**
 * All hidden nodes of a sample at once, where every coupling is linear and every activation a ReLU:
 *
 *     minimise over u = (x_1, .., x_N) >= 0:   u'H u / 2 - c'u
 *
 * H is the same for every sample and positive definite:  H_kk = gamma_k I + gamma_{k+1} W_{k+1}'W_{k+1} (the last with the
 * output's weights), H_{k,k-1} = -gamma_k W_k. Solved by coordinate descent from where the nodes are, sample by sample;
 * `proximity` adds proximity/2 |u - u_before|^2 to each. This is the Tikhonov block of Zhang and Brand 2017, NeurIPS.
 */
export function jointNodes(work: Work, proximity = 0): void {
  const { chain, state, buffer } = work
  const { H, offsets, size } = system(work, proximity)
  const m = chain.input.rows
  const U = buffer('joint nodes', m, size)
  const C = buffer('joint targets', m, size)
  gather(work, U, offsets)
  linearTerms(work, C, offsets)
  if (proximity > 0) for (let e = 0; e < U.data.length; e++) C.data[e]! += proximity * U.data[e]!
  // G = U H - C, row by row the gradient; kept up to date as coordinates move.
  const G = times(U, H, buffer('joint slopes', m, size))
  for (let e = 0; e < G.data.length; e++) G.data[e]! -= C.data[e]!
  for (let i = 0; i < m; i++) {
    const row = i * size
    descend(
      H.data,
      U.data.subarray(row, row + size),
      G.data.subarray(row, row + size),
      C.data.subarray(row, row + size),
    )
  }
  for (const [q, offset] of offsets.entries()) {
    const X = state.nodes[q]!
    for (let i = 0; i < m; i++)
      X.data.set(U.data.subarray(i * size + offset, i * size + offset + X.columns), i * X.columns)
    work.movedNode(q + 1)
  }
}

/**
 * How far the nodes are above the minimum at most: |d|^2 tr(H^-1) / 2m with d the smallest subgradient, for the least
 * eigenvalue of H is at least 1 / tr(H^-1).
 */
export function jointGap(work: Work): number {
  const { U, G, H } = slopes(work)
  let total = 0
  for (let e = 0; e < U.data.length; e++) total += (U.data[e]! > 0 ? G.data[e]! : Math.min(0, G.data[e]!)) ** 2
  const n = H.rows
  factor(H)
  // tr(H^-1) = |L^-1|_F^2
  const inverse = matrix(n, n)
  for (let j = 0; j < n; j++) inverse.data[j * n + j] = 1
  backend().triangularSolve(false, n, n, H.data, n, inverse.data, n)
  return (total * squaredNorm(inverse.data)) / (2 * work.chain.input.rows)
}

function slopes(work: Work): { U: Matrix; G: Matrix; H: Matrix } {
  const { chain, buffer } = work
  const { H, offsets, size } = system(work, 0)
  const m = chain.input.rows
  const U = buffer('joint nodes', m, size)
  const C = buffer('joint targets', m, size)
  gather(work, U, offsets)
  linearTerms(work, C, offsets)
  const G = times(U, H, buffer('joint slopes', m, size))
  for (let e = 0; e < G.data.length; e++) G.data[e]! -= C.data[e]!
  return { U, G, H }
}

/**
 * min u'Hu/2 - c'u over u >= 0; g = Hu - c goes along. Coordinate descent finds which entries are zero, and every few sweeps
 * the others are solved for at once, as far as they stay non-negative.
 */
function descend(H: Vector, u: Vector, g: Vector, c: Vector): void {
  const n = u.length
  let scale = Number.MIN_VALUE
  for (let j = 0; j < n; j++) scale = Math.max(scale, Math.abs(c[j]!))
  for (let sweep = 1; sweep <= LIMIT; sweep++) {
    let most = 0
    for (let j = 0; j < n; j++) {
      const bend = H[j * n + j]!
      const next = Math.max(0, u[j]! - g[j]! / bend)
      const change = next - u[j]!
      if (change === 0) continue
      u[j] = next
      most = Math.max(most, Math.abs(change) * bend)
      const row = j * n
      for (let l = 0; l < n; l++) g[l]! += change * H[row + l]!
    }
    if (most <= SETTLED * scale) return
    if (sweep % FACE_EVERY === 1) solveFace(H, u, g, c)
  }
}

/** Moves the entries that are not zero towards their minimum with the others at zero, up to where one becomes zero. */
function solveFace(H: Vector, u: Vector, g: Vector, c: Vector): void {
  const n = u.length
  const free: number[] = []
  for (let j = 0; j < n; j++) if (u[j]! > 0) free.push(j)
  const f = free.length
  const face = new Float64Array(f * f)
  for (let i = 0; i < f; i++) for (let l = 0; l <= i; l++) face[i * f + l] = H[free[i]! * n + free[l]!]!
  const step = Float64Array.from(free, (j) => -g[j]!)
  if (backend().cholesky(f, face, f) < f) return
  backend().triangularSolve(false, f, 1, face, f, step, 1)
  backend().triangularSolve(true, f, 1, face, f, step, 1)
  let length = 1
  for (let i = 0; i < f; i++) if (step[i]! < 0) length = Math.min(length, -u[free[i]!]! / step[i]!)
  for (let i = 0; i < f; i++) {
    const j = free[i]!
    u[j] = Math.max(0, u[j]! + length * step[i]!)
  }
  for (let l = 0; l < n; l++) g[l] = -c[l]!
  for (let j = 0; j < n; j++) if (u[j]! > 0) for (let l = 0; l < n; l++) g[l]! += u[j]! * H[j * n + l]!
}

function system(work: Work, proximity: number): { H: Matrix; offsets: number[]; size: number } {
  const { chain, state, buffer } = work
  const { links } = chain
  const hidden = links.slice(0, -1)
  const offsets: number[] = []
  let size = 0
  for (const { units } of hidden) {
    offsets.push(size)
    size += units
  }
  const H = buffer('joint system', size, size)
  H.data.fill(0)
  hidden.forEach(({ units, coupling }, q) => {
    const offset = offsets[q]!
    const next = state.weights[q + 1]!.W
    const gamma = links[q + 1]!.coupling
    const block = H.data.subarray(offset * size + offset)
    backend().syrk(true, units, next.rows, gamma, next.data, units, 0, block, size)
    for (let i = 0; i < units; i++) {
      H.data[(offset + i) * size + offset + i]! += coupling + proximity
      for (let j = 0; j < i; j++) block[j * size + i] = block[i * size + j]!
    }
    if (q === 0) return
    const { W } = state.weights[q]!
    const before = offsets[q - 1]!
    for (let i = 0; i < units; i++)
      for (let j = 0; j < W.columns; j++) {
        const entry = -coupling * W.data[i * W.columns + j]!
        H.data[(offset + i) * size + before + j] = entry
        H.data[(before + j) * size + offset + i] = entry
      }
  })
  return { H, offsets, size }
}

/** c of every sample: gamma_k (b_k + [W_1 x_0]) + gamma_{k+1} W_{k+1}' (t - b_{k+1}), t the targets at the output and 0 else. */
function linearTerms(work: Work, C: Matrix, offsets: readonly number[]): void {
  const { chain, state, buffer } = work
  const { links, input, target } = chain
  const m = input.rows
  offsets.forEach((offset, q) => {
    const { units, coupling } = links[q]!
    const own = buffer('joint own', m, units)
    if (q === 0) timesTransposed(input, state.weights[0]!.W, own)
    else own.data.fill(0)
    const next = state.weights[q + 1]!
    const last = q + 1 === links.length - 1
    const wanted = buffer('joint wanted', m, next.W.rows)
    for (let e = 0; e < wanted.data.length; e++)
      wanted.data[e] = (last ? target.data[e]! : 0) - next.b[e % next.W.rows]!
    const back = times(wanted, next.W, buffer('joint back', m, units))
    const gamma = links[q + 1]!.coupling
    const { b } = state.weights[q]!
    for (let i = 0; i < m; i++)
      for (let j = 0; j < units; j++)
        C.data[i * C.columns + offset + j] =
          coupling * (own.data[i * units + j]! + b[j]!) + gamma * back.data[i * units + j]!
  })
}

function gather(work: Work, U: Matrix, offsets: readonly number[]): void {
  const { chain, state } = work
  offsets.forEach((offset, q) => {
    const X = nodeOf(chain, state, q + 1)
    for (let i = 0; i < X.rows; i++)
      U.data.set(X.data.subarray(i * X.columns, (i + 1) * X.columns), i * U.columns + offset)
  })
}
