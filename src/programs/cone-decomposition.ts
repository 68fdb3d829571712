import type { Gates } from '../gates/gates.ts'
import { isSet } from '../numerics/bits.ts'
import { isZeroBlock } from '../numerics/blocks.ts'
import { isCompact, type Rows } from '../numerics/compact-matrix.ts'
import type { MatrixLike } from '../numerics/interchange.ts'
import { matrix } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import { dot, norm, plus, scaled } from '../numerics/vectors.ts'
import { activationCones } from '../sets/activation-cones.ts'
import { type BlockedCones, blockedCones, stacked } from '../sets/blocked-cones.ts'
import { nearestPoint } from '../sets/polyhedron.ts'
import type { CompactMatrix, Matrix, Vector } from '../types.ts'
import { requireGates } from './require-parts.ts'
import { type OpenBlock, splitByRows } from './split-by-rows.ts'
import { compactParts, twoLayerParts } from './two-layer.ts'

/** A point of a gated ReLU program: `{ X, gates, coefficients: solution.coefficients }`. */
export interface GatedPoint {
  /** n x d, the rows the gates were made for. */
  X: MatrixLike | CompactMatrix
  gates: Gates
  /** Gate-major: gate, output, feature (the bias last). */
  coefficients: Vector
  /** Default 1. */
  outputs?: number
  /** As in the program (default false). */
  bias?: boolean | 'unpenalised'
}

/** The ways to split a block in two of its cone: see `coneDecomposition`. */
export type ConeDecompositionMethod =
  | 'minimum-norm'
  | 'least-squares'
  | 'full-rank'
  | 'approximate'
  | 'working-set'
  | 'shared'

/** How blocks are split. */
export interface ConeDecompositionOptions {
  /** Default `'minimum-norm'`, and `'working-set'` for a compact matrix, which takes that and `'shared'`. */
  method?: ConeDecompositionMethod
  /** Weight of |w| in the approximate method (default 1e-6, the paper 1e-10); the smaller, the less is violated. */
  rho?: number
  /** Passes over X that a search of `working-set` or `shared` may take (default 30). */
  passes?: number
  /**
   * How far inside the cones `working-set` and `shared` keep v and w, relative to the mean of what rows ask for (default 0.01):
   * the smaller, the nearer to the minimum norm, and the longer it takes.
   */
  tolerance?: number
  /** Called now and then by `working-set` and `shared`: blocks that are split, of how many. */
  onProgress?: (done: number, count: number) => void
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
  /** Blocks whose passes ended before a short w was found, so that a direction inside the cone was added: see `working-set`. */
  readonly repaired: number
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
 *   working-set     the minimum norm, nearly, for X of many rows, compact or not: rows are held that w misses, and all of X is
 *                   looked through for more, a block of rows at a time; v and w are strictly inside their cones. Where the
 *                   passes end first, as little as will do of a direction inside is added
 *   shared          the same with one w for all outputs of a gate: one search a gate, and larger weights
 *
 * All but the approximate method are exact; the first has the least |v| + |w|, the second the least |w|. A projection costs about n d flops per active row. The lower
 * bound of the ReLU program certifies the result: `certify(reluProgram(...), decomposition)`.
 * Mishkin, Sahiner and Pilanci, ICML 2022, section 4: |v| + |w| is bounded by |u| times a condition number of X.
 *
 * @throws RangeError when sizes do not belong together, or a block cannot be split because its cone has no interior.
 */
export function coneDecomposition(gated: GatedPoint, options: ConeDecompositionOptions = {}): ConeDecomposition {
  const { X } = gated
  requireGates(gated.gates, 'coneDecomposition')
  const { method = isCompact(X) ? 'working-set' : 'minimum-norm', rho = 1e-6 } = options
  const outputs = gated.outputs ?? 1
  checkOptions(options, outputs)
  const byRows = method === 'working-set' || method === 'shared'
  if (isCompact(X) && !byRows)
    throw new RangeError(
      `coneDecomposition: method is '${method}' and X a compact matrix, expected 'working-set' or 'shared'; pass one of them, or X in full.`,
    )
  const given = {
    y: matrix(gated.gates.patterns.rows, outputs),
    gates: gated.gates,
    lambda: 0,
    bias: gated.bias ?? false,
  }
  const { inputs, gates } = isCompact(X)
    ? compactParts(X, given, 'coneDecomposition')
    : twoLayerParts({ X, ...given }, 'coneDecomposition')
  const u = gated.coefficients
  const d = inputs.columns
  if (u.length !== gates.count * outputs * d)
    throw new RangeError(
      `coneDecomposition: coefficients has ${u.length} entries and ${gates.count} gates of ${outputs} outputs and ${d} features need ${gates.count * outputs * d}; pass those of a gated program on these gates.`,
    )
  const blocks: Block[] = []
  for (let b = 0; b < gates.count * outputs; b++)
    if (!isZeroBlock(u, b * d, d))
      blocks.push({ gate: Math.floor(b / outputs), output: b % outputs, u: u.slice(b * d, (b + 1) * d) })
  const measured =
    isCompact(inputs) || byRows
      ? splitAll(inputs, gates, blocks, options, method === 'shared')
      : splitEach(inputs, gates, blocks, splitter(method, rho))
  const coefficients = new Float64Array(2 * u.length)
  let gatedNorm = 0
  let reluNorm = 0
  for (const { gate, output, u: block, v, w } of blocks) {
    const place = (2 * gate * outputs + output) * d
    gatedNorm += norm(block)
    if (v) coefficients.set(v, place)
    if (w) coefficients.set(w, place + outputs * d)
    reluNorm += (v ? norm(v) : 0) + (w ? norm(w) : 0)
  }
  const blowUp = gatedNorm > 0 ? reluNorm / gatedNorm : 1
  return { method, coefficients, gatedNorm, reluNorm, blowUp, ...measured }
}

/** A block that is not zero, and what it is split in: what is left out is zero. */
interface Block extends OpenBlock {
  readonly output: number
  v?: Vector
}

type Measured = Pick<ConeDecomposition, 'split' | 'violation' | 'repaired'>

/** One block after the other, each with all rows of its cone. */
function splitEach(inputs: Matrix, gates: Gates, blocks: readonly Block[], split: Split): Measured {
  const cones = activationCones(inputs, gates.patterns)
  let count = 0
  let violation = 0
  let last = { gate: -1, B: matrix(0, inputs.columns) }
  for (const block of blocks) {
    const { gate, u } = block
    const size = norm(u)
    if (cones.violation(gate, u, 0) <= ROUNDING * size) block.v = u
    else if (cones.violation(gate, scaled(u, -1), 0) <= ROUNDING * size) block.w = scaled(u, -1)
    else {
      if (last.gate !== gate) last = { gate, B: signedRows(inputs, gates, gate) }
      const found = split(last.B, u)
      if (!found) throw withoutInterior(gate)
      count++
      block.w = found
      block.v = plus(u, 1, found)
    }
    for (const part of [block.v, block.w]) {
      const length = part ? norm(part) : 0
      if (length > 0) violation = Math.max(violation, cones.violation(gate, part!, 0) / length)
    }
  }
  return { split: count, violation, repaired: 0 }
}

/** All blocks at once, X read a block of rows at a time. */
function splitAll(
  inputs: Rows,
  gates: Gates,
  blocks: readonly Block[],
  { passes = 30, tolerance = 0.01, onProgress }: ConeDecompositionOptions,
  shared: boolean,
): Measured {
  const cones = blockedCones(inputs, gates.patterns)
  const outside = farOutside(
    cones,
    blocks.map(({ gate, u }) => ({ gate, parts: [u, scaled(u, -1)] })),
  )
  const open: Block[] = []
  blocks.forEach((block, i) => {
    if (outside[2 * i]! <= ROUNDING) block.v = block.u
    else if (outside[2 * i + 1]! <= ROUNDING) block.w = scaled(block.u, -1)
    else open.push(block)
  })
  let done = blocks.length - open.length
  const failed = splitByRows(cones, gates, open, { shared, passes, tolerance }, (more) => {
    done += more
    onProgress?.(done, blocks.length)
  })
  if (failed !== undefined) throw withoutInterior(failed)
  for (const block of open) block.v = plus(block.u, 1, block.w!)
  const violations = farOutside(
    cones,
    blocks.map(({ gate, v, w }) => ({ gate, parts: [v, w].filter((part) => part !== undefined) })),
  )
  return {
    split: open.length,
    violation: violations.reduce((most, one) => Math.max(most, one), 0),
    repaired: open.filter(({ repaired }) => repaired).length,
  }
}

/** How far outside their cones vectors are, relative to their lengths; those of a few blocks at a time. */
function farOutside(cones: BlockedCones, blocks: readonly { gate: number; parts: readonly Vector[] }[]): Vector {
  const lines = blocks.flatMap(({ gate, parts }) => parts.map((part) => ({ gate, part })))
  const out = new Float64Array(lines.length)
  for (let first = 0; first < lines.length; first += 1024) {
    const some = lines.slice(first, first + 1024)
    const found = cones.violations(
      some.map(({ gate }) => gate),
      stacked(
        some.map(({ part }) => part),
        cones.dimension,
      ),
    )
    some.forEach(({ part }, l) => {
      const length = norm(part)
      out[first + l] = length > 0 ? found[l]! / length : 0
    })
  }
  return out
}

function withoutInterior(gate: number): RangeError {
  return new RangeError(
    `coneDecomposition: gate ${gate} has a row of X on its boundary and no vector strictly inside its cone, so its block is no difference of two vectors in it; use gates with no x'g = 0, such as those of sampleGates() or enumerateGates().`,
  )
}

const optionNames: OptionKinds<ConeDecompositionOptions> = {
  method: true,
  rho: 'number',
  passes: 'number',
  tolerance: 'number',
  onProgress: true,
}

function checkOptions(options: ConeDecompositionOptions, outputs: number): void {
  requireOptions(options, optionNames, 'coneDecomposition')
  const { rho = 1e-6, passes = 30, tolerance = 0.01 } = options
  const refuse = (name: string, value: number, expected: string, example: number): never => {
    throw new RangeError(`coneDecomposition: ${name} is ${value}, expected ${expected}; pass for example ${example}.`)
  }
  if (!Number.isInteger(outputs) || outputs < 1) refuse('outputs', outputs, 'a positive whole number', 1)
  if (!(rho > 0)) refuse('rho', rho, 'above 0', 1e-6)
  if (!Number.isInteger(passes) || passes < 0) refuse('passes', passes, 'a whole number of at least 0', 30)
  if (!(tolerance > 0 && tolerance <= 1)) refuse('tolerance', tolerance, 'above 0 and at most 1', 0.01)
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
        `coneDecomposition: method is "${String(method)}", expected minimum-norm, least-squares, full-rank, approximate, working-set or shared.`,
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
