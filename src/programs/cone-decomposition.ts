import type { Gates } from '../gates/gates.ts'
import { isSet } from '../numerics/bits.ts'
import { blockNorm, isZeroBlock } from '../numerics/blocks.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import { matrix } from '../numerics/matrix.ts'
import { dot, norm, plus, scaled } from '../numerics/vectors.ts'
import { activationCones } from '../sets/activation-cones.ts'
import { nearestPoint } from '../sets/polyhedron.ts'
import type { Matrix, Vector } from '../types.ts'
import { twoLayerParts } from './two-layer.ts'

/** A point of a gated ReLU program: `{ X, gates, coefficients: solution.coefficients }`. */
export interface GatedPoint {
  /** n x d, the rows the gates were made for. */
  X: MatrixLike
  gates: Gates
  /** Gate-major: gate, output, feature (the bias last). */
  coefficients: Vector
  /** Default 1. */
  outputs?: number
  /** As in the program (default false). */
  bias?: boolean | 'unpenalised'
}

/** The ways to split a block in two of its cone: see `coneDecomposition`. */
export type ConeDecompositionMethod = 'minimum-norm' | 'least-squares' | 'full-rank' | 'approximate'

/** How blocks are split. */
export interface ConeDecompositionOptions {
  /** Default `'minimum-norm'`. */
  method?: ConeDecompositionMethod
  /** Weight of |w| in the approximate method (default 1e-6, the paper 1e-10); the smaller, the less is violated. */
  rho?: number
}

/** A ReLU network that computes on X what a gated one does. */
export interface ConeDecomposition {
  readonly method: ConeDecompositionMethod
  /** A point of `reluProgram` on the same gates: gate, sign (v, w), output, feature. */
  readonly coefficients: Vector
  /** sum |u|: what the gated network pays, per lambda. */
  readonly gatedNorm: number
  /** sum |v| + |w|: what the ReLU network pays, per lambda. */
  readonly reluNorm: number
  /** reluNorm / gatedNorm, at least 1; 1 when everything is zero. */
  readonly blowUp: number
  /** Blocks that had to be split; the others, or their negatives, lay in their cone. */
  readonly split: number
  /** Largest distance of a block to a half-space of its cone, relative to the block: rounding, but for the approximate method. */
  readonly violation: number
}

/**
 * Turns a gated ReLU solution into a ReLU network with the same predictions on X: per gate and output u = v - w with v and
 * w in the cone K = { u : B u >= 0 }, B the unit rows of (2D - I) X. Then `reluProgram(...).recover(decomposition)` is the
 * network. Where u is in K, v = u; where -u is, w = -u. Otherwise w must satisfy B w >= max(-B u, 0) and v = u + w:
 *
 *   minimum-norm    min |u + w| + |w|, exactly: with theta = |w| / (|w| + |u + w|) it is the point of the polyhedron nearest
 *                   to -theta u, and a search over theta in [0, 1] finds the one that agrees with itself, since
 *                   (|w| + |v|)^2 = min over theta of |w|^2 / theta + |v|^2 / (1 - theta) is jointly convex
 *   least-squares   min |w|^2 / 2: one projection
 *   full-rank       w = B^+ max(-B u, 0), closed form; the rows of X must be independent
 *   approximate     min |(max(-B u, 0) - B w)_+|^2 / 2 + rho |w| by accelerated proximal gradient; `violation` says how far
 *                   it stays outside the cones: where it is not 0 the network's predictions differ by about as much
 *
 * The first three are exact; the first has the least |v| + |w|, the second the least |w|. A projection costs about n d flops per active row. The lower
 * bound of the ReLU program certifies the result: `certify(reluProgram(...), decomposition)`.
 * Mishkin, Sahiner and Pilanci, ICML 2022, section 4: |v| + |w| is bounded by |u| times a condition number of X.
 *
 * @throws RangeError when sizes do not belong together, or a block cannot be split because its cone has no interior.
 */
export function coneDecomposition(gated: GatedPoint, options: ConeDecompositionOptions = {}): ConeDecomposition {
  const { method = 'minimum-norm', rho = 1e-6 } = options
  const outputs = gated.outputs ?? 1
  if (!Number.isInteger(outputs) || outputs < 1)
    throw new RangeError(`coneDecomposition: outputs is ${outputs}, expected a positive whole number.`)
  if (!(rho > 0)) throw new RangeError(`coneDecomposition: rho is ${rho}, expected above 0; pass for example 1e-6.`)
  const { inputs, gates } = twoLayerParts(
    {
      X: gated.X,
      y: matrix(gated.gates.patterns.rows, outputs),
      gates: gated.gates,
      lambda: 0,
      bias: gated.bias ?? false,
    },
    'coneDecomposition',
  )
  const u = gated.coefficients
  const d = inputs.columns
  if (u.length !== gates.count * outputs * d)
    throw new RangeError(
      `coneDecomposition: coefficients has ${u.length} entries and ${gates.count} gates of ${outputs} outputs and ${d} features need ${gates.count * outputs * d}; pass those of a gated program on these gates.`,
    )
  const split = splitter(method, rho)
  const cones = activationCones(inputs, gates.patterns)
  const coefficients = new Float64Array(2 * u.length)
  let gatedNorm = 0
  let reluNorm = 0
  let count = 0
  let violation = 0
  for (let gate = 0; gate < gates.count; gate++) {
    let B: Matrix | undefined
    for (let k = 0; k < outputs; k++) {
      const from = (gate * outputs + k) * d
      if (isZeroBlock(u, from, d)) continue
      const block = u.slice(from, from + d)
      const size = norm(block)
      const v = (2 * gate * outputs + k) * d
      const w = v + outputs * d
      if (cones.violation(gate, block, 0) <= ROUNDING * size) coefficients.set(block, v)
      else if (cones.violation(gate, scaled(block, -1), 0) <= ROUNDING * size) coefficients.set(scaled(block, -1), w)
      else {
        B ??= signedRows(inputs, gates, gate)
        const found = split(B, block)
        if (!found)
          throw new RangeError(
            `coneDecomposition: gate ${gate} has a row of X on its boundary and no vector strictly inside its cone, so its block is no difference of two vectors in it; use gates with no x'g = 0, such as those of sampleGates() or enumerateGates().`,
          )
        count++
        coefficients.set(found, w)
        coefficients.set(plus(block, 1, found), v)
      }
      gatedNorm += size
      for (const start of [v, w]) {
        const length = blockNorm(coefficients, start, d)
        reluNorm += length
        if (length > 0) violation = Math.max(violation, cones.violation(gate, coefficients, start) / length)
      }
    }
  }
  const blowUp = gatedNorm > 0 ? reluNorm / gatedNorm : 1
  return { method, coefficients, gatedNorm, reluNorm, blowUp, split: count, violation }
}

/** A block this near to its cone, relative to its length, is in it. */
const ROUNDING = 1e-12
/** The approximate method stops when w moves by less than this share of its length, or after the limit. */
const STILL = 1e-12
const LIMIT = 5_000

/** Finds w for one block, or undefined when there is none. */
type Split = (B: Matrix, u: Vector) => Vector | undefined

function splitter(method: ConeDecompositionMethod, rho: number): Split {
  switch (method) {
    case 'minimum-norm':
      return minimumNorm
    case 'least-squares':
      return (B, u) => nearestPoint(B, bounds(B, u), new Float64Array(u.length))
    case 'full-rank':
      return fullRank
    case 'approximate':
      return (B, u) => approximate(B, u, rho)
    default:
      throw new RangeError(
        `coneDecomposition: method is "${String(method)}", expected minimum-norm, least-squares, full-rank or approximate.`,
      )
  }
}

/** max(-B u, 0): what B w must reach for w and u + w to be in the cone. */
function bounds(B: Matrix, u: Vector): Vector {
  const { rows, columns: d, data } = B
  return Float64Array.from({ length: rows }, (_, k) => Math.max(0, -dot(data.subarray(k * d, (k + 1) * d), u)))
}

/** min |u + w| + |w|: regula falsi (Illinois) on theta(w) - theta, which falls from positive at 0 to negative at 1. */
function minimumNorm(B: Matrix, u: Vector): Vector | undefined {
  const b = bounds(B, u)
  let best: Vector | undefined
  let least = Number.POSITIVE_INFINITY
  const excess = (theta: number): number => {
    const w = nearestPoint(B, b, scaled(u, -theta))
    if (!w) return Number.NaN
    const length = norm(w)
    const total = length + norm(plus(u, 1, w))
    if (total < least) {
      least = total
      best = w
    }
    return length / total - theta
  }
  let low = 0
  let high = 1
  let atLow = excess(low)
  let atHigh = excess(high)
  // side: the end that stayed last time, whose value is then halved so that it moves too
  let side = 0
  for (let round = 0; round < 100 && high - low > 1e-13 && atLow > 0 && atHigh < 0; round++) {
    const theta = round % 8 === 7 ? (low + high) / 2 : (low * atHigh - high * atLow) / (atHigh - atLow)
    const value = excess(theta)
    if (Math.abs(value) < 1e-14) break
    if (value > 0) {
      low = theta
      atLow = value
      if (side === 1) atHigh /= 2
      side = 1
    } else {
      high = theta
      atHigh = value
      if (side === -1) atLow /= 2
      side = -1
    }
  }
  return best
}

/** w = B^+ max(-B u, 0), by Gram-Schmidt on the rows, twice. */
function fullRank(B: Matrix, u: Vector): Vector {
  const { rows, columns: d, data } = B
  const b = bounds(B, u)
  const w = new Float64Array(d)
  const basis: Vector[] = []
  for (let k = 0; k < rows; k++) {
    const row = data.subarray(k * d, (k + 1) * d)
    const rest = row.slice()
    for (let pass = 0; pass < 2; pass++) for (const q of basis) plus(rest, -dot(q, rest), q, rest)
    const length = norm(rest)
    if (basis.length === d || !(length > 1e-10))
      throw new RangeError(
        `coneDecomposition: the rows of X depend on each other (${rows} rows that are not zero, ${d} features), and the full-rank method needs independent ones; use method 'minimum-norm'.`,
      )
    const q = scaled(rest, 1 / length)
    // The rows before stay as they are, since q is orthogonal to them.
    plus(w, (b[k]! - dot(row, w)) / dot(row, q), q, w)
    basis.push(q)
  }
  return w
}

/** min |(b - B w)_+|^2 / 2 + rho |w|. Beck and Teboulle 2009, restarted as O'Donoghue and Candes 2015. */
function approximate(B: Matrix, u: Vector, rho: number): Vector {
  const { rows, columns: d, data } = B
  const b = bounds(B, u)
  const step = 1 / largestGram(B)
  let w: Vector = new Float64Array(d)
  let next: Vector = new Float64Array(d)
  let y: Vector = new Float64Array(d)
  let t = 1
  for (let iteration = 0; iteration < LIMIT; iteration++) {
    next.set(y)
    for (let k = 0; k < rows; k++) {
      const row = data.subarray(k * d, (k + 1) * d)
      const missing = b[k]! - dot(row, y)
      if (missing > 0) plus(next, step * missing, row, next)
    }
    const length = norm(next)
    scaled(next, length > step * rho ? 1 - (step * rho) / length : 0, next)
    const moved = plus(next, -1, w)
    const uphill = dot(plus(y, -1, next), moved) > 0
    const tNext = uphill ? 1 : (1 + Math.sqrt(1 + 4 * t * t)) / 2
    y = uphill ? next.slice() : plus(next, (t - 1) / tNext, moved, y)
    t = tNext
    const still = norm(moved) <= STILL * norm(next) && !uphill
    const held = w
    w = next
    next = held
    if (still) break
  }
  return w
}

/** A bound of the largest eigenvalue of B'B: its largest absolute row sum, or its trace. */
function largestGram({ rows, columns: d, data }: Matrix): number {
  let largest = 0
  for (let i = 0; i < d; i++) {
    let total = 0
    for (let j = 0; j < d; j++) {
      let entry = 0
      for (let k = 0; k < rows; k++) entry += data[k * d + i]! * data[k * d + j]!
      total += Math.abs(entry)
    }
    largest = Math.max(largest, total)
  }
  return Math.min(largest, rows)
}

/** The rows of X that are not zero, of length one, with the sign that the gate gives them. */
function signedRows(X: Matrix, gates: Gates, gate: number): Matrix {
  const d = X.columns
  const signed: Vector[] = []
  for (let r = 0; r < X.rows; r++) {
    const row = X.data.slice(r * d, (r + 1) * d)
    const largest = row.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0)
    if (largest === 0) continue
    scaled(row, 1 / largest, row)
    signed.push(scaled(row, (isSet(gates.patterns, r, gate) ? 1 : -1) / norm(row)))
  }
  const B = matrix(signed.length, d)
  signed.forEach((row, k) => {
    B.data.set(row, k * d)
  })
  return B
}
