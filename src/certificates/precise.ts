import type { BigNumber } from 'mathjs'
import { given } from '../numerics/given.ts'
import { requireFinite } from '../numerics/matrix.ts'
import { type OptionKinds, requireOptions } from '../numerics/options.ts'
import type { Matrix, Vector } from '../types.ts'

/** The penalties of a gated ReLU program, by the name of their choice. */
export type PrecisePenalty = 'group-l1' | 'joint-group-l1' | 'l1' | 'ridge' | 'feature-group-l1'

/** The raw ingredients of a gated ReLU program with the squared loss. */
export interface PreciseProblem {
  /** n x d, one row per sample. */
  readonly X: Matrix
  /** n x c targets. */
  readonly Y: Matrix
  /** One gate per row of `vectors`, its offset last when `bias`: what `sampleGates` returns will do. */
  readonly gates: { readonly vectors: Matrix; readonly bias: boolean }
  readonly lambda: number
  /** Default `'group-l1'`. */
  readonly penalty?: PrecisePenalty
  /** As in `gatedReluProgram`; default false. */
  readonly bias?: boolean | 'unpenalised'
}

/** How many digits, which dual point, and by whose signs. */
export interface PreciseOptions {
  /** Decimal digits of the answer, 16 to 5000 (default 64). */
  precision?: number
  /** A float64 dual point r (n x c, the convention r = -dF(fit)) to take the bound from; default: r of the exact fit. */
  dual?: Vector
  /**
   * `'exact'` (default): D_i by the true sign of x'g. `'float64'`: by the sign float64 gives it, as a trained network
   * predicts. They are two different programs where `signChanges` is not 0, as it is for gates whose boundary runs
   * through a row; to judge what a solver did, choose `'float64'` there.
   */
  patterns?: 'exact' | 'float64'
  signal?: AbortSignal
  /** Called about 60 times a second while the work goes on. */
  onProgress?: (progress: PreciseProgress) => void
}

const optionNames: OptionKinds<PreciseOptions> = {
  precision: 'number',
  dual: true,
  patterns: true,
  signal: true,
  onProgress: true,
}

/** How far a precise certificate has come. */
export interface PreciseProgress {
  readonly stage: 'patterns' | 'fit' | 'dual norm'
  /** Share of this stage that is done, 0 to 1. */
  readonly fraction: number
}

/** A certificate in decimal: each text has up to `precision` significant digits, correct to one unit in the last. */
export interface PreciseCertificate {
  readonly precision: number
  /** F(fit) + lambda R(U): an upper bound of the optimum. */
  readonly primal: string
  /** Value of the dual feasible point s r: a lower bound of the optimum. */
  readonly dual: string
  /** primal - dual, of the digits shown. */
  readonly gap: string
  /** gap / max(|primal|, |dual|); 0 when the gap is 0. */
  readonly relativeGap: number
  /** max_g |Z_g'r|_2 over the groups of R, unscaled: r itself is feasible when this is at most lambda. Ridge: |A'r|_2. */
  readonly dualNorm: string
  /** The s that makes s r feasible and its dual value largest. */
  readonly scale: string
  /** (row, gate) pairs where rounding might flip the sign of x'g: these were decided exactly. */
  readonly ambiguousGates: number
  /** (row, gate) pairs where float64 has the wrong sign. */
  readonly signChanges: number
  /** Groups whose norm was computed exactly; for the others a float64 bound proves that they are not the largest. */
  readonly candidates: number
}

/**
 * The certificate of a point of
 *
 *     minimise over U   |sum_i D_i X U_i - Y|^2 / (2 n c) + lambda R(U) ,    D_i = diag(1[X g_i >= 0])
 *
 * recomputed to `precision` digits from X, Y, gates and U alone: a referee for `certify` that shares no code with it.
 *
 * Every float64 is a terminating decimal, so the patterns, the residual E = Y - fit (its columns centred when the
 * intercept is free) and all squared norms are computed exactly; only square roots, their sum and the last divisions
 * round, at `precision` + 16 digits. With M = max_g |Z_g'E|, the point t E with t in [0, lambda / M] is dual feasible;
 *
 *     its value  t E'Y - n c t^2 |E|^2 / 2  is largest at  t = E'Y / (n c |E|^2), clipped ;   r = E / (n c), s = n c t
 *
 * and for ridge, where R* = R and nothing is infeasible, the value loses t^2 |A'E|^2 / (2 lambda) instead.
 *
 * Two float64 filters save most of the exact work and cost no rigour: a gate value beyond the error bound of its inner
 * product has a proven sign (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1), and of the
 * groups only those whose upper bound reaches the best lower bound can attain the maximum.
 *
 * Cost: about 2 n P d float64 products, 2 n d c exact products (a microsecond each), and n d c / 2 exact additions (0.4
 * microseconds each) for every gate with a nonzero block and for every gate with a candidate group: n = 500, d = 10,
 * P = 500 takes 0.1 to 0.5 s at a sparse optimum and 2.5 s for ridge, at any precision. mathjs is loaded on first use.
 * Dual: Mishkin, Sahiner and Pilanci, ICML 2022. Scaling: Ndiaye et al. 2017, JMLR 18(128).
 *
 * @throws RangeError or TypeError naming what does not fit; Error when mathjs is not installed; the signal's reason.
 */
export async function preciseCertificate(
  problem: PreciseProblem,
  coefficients: Vector,
  options: PreciseOptions = {},
): Promise<PreciseCertificate> {
  requireOptions(options, optionNames, 'preciseCertificate')
  const { precision = 64, dual: given, patterns = 'exact', signal, onProgress } = options
  const shape = check(problem, coefficients, precision, given)
  signal?.throwIfAborted()
  const { exact, round } = await arithmetic(precision)
  const pause = pacer(signal, onProgress)
  const inputs = exactInputs(problem, exact)
  const groups = groupings[problem.penalty ?? 'group-l1'](shape)
  const ridge = problem.penalty === 'ridge'
  const free = problem.bias === 'unpenalised'
  const nc = exact(shape.n * shape.c)
  const lambda = round(exact(problem.lambda))
  const zero = round(exact(0))
  const y = Array.from(problem.Y.data, exact)
  const U = Array.from(coefficients, exact)

  const signs = await decideSigns(problem, shape, patterns, inputs, pause)
  const fit = await exactFit(shape, signs.on, inputs, U, pause)
  const difference = fit.map((z, k) => y[k]!.minus(z))
  const E = free ? centred(difference, shape) : difference
  const multiple = free ? shape.n : 1
  const loss = round(squaredNorm(E, inputs.zero)).dividedBy(nc.times(2 * multiple * multiple))
  const squares = groupSquares(U, shape, groups)
  const size = ridge
    ? round(squares[0] ?? inputs.zero).dividedBy(2)
    : squares.reduce((total, square) => total.plus(round(square).sqrt()), zero)
  const primal = loss.plus(lambda.times(size))

  // D = unit r, whole multiples of r, so that neither the mean nor the division by n c rounds.
  const D = given ? (free ? centred(Array.from(given, exact), shape) : Array.from(given, exact)) : E
  const unit = given ? exact(multiple) : nc.times(multiple)
  const { largest, candidates } = await largestSquare(problem, shape, groups, signs.on, inputs, D, pause)
  const slope = D.reduce((total, e, k) => total.plus(e.times(y[k]!)), inputs.zero)
  const norm = round(largest).sqrt()
  const quadratic = round(nc.times(squaredNorm(D, inputs.zero)))
  // At lambda = 0 ridge asks for A'r = 0, like a norm.
  const smooth = ridge && !lambda.isZero()
  const curvature = smooth ? quadratic.plus(round(largest).dividedBy(lambda)) : quadratic
  const vertex = slope.greaterThan(0) ? round(slope).dividedBy(curvature) : zero
  const limit = smooth || norm.isZero() ? vertex : lambda.dividedBy(norm)
  const t = vertex.lessThan(limit) ? vertex : limit
  const dual = t.times(slope).minus(t.times(t).times(curvature).dividedBy(2))

  const shown = (value: BigNumber): BigNumber => value.toSignificantDigits(precision)
  const gap = inputs.zero.plus(shown(primal)).minus(shown(dual))
  return {
    precision,
    primal: shown(primal).toString(),
    dual: shown(dual).toString(),
    gap: gap.toString(),
    // The dual value is between 0 and the primal value.
    relativeGap: gap.isZero() ? 0 : round(gap).dividedBy(primal).toNumber(),
    dualNorm: shown(norm.dividedBy(unit)).toString(),
    scale: shown(t.times(unit)).toString(),
    ambiguousGates: signs.ambiguous,
    signChanges: signs.changes,
    candidates,
  }
}

/** Sizes: n rows, d entries of a block (the bias among them), c outputs, P gates. */
interface Shape {
  readonly n: number
  readonly d: number
  readonly c: number
  readonly P: number
}

type Pause = (stage: PreciseProgress['stage'], fraction: number) => Promise<void>

/** The unit roundoff of float64 is half of this. */
const EPSILON = 2 ** -52

/**
 * on[i n + r] = 1[x_r'g_i + g_0 >= 0].
 *
 * The float64 sum of d + 1 terms is off by at most (d + 2) u sum |terms| and d underflows; the bound used is twice that.
 */
async function decideSigns(
  { X, gates }: PreciseProblem,
  { n, P }: Shape,
  patterns: 'exact' | 'float64',
  inputs: Inputs,
  pause: Pause,
): Promise<{ on: Uint8Array; ambiguous: number; changes: number }> {
  const d = X.columns
  const G = gates.vectors
  const on = new Uint8Array(n * P)
  let ambiguous = 0
  let changes = 0
  for (let i = 0; i < P; i++) {
    await pause('patterns', i / P)
    const start = i * G.columns
    const offset = gates.bias ? G.data[start + d]! : 0
    for (let r = 0; r < n; r++) {
      // In the order of a network's prediction, whose signs are the ones compared with.
      let value = 0
      let size = 0
      for (let j = 0; j < d; j++) {
        const term = X.data[r * d + j]! * G.data[start + j]!
        value += term
        size += Math.abs(term)
      }
      value += offset
      size += Math.abs(offset)
      const float = value >= 0
      let sign = float
      // Written so that an overflow, Infinity or NaN, is ambiguous as well.
      if (!(Math.abs(value) > (d + 4) * EPSILON * size + d * 2 ** -1073)) {
        ambiguous++
        sign = inputs.gateValue(r, i).greaterThanOrEqualTo(0)
        if (sign !== float) changes++
      }
      on[i * n + r] = (patterns === 'float64' ? float : sign) ? 1 : 0
    }
  }
  return { on, ambiguous, changes }
}

/** sum_i D_i X U_i, exactly, row by row: the blocks that are on are added first, then multiplied with the row once. */
async function exactFit(
  { n, d, c }: Shape,
  on: Uint8Array,
  inputs: Inputs,
  U: readonly BigNumber[],
  pause: Pause,
): Promise<BigNumber[]> {
  const fit: BigNumber[] = []
  // The gates at which entry (output, feature) is nonzero.
  const nonzero: number[][] = Array.from({ length: c * d }, () => [])
  for (let at = 0; at < U.length; at++) if (!U[at]!.isZero()) nonzero[at % (c * d)]!.push(Math.floor(at / (c * d)))
  for (let r = 0; r < n; r++)
    for (let k = 0; k < c; k++) {
      await pause('fit', r / n)
      let total = inputs.zero
      for (let j = 0; j < d; j++) {
        let weight = inputs.zero
        for (const i of nonzero[k * d + j]!) if (on[i * n + r] === 1) weight = weight.plus(U[(i * c + k) * d + j]!)
        if (!weight.isZero()) total = total.plus(inputs.x(r, j).times(weight))
      }
      fit.push(total)
    }
  return fit
}

/** n v - 1'v per column: the columns centred, times n so that nothing rounds. */
function centred(v: readonly BigNumber[], { n, c }: Shape): BigNumber[] {
  const sums = v.slice(0, c)
  for (let k = c; k < v.length; k++) sums[k % c] = sums[k % c]!.plus(v[k]!)
  return v.map((entry, k) => entry.times(n).minus(sums[k % c]!))
}

function squaredNorm(v: readonly BigNumber[], zero: BigNumber): BigNumber {
  return v.reduce((total, entry) => total.plus(entry.times(entry)), zero)
}

/** The groups of a penalty: entry (gate i, output k, feature j) is in group `of(i, k, j)`. */
interface Groups {
  readonly count: number
  of(i: number, k: number, j: number): number
}

/** How each penalty groups the entries; ridge has one group of everything. */
const groupings: Record<PrecisePenalty, (shape: Shape) => Groups> = {
  'group-l1': ({ P, c }) => ({ count: P * c, of: (i, k) => i * c + k }),
  'joint-group-l1': ({ P }) => ({ count: P, of: (i) => i }),
  l1: ({ P, c, d }) => ({ count: P * c * d, of: (i, k, j) => (i * c + k) * d + j }),
  'feature-group-l1': ({ d }) => ({ count: d, of: (_i, _k, j) => j }),
  ridge: () => ({ count: 1, of: () => 0 }),
}

/** |u_g|^2, exactly, of the groups that are not zero. */
function groupSquares(U: readonly BigNumber[], { c, d }: Shape, groups: Groups): BigNumber[] {
  const squares = new Map<number, BigNumber>()
  U.forEach((value, at) => {
    if (value.isZero()) return
    const group = groups.of(Math.floor(at / (c * d)), Math.floor(at / d) % c, at % d)
    const square = value.times(value)
    squares.set(group, squares.get(group)?.plus(square) ?? square)
  })
  return [...squares.values()]
}

/**
 * max_g |Z_g'D|^2, exactly, of the groups that can attain it.
 *
 * float64 gives every entry z of Z'D up to e_kj = (n + 8) eps sum_r |x_rj D_rk|, whatever the gate; hence every norm up to
 * the norm of the e of its group. Who stays below another's lower end is out.
 */
async function largestSquare(
  problem: PreciseProblem,
  shape: Shape,
  groups: Groups,
  on: Uint8Array,
  inputs: Inputs,
  D: readonly BigNumber[],
  pause: Pause,
): Promise<{ largest: BigNumber; candidates: number }> {
  const { n, d, c, P } = shape
  const chosen = await candidateGroups(problem, shape, groups, on, D, pause)
  // x_rj D_rk, filled as needed.
  const products: BigNumber[] = new Array(n * c * d)
  const squares = new Map<number, BigNumber>()
  for (let i = 0; i < P; i++)
    for (let k = 0; k < c; k++)
      for (let j = 0; j < d; j++) {
        const group = groups.of(i, k, j)
        if (chosen[group] === 0) continue
        await pause('dual norm', i / P)
        let total = inputs.zero
        for (let r = 0; r < n; r++) {
          if (on[i * n + r] === 0) continue
          const at = (r * c + k) * d + j
          total = total.plus((products[at] ??= inputs.x(r, j).times(D[r * c + k]!)))
        }
        squares.set(group, (squares.get(group) ?? inputs.zero).plus(total.times(total)))
      }
  let largest = inputs.zero
  for (const square of squares.values()) if (square.greaterThan(largest)) largest = square
  return { largest, candidates: squares.size }
}

/** 1 for every group whose norm may be the largest, by rigorous float64 bounds. */
async function candidateGroups(
  { X }: PreciseProblem,
  { n, d, c, P }: Shape,
  groups: Groups,
  on: Uint8Array,
  D: readonly BigNumber[],
  pause: Pause,
): Promise<Uint8Array> {
  const rounded = Float64Array.from(D, (value) => value.toNumber())
  const x = (r: number, j: number): number => (j < X.columns ? X.data[r * X.columns + j]! : 1)
  const errors = new Float64Array(c * d)
  let widest = 1
  for (let r = 0; r < n; r++)
    for (let j = 0; j < d; j++) {
      const entry = Math.abs(x(r, j))
      widest = Math.max(widest, entry)
      for (let k = 0; k < c; k++) errors[k * d + j]! += entry * Math.abs(rounded[r * c + k]!)
    }
  // The second term is for products and roundings that underflow.
  for (let kj = 0; kj < errors.length; kj++) errors[kj] = errors[kj]! * (n + 8) * EPSILON + n * 2 ** -1070 * widest
  const values = new Float64Array(groups.count)
  const slacks = new Float64Array(groups.count)
  for (let i = 0; i < P; i++) {
    await pause('dual norm', 0)
    for (let k = 0; k < c; k++)
      for (let j = 0; j < d; j++) {
        let total = 0
        for (let r = 0; r < n; r++) if (on[i * n + r] === 1) total += x(r, j) * rounded[r * c + k]!
        const group = groups.of(i, k, j)
        values[group]! += total * total
        slacks[group]! += errors[k * d + j]! ** 2
      }
  }
  // Sums of squares and their roots round and underflow too.
  const relative = (P * c * d + 8) * EPSILON
  const absolute = 2 ** -500
  const upper = values.map((square, g) => (Math.sqrt(square) + Math.sqrt(slacks[g]!)) * (1 + relative) + absolute)
  let best = 0
  for (let g = 0; g < groups.count; g++) {
    const lower = Math.sqrt(values[g]!) * (1 - relative) - Math.sqrt(slacks[g]!) * (1 + relative) - absolute
    if (lower > best && lower < Number.POSITIVE_INFINITY) best = lower
  }
  // An overflow, Infinity or NaN, stays in.
  return Uint8Array.from(upper, (bound) => (bound < best ? 0 : 1))
}

/** X with its column of ones, and gate values, exactly; every entry is converted once, when first asked for. */
interface Inputs {
  readonly zero: BigNumber
  x(r: number, j: number): BigNumber
  /** x_r'g_i + g_0 */
  gateValue(r: number, i: number): BigNumber
}

function exactInputs({ X, gates }: PreciseProblem, exact: (x: number) => BigNumber): Inputs {
  const entries: BigNumber[] = new Array(X.data.length)
  const weights: BigNumber[] = new Array(gates.vectors.data.length)
  const zero = exact(0)
  const one = exact(1)
  const d = X.columns
  const x = (r: number, j: number): BigNumber => (j < d ? (entries[r * d + j] ??= exact(X.data[r * d + j]!)) : one)
  return {
    zero,
    x,
    gateValue(r, i) {
      let total = zero
      for (let j = 0; j < gates.vectors.columns; j++) {
        const at = i * gates.vectors.columns + j
        total = total.plus((weights[at] ??= exact(gates.vectors.data[at]!)).times(x(r, j)))
      }
      return total
    },
  }
}

/** The constructor behind mathjs's BigNumbers; `clone` makes one with another precision. */
interface Decimals {
  new (value: string | BigNumber): BigNumber
  clone(options: { precision: number }): Decimals
}

/**
 * `exact` turns a float64 into a decimal, and sums and products of such decimals do not round; `round` moves a decimal to
 * where they do. A float64 has its last decimal at 1e-1074 and at most 309 before the point, and no more than six are
 * multiplied here: 9000 digits hold everything, of which ordinary data use some 200.
 */
async function arithmetic(precision: number): Promise<{
  exact: (x: number) => BigNumber
  round: (value: BigNumber) => BigNumber
}> {
  const { create, BigNumberDependencies } = await import('mathjs').catch((cause: unknown) => {
    throw new Error('preciseCertificate: mathjs, an optional part, is missing; run npm install mathjs.', { cause })
  })
  const math = create({ BigNumberDependencies }, { number: 'BigNumber', precision: precision + 16 })
  const Rounding = (math as unknown as { BigNumber: Decimals }).BigNumber
  const Exact = Rounding.clone({ precision: 9000 })
  return {
    // x = m 2^-h = m 5^h 10^-h. `new Decimal(x)` would take the shortest decimal that reads as x, which is another number.
    exact(x) {
      let m = x
      let h = 0
      for (; !Number.isInteger(m); h++) m *= 2
      return new Exact(`${BigInt(m) * 5n ** BigInt(h)}e-${h}`)
    },
    round: (value) => new Rounding(value),
  }
}

/** Every 16 ms: reports, gives the event loop a turn, and throws the signal's reason when it was aborted. */
function pacer(signal: AbortSignal | undefined, onProgress: PreciseOptions['onProgress']): Pause {
  let since = performance.now()
  return async (stage, fraction) => {
    if (performance.now() - since < 16) return
    onProgress?.({ stage, fraction })
    await new Promise((resolve) => setTimeout(resolve, 0))
    signal?.throwIfAborted()
    since = performance.now()
  }
}

function check(problem: PreciseProblem, coefficients: Vector, precision: number, dual: Vector | undefined): Shape {
  const { X, Y, gates, lambda, penalty = 'group-l1', bias = false } = problem
  if (typeof bias !== 'boolean' && bias !== 'unpenalised')
    throw new RangeError(
      `preciseCertificate: bias is ${given(bias)}, expected true, false or "unpenalised"; pass the program's.`,
    )
  const shape = { n: X.rows, d: X.columns + (bias === true ? 1 : 0), c: Y.columns, P: gates.vectors.rows }
  const expected = shape.P * shape.c * shape.d
  if (X.rows === 0 || Y.rows !== X.rows)
    throw new RangeError(
      `preciseCertificate: Y has ${Y.rows} rows and X has ${X.rows}; pass one row of targets per row of X.`,
    )
  if (gates.vectors.columns !== X.columns + (gates.bias ? 1 : 0))
    throw new RangeError(
      `preciseCertificate: a gate has ${gates.vectors.columns} entries and X has ${X.columns} columns; pass gates of this X.`,
    )
  if (coefficients.length !== expected)
    throw new RangeError(
      `preciseCertificate: there are ${coefficients.length} coefficients, expected ${expected} for ${shape.P} gates, ${shape.c} outputs and ${shape.d} weights each; pass a point of this program.`,
    )
  if (dual !== undefined && dual.length !== X.rows * Y.columns)
    throw new RangeError(
      `preciseCertificate: the dual point has ${dual.length} entries, expected ${X.rows * Y.columns}; pass one per target.`,
    )
  requireFinite(X, 'preciseCertificate', 'X')
  requireFinite(Y, 'preciseCertificate', 'Y')
  requireFinite(gates.vectors, 'preciseCertificate', 'gates.vectors')
  for (const [name, vector] of [
    ['coefficient', coefficients],
    ['dual entry', dual ?? new Float64Array(0)],
  ] as const) {
    const bad = vector.findIndex((entry) => !Number.isFinite(entry))
    if (bad >= 0)
      throw new RangeError(`preciseCertificate: ${name} ${bad} is ${vector[bad]}; pass a point that is finite.`)
  }
  if (!(lambda >= 0) || !Number.isFinite(lambda))
    throw new RangeError(
      `preciseCertificate: lambda is ${given(lambda)}, expected a number of at least 0; pass the program's.`,
    )
  if (!Object.hasOwn(groupings, penalty))
    throw new RangeError(
      `preciseCertificate: penalty is '${penalty}', expected one of ${Object.keys(groupings).join(', ')}; pass a name.`,
    )
  if (!Number.isInteger(precision) || precision < 16 || precision > 5000)
    throw new RangeError(
      `preciseCertificate: precision is ${precision}, expected a whole number of digits from 16 to 5000; pass for example 64.`,
    )
  return shape
}
