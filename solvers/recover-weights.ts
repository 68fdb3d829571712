import { certifyKernel } from '../src/certificates/certify-kernel.ts'
import { filterFit } from '../src/numerics/filter-fit.ts'
import { kernelSpectrum } from '../src/numerics/kernel-spectrum.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { rowProducts, transpose } from '../src/numerics/products.ts'
import { assemble, svd } from '../src/numerics/svd.ts'
import { symmetricEigen } from '../src/numerics/symmetric-eigen.ts'
import { scaled } from '../src/numerics/vectors.ts'
import type { Certificate, FilterPoint, KernelProgram, Matrix, Vector } from '../src/types.ts'
import { byPoint, singularFilters } from './kernel-solution.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { solveSync } from './solve.ts'

/** How `recoverWeights` finds weights from a dual point. */
export interface RecoveryOptions {
  /**
   * `core` (default for smooth losses): the positive semidefinite B of A = U B V' by its own convex program.
   * `least-squares`: B from the fit that alpha determines, F smooth. `margin` (default for the hinge): B from the margins of the
   * points with 0 < b < 1. `filters`: no core, but the nuclear norm again on the face's filters and `extra` more; the most
   * accurate where alpha is not.
   */
  method?: 'core' | 'least-squares' | 'margin' | 'filters'
  /** Singular values above (1 - face) lambda count as equal to it (default 1e-6); too large does no harm with `core`. */
  face?: number
  /** Singular vectors beyond the face, with `filters` (default 3). */
  extra?: number
}

/** Filters and linear weights from alpha and the kernel alone. */
export interface Recovered extends FilterPoint {
  readonly method: NonNullable<RecoveryOptions['method']>
  readonly fit: Vector
  readonly norm: number
  /** Singular values of M(alpha), lambda being the largest at an optimum. */
  readonly spectrum: Vector
  /** How many count as lambda: an upper bound of the number of filters. */
  readonly faceDimension: number
  /** How many filters there are. */
  readonly rank: number
  /**
   * Directions of B that no training point sees: when positive, filters and predictions on new points are not determined by
   * the problem, and the B of least Frobenius norm is taken.
   */
  readonly freedom: number
  readonly certificate: Certificate
}

/**
 * The weights behind a dual solution. At an optimum M(alpha) = lambda (U V' + W), and A = U B V' with B positive semidefinite:
 * V and the filters U = M(alpha) V / lambda come from the kernel, what the filters see from the images of M(alpha), and B
 * from how the loss ties fit and alpha.
 *
 * @throws RangeError when alpha has another size, or the method is not one for the loss.
 */
export function recoverWeights(program: KernelProgram, alpha: Vector, options: RecoveryOptions = {}): Recovered {
  requireOptions(options, { method: true, face: 'number', extra: 'number' }, 'recoverWeights')
  const { kernel, loss, lambda } = program
  const smooth = Number.isFinite(loss.smoothness)
  const { method = smooth ? 'core' : 'margin', face = 1e-6, extra = 3 } = options
  const n = kernel.count * kernel.outputs
  if (alpha.length !== n)
    throw new RangeError(`recoverWeights: alpha has ${alpha.length} entries, expected ${n}; pass one per target.`)
  if (!smooth && method !== 'margin')
    throw new RangeError(
      `recoverWeights: the ${loss.name} loss has a corner, and alpha does not determine the fit; pass method: 'margin'.`,
    )
  if (!(face >= 0 && face < 1))
    throw new RangeError(`recoverWeights: face is ${face}, expected between 0 and 1; pass for example 1e-6.`)
  const spectrum = kernelSpectrum(kernel, alpha)
  const { values } = spectrum
  const q = values.length
  let r = 0
  while (r < q && values[r]! >= lambda * (1 - face)) r++
  let width = r
  if (method === 'filters') while (width < Math.min(q, r + extra) && values[width]! > 1e-7 * values[0]!) width++
  const own = singularFilters(kernel, alpha, spectrum, width)

  let linear: Matrix
  let freedom = 0
  if (width === 0) linear = matrix(0, q)
  else if (method === 'filters') {
    const { coefficients } = solveSync(program.onFilters(byPoint(kernel, own.seen, width)), exactly)
    linear = matrix(width, q, transpose(coefficients, q, width))
  } else {
    const G = coreRows(kernel, own.seen, spectrum.vectors, r)
    const design = symmetricDesign(G.data, n, r)
    freedom = design.freedom
    let B: Vector
    if (method === 'core') B = leastCore(solveSync(program.onCore(G), exactly).coefficients, design, r)
    else if (method === 'least-squares') B = unpack(design.solve(fitOf(program, alpha)), r)
    else B = marginCore(program, alpha, design, r)
    linear = matrix(r, q, rowProducts(B, r, transpose(spectrum.vectors.subarray(0, r * q), r, q), q, r))
  }
  const fit = filterFit(kernel, own.seen, linear)
  const sizes = width > 0 ? svd(linear.data, width, q).values : new Float64Array(0)
  const norm = sizes.reduce((total, value) => total + value, 0)
  return {
    filters: matrix(kernel.count * kernel.size, width, own.filters),
    linear,
    method,
    fit,
    norm,
    spectrum: values,
    faceDimension: r,
    rank: sizes.reduce((count, value) => count + Number(value > 1e-9 * sizes[0]!), 0),
    freedom,
    certificate: certifyKernel(program, { dual: alpha, dualNorm: values[0]!, fit, norm }),
  }
}

const exactly = { solver: proximalGradient(), tolerance: 1e-15, maxIterations: 20_000 } as const

/** [<G_ik, .>]: the symmetric part of V_k'H_i for every point i and output k, rows of r x r. */
function coreRows(kernel: KernelProgram['kernel'], seen: Vector, vectors: Vector, r: number): Matrix {
  const { count, size, outputs } = kernel
  const q = outputs * size
  const G = matrix(count * outputs, r * r)
  for (let i = 0; i < count; i++)
    for (let k = 0; k < outputs; k++)
      for (let a = 0; a < r; a++)
        for (let b = 0; b < r; b++) {
          let total = 0
          for (let p = 0; p < size; p++) total += vectors[a * q + k * size + p]! * seen[(i * size + p) * r + b]!
          const row = (i * outputs + k) * r * r
          G.data[row + a * r + b]! += total / 2
          G.data[row + b * r + a]! += total / 2
        }
  return G
}

/** The map from symmetric matrices, in isometric coordinates, to fits: its solutions of least norm and its null space. */
interface Design {
  /** Dimensions of the null space. */
  readonly freedom: number
  /** The packed B of least norm whose fit is nearest. */
  solve(fit: Vector, rows?: readonly number[]): Vector
  /** The part of a packed B that fits see. */
  visible(packed: Vector): Vector
}

function symmetricDesign(G: Vector, n: number, r: number): Design {
  const width = (r * (r + 1)) / 2
  const packedRow = (row: number): Vector => pack(G.subarray(row * r * r, (row + 1) * r * r), r)
  const build = (rows: readonly number[]): ReturnType<typeof svd> => {
    const M = new Float64Array(rows.length * width)
    rows.forEach((row, place) => {
      M.set(packedRow(row), place * width)
    })
    return svd(M, rows.length, width)
  }
  const all = build(Array.from({ length: n }, (_, row) => row))
  const rankOf = ({ values, count }: ReturnType<typeof svd>): number => {
    let rank = 0
    while (rank < count && values[rank]! > 1e-9 * values[0]!) rank++
    return rank
  }
  const rank = rankOf(all)
  return {
    freedom: width - rank,
    solve(fit, rows) {
      const parts = rows ? build(rows) : all
      const length = rows ? rows.length : n
      const target = rows ? Float64Array.from(rows, (row) => fit[row]!) : fit
      const out = new Float64Array(width)
      for (let e = 0; e < rankOf(parts); e++) {
        let along = 0
        for (let k = 0; k < length; k++) along += parts.left[e * length + k]! * target[k]!
        for (let j = 0; j < width; j++) out[j]! += (along / parts.values[e]!) * parts.right[e * width + j]!
      }
      return out
    },
    visible(packed) {
      const out = new Float64Array(width)
      for (let e = 0; e < rank; e++) {
        let along = 0
        for (let j = 0; j < width; j++) along += all.right[e * width + j]! * packed[j]!
        for (let j = 0; j < width; j++) out[j]! += along * all.right[e * width + j]!
      }
      return out
    },
  }
}

/** The fit that alpha determines: dF*(-alpha), from the gradient of F*(-alpha) or, failing that, none. */
function fitOf({ loss, name }: KernelProgram, alpha: Vector): Vector {
  if (!loss.dual)
    throw new RangeError(
      `recoverWeights: the ${loss.name} loss of ${name} leaves a shift of the fit open; pass method: 'core'.`,
    )
  const gradient = new Float64Array(alpha.length)
  loss.dual.value(alpha, 0, gradient)
  return scaled(gradient, -1)
}

/**
 * The least B with the fit of the one found. Where fits do not see all of B, by Dykstra's alternating projections from zero
 * on the matrices of that fit and trace and on the positive semidefinite ones.
 */
function leastCore(B: Vector, design: Design, r: number): Vector {
  if (design.freedom === 0) return B
  const packed = pack(B, r)
  const seen = design.visible(packed)
  const unit = pack(identity(r), r)
  // The direction of the trace that fits do not see.
  const hidden = unit.map((value, k) => value - design.visible(unit)[k]!)
  const square = hidden.reduce((total, value) => total + value * value, 0)
  const trace = packed.reduce((total, value, k) => total + value * unit[k]!, 0)
  const affine = (x: Vector): Vector => {
    const inside = design.visible(x)
    const at = x.map((value, k) => value - inside[k]! + seen[k]!)
    if (square <= 1e-12) return at
    const missing = trace - at.reduce((total, value, k) => total + value * unit[k]!, 0)
    return at.map((value, k) => value + (missing / square) * hidden[k]!)
  }
  let x: Vector = new Float64Array(packed.length)
  let correction: Vector = new Float64Array(packed.length)
  for (let round = 0; round < 10_000; round++) {
    const y = affine(x)
    const raised = y.map((value, k) => value + correction[k]!)
    const next = pack(positivePart(unpack(raised, r), r), r)
    correction = raised.map((value, k) => value - next[k]!)
    let moved = 0
    for (let k = 0; k < x.length; k++) moved += (next[k]! - y[k]!) ** 2
    x = next
    if (Math.sqrt(moved) <= 1e-14 * (1 + trace)) break
  }
  return unpack(x, r)
}

/** The B with margin 1 at every point strictly between the bounds of its alpha, its negative eigenvalues left out. */
function marginCore({ loss }: KernelProgram, alpha: Vector, design: Design, r: number): Vector {
  const upper = loss.gradient(new Float64Array(loss.size))
  const rows: number[] = []
  const target = new Float64Array(alpha.length)
  for (let k = 0; k < alpha.length; k++) {
    // At a fit of zero every margin is short: the gradient is the bound of -alpha, with the sign of the target.
    const b = -alpha[k]! / upper[k]!
    target[k] = -Math.sign(upper[k]!)
    if (b > INNER && b < 1 - INNER) rows.push(k)
  }
  if (rows.length === 0) return new Float64Array(r * r)
  return positivePart(unpack(design.solve(target, rows), r), r)
}

/** How far from its bounds an alpha counts as strictly between them. */
const INNER = 1e-5

function positivePart(S: Vector, r: number): Vector {
  const { values, vectors } = symmetricEigen(S, r)
  const parts = { count: r, values, left: vectors, right: vectors }
  return assemble(
    parts,
    values.map((value) => Math.max(0, value)),
    r,
    r,
  )
}

/** The lower triangle, off-diagonal entries times sqrt 2: a vector with the Frobenius norm as its length. */
function pack(S: ArrayLike<number>, r: number): Vector {
  const out = new Float64Array((r * (r + 1)) / 2)
  let at = 0
  for (let i = 0; i < r; i++) for (let j = 0; j <= i; j++) out[at++] = S[i * r + j]! * (i === j ? 1 : Math.SQRT2)
  return out
}

function unpack(packed: Vector, r: number): Vector {
  const S = new Float64Array(r * r)
  let at = 0
  for (let i = 0; i < r; i++)
    for (let j = 0; j <= i; j++) {
      const value = packed[at++]! / (i === j ? 1 : Math.SQRT2)
      S[i * r + j] = value
      S[j * r + i] = value
    }
  return S
}

function identity(r: number): Vector {
  const I = new Float64Array(r * r)
  for (let i = 0; i < r; i++) I[i * r + i] = 1
  return I
}
