import type { Backend, Floats } from '../src/numerics/backend.ts'
import { gatherBlocks } from '../src/numerics/blocks.ts'
import { transpose } from '../src/numerics/products.ts'
import { mirrorLower, solveTriangle } from '../src/numerics/triangular.ts'
import { dot, norm, plus } from '../src/numerics/vectors.ts'
import type { BlockMaps, LinearOperator, Vector } from '../src/types.ts'

/**
 * M(eta) = I + sum_b eta_b A_b A_b' and what Newton's method on eta asks of it, for the targets y_1 ... y_m.
 *
 * One factor is held at a time, in whichever form is cheaper: M itself (n x n) or, when few blocks have a weight,
 * B = I + S'S with S = [sqrt(eta_b) A_b], k d x k d, by M^-1 = I - S B^-1 S'. A small move of the weights is followed by
 * conjugate gradients, with the factor of where it came from as their preconditioner; the next Hessian factors anew.
 */
export interface VariationalModel {
  /** theta_k = M^-1 y_k at the present weights, up to what `move` was asked for. */
  readonly theta: readonly Vector[]
  /** y_k - M theta_k: with u_b = eta_b A_b'theta the residual of the fit is theta + rest, whatever theta is. */
  readonly rest: readonly Vector[]
  /** sum_k y_k' M^-1 y_k / 2, up to |rest|^2 / 2 */
  readonly value: number
  /** Of the factor, 0 for M = I. */
  readonly order: number
  /** What an iteration of conjugate gradients left of the residual, in the mean of the last move: how far M is from the factor's. */
  readonly drift: number
  /**
   * Moves to these weights; `near` when they are close to the last ones, and so is theta, or `from`. Systems are solved to
   * |rest| <= accuracy |y|. False when rounding leaves M indefinite: theta and value are then still those of the last
   * weights, and the next move must be one.
   */
  move(blocks: Int32Array, weights: Vector, near: boolean, accuracy: number, from?: readonly Vector[]): boolean
  /**
   * H_ij = sum_k z_ik' M^-1 z_jk for z_ik = A_i A_i' theta_k, full (f x f), where row i of `correlations[k]` is A_i' theta_k.
   * With `reuse` the factor may be that of weights a small move away. Undefined when M cannot be factored.
   */
  hessian(blocks: Int32Array, correlations: readonly Vector[], reuse: boolean): Vector | undefined
}

/** Conjugate gradients: the least residual asked for, relative, and the most iterations with a factor made elsewhere, and here. */
const ACCURACY = 1e-14
const MOST = 16
const MOST_HERE = { single: 24, double: 3 }
/** A system in place of a factorisation, and a factor in float32, are worth trying from this order on. */
const WORTH = 200
/** Below this share of n, k d columns are cheaper to factor than n rows. */
const PRIMAL = 0.9
/** Bytes of A_b'A_c that are kept. */
const GRAMS = 2 ** 28

export function variationalModel(
  backend: Backend,
  { maps, gathered }: { maps: BlockMaps; gathered?: ((blocks: Int32Array) => LinearOperator) | undefined },
  targets: readonly Vector[],
): VariationalModel {
  const { rows: n, size: d } = maps
  const none = { blocks: new Int32Array(0), weights: new Float64Array(0) }
  // at: the present weights, those above zero · held: those of the factor · order: of L, 0 for M = I · dual: L is M's factor
  // single: float32 will do so far · inSingle: the factor is of float32 · L: the factor, unless it is kept where it was made
  let at: Weights = none
  let held: Weights = none
  let order = 0
  let dual = false
  let single = true
  let inSingle = false
  let L: Floats = new Float64Array(0)
  let squares = { double: new Float64Array(0), single: new Float32Array(0) }
  let theta: readonly Vector[] = targets.map((y) => y.slice())
  let rest: readonly Vector[] = targets.map(() => new Float64Array(n))
  let value = targets.reduce((total, y) => total + dot(y, y), 0) / 2
  let drift = 1
  const gram = gramCache(maps)
  const kept = maps.factor?.()

  /** A square of this order, in memory that is kept. */
  const square = (size: number): Vector => {
    if (squares.double.length < size * size) squares = { ...squares, double: new Float64Array(size * size) }
    return squares.double.subarray(0, size * size)
  }

  /** The lower triangle of a square, rounded to float32. */
  const rounded = (size: number, A: Vector): Float32Array => {
    if (squares.single.length < size * size) squares = { ...squares, single: new Float32Array(size * size) }
    const to = squares.single.subarray(0, size * size)
    for (let r = 0; r < size; r++) to.set(A.subarray(r * size, r * size + r + 1), r * size)
    return to
  }

  /** L <- the factor of A; A may be overwritten. */
  const factorOf = (size: number, A: Vector): boolean => {
    L = inSingle ? rounded(size, A) : A
    return backend.cholesky(size, L, size) === size
  }

  const factorDual = ({ blocks, weights }: Weights): boolean => {
    if (kept) return kept.factor(blocks, weights, inSingle)
    const M = square(n)
    maps.kernel(blocks, weights, M)
    for (let r = 0; r < n; r++) M[r * n + r]! += 1
    return factorOf(n, M)
  }

  const factorPrimal = ({ blocks, weights }: Weights): boolean => {
    const q = blocks.length * d
    const B = square(q)
    for (let i = 0; i < blocks.length; i++)
      for (let j = 0; j <= i; j++) {
        const G = gram(blocks[i]!, blocks[j]!)
        const scale = Math.sqrt(weights[i]! * weights[j]!)
        for (let a = 0; a < d; a++) for (let c = 0; c < d; c++) B[(i * d + a) * q + j * d + c] = scale * G[a * d + c]!
      }
    for (let a = 0; a < q; a++) B[a * q + a]! += 1
    return factorOf(q, B)
  }

  const factor = (wanted: Weights): boolean => {
    dual = wanted.blocks.length * d >= PRIMAL * n
    const size = wanted.blocks.length === 0 ? 0 : dual ? n : wanted.blocks.length * d
    inSingle = single && size >= WORTH
    order = 0
    held = none
    if (size > 0 && !(dual ? factorDual(wanted) : factorPrimal(wanted))) {
      single = false
      return inSingle && factor(wanted)
    }
    order = size
    held = wanted
    return true
  }

  /** Forgets a factor that has lost its place. */
  const checkFactor = (): void => {
    if (order === 0 || !dual || !kept || kept.stands) return
    order = 0
    held = none
  }

  /** These numbers in the precision of the factor. */
  const precision = (numbers: Vector): Floats => (inSingle ? Float32Array.from(numbers) : numbers)

  const solveFactor = (transposed: boolean, x: Vector): void => {
    if (dual && kept) kept.solve(transposed, x)
    else solveTriangle(transposed, order, L, x)
  }

  /** x <- M^-1 x for the M that the factor is of. */
  const solveHeld = (x: Vector): void => {
    if (order === 0) return
    const inner = dual ? x : scaleRows(maps.correlations(held.blocks, x), held.weights, d, Math.sqrt)
    solveFactor(false, inner)
    solveFactor(true, inner)
    if (!dual) addImages(held.blocks, scaleRows(inner, held.weights, d, Math.sqrt), -1, x)
  }

  /** x += factor sum_b A_b v_b */
  const addImages = (blocks: Int32Array, vectors: Vector, factor: number, x: Vector): void => {
    const images = maps.images(blocks, vectors)
    for (let i = 0; i < images.length; i += n) for (let r = 0; r < n; r++) x[r]! += factor * images[i + r]!
  }

  /** x -> M x at the weights given. */
  const multiplier = ({ blocks, weights }: Weights): ((x: Vector) => Vector) => {
    const some = blocks.length > 0 ? gathered?.(blocks) : undefined
    return (x) => {
      const product = x.slice()
      if (blocks.length === 0) return product
      const scaled = scaleRows(maps.correlations(blocks, x), weights, d)
      if (some) plus(product, 1, some.apply(scaled), product)
      else addImages(blocks, scaled, 1, product)
      return product
    }
  }

  /**
   * M^-1 y by conjugate gradients from x, preconditioned by the factor, of this M or of one near it: a factor's rounding
   * grows with |M|, that of y - M theta does not. Undefined when it takes more than `most`, unless that is `enough`.
   */
  const solved = (
    times: (x: Vector) => Vector,
    y: Vector,
    from: Vector | undefined,
    accuracy: number,
    most: number,
    enough: boolean,
  ): { x: Vector; rest: Vector; left: number } | undefined => {
    const x = from?.slice() ?? new Float64Array(n)
    const residual = from ? plus(y, -1, times(x)) : y.slice()
    const goal = Math.max(ACCURACY, accuracy) * norm(y)
    let search: Vector = new Float64Array(n)
    let size = 1
    const first = norm(residual)
    let k = 0
    const answer = (): { x: Vector; rest: Vector; left: number } => ({
      x,
      rest: residual,
      left: k > 0 ? (norm(residual) / first) ** (1 / k) : 0,
    })
    for (; norm(residual) > goal; k++) {
      if (k === most) {
        if (!enough) return undefined
        break
      }
      const conditioned = residual.slice()
      solveHeld(conditioned)
      const next = dot(residual, conditioned)
      search = k === 0 ? conditioned : plus(conditioned, next / size, search, search)
      size = next
      const image = times(search)
      const t = size / dot(search, image)
      if (!(t > 0)) return enough ? answer() : undefined
      plus(x, t, search, x)
      plus(residual, -t, image, residual)
    }
    return answer()
  }

  /** theta at these weights; false when the factor at hand does not lead there. */
  const settled = (wanted: Weights, from: readonly Vector[] | undefined, accuracy: number, most: number): boolean => {
    const times = multiplier(wanted)
    const enough = from === undefined && !inSingle
    const next = targets.map((y, k) => solved(times, y, from?.[k], accuracy, most, enough))
    if (!next.every((one) => one !== undefined)) return false
    at = wanted
    theta = next.map(({ x }) => x)
    rest = next.map((one) => one.rest)
    drift = Math.max(...next.map((one) => one.left))
    value = 0
    targets.forEach((y, k) => {
      value += (dot(theta[k]!, y) + dot(theta[k]!, rest[k]!)) / 2
    })
    return true
  }

  return {
    get theta() {
      return theta
    },
    get rest() {
      return rest
    },
    get value() {
      return value
    },
    get order() {
      return order
    },
    get drift() {
      return drift
    },
    move(blocks, weights, near, accuracy, from = theta) {
      const wanted = {
        blocks: blocks.filter((_, i) => weights[i]! > 0),
        weights: weights.filter((weight) => weight > 0),
      }
      checkFactor()
      if (near && order >= WORTH && settled(wanted, from, accuracy, MOST)) return true
      if (!factor(wanted)) return false
      if (!inSingle) return settled(wanted, undefined, accuracy, MOST_HERE.double)
      if (settled(wanted, undefined, accuracy, MOST_HERE.single)) return true
      single = false
      return factor(wanted) && settled(wanted, undefined, accuracy, MOST_HERE.double)
    },
    hessian(chosen, correlations, reuse) {
      checkFactor()
      if (held !== at && (!reuse || held === none) && !factor(at)) return undefined
      const f = chosen.length
      const H = new Float64Array(f * f)
      for (const vectors of correlations)
        if (order > 0 && dual && kept) kept.addProducts(chosen, vectors, H)
        else if (order === 0 || dual) {
          // H = (L^-1 Z)'(L^-1 Z)
          const Z = precision(transpose(maps.images(chosen, vectors), f, n))
          if (order > 0) backend.triangularSolve(false, n, f, L, n, Z, f)
          addGram(backend, f, n, Z, H)
        } else addPrimal(chosen, vectors, H)
      mirrorLower(f, H)
      return H
    },
  }

  /**
   * H += z_i' M^-1 z_j without its cancellation: a weighted block has z_i = S e_i with e_i = A_i'theta / sqrt(eta_i) in the
   * place of block i, so that with T = L^-1 [e | S'z]
   *
   *     both weighted: e_i'(I - B^-1) e_j = e_i'e_j - T_i'T_j    one: e_i' B^-1 S'z_j = T_i'T_j    none: z_i'z_j - T_i'T_j
   */
  function addPrimal(chosen: Int32Array, vectors: Vector, H: Vector): void {
    const { blocks, weights } = held
    const f = chosen.length
    const q = order
    const place = new Map(Array.from(blocks, (b, i) => [b, i]))
    const T = new Float64Array(q * f)
    const newcomers: number[] = []
    for (let i = 0; i < f; i++) {
      const at = place.get(chosen[i]!)
      if (at === undefined) newcomers.push(i)
      else for (let a = 0; a < d; a++) T[(at * d + a) * f + i] = vectors[i * d + a]! / Math.sqrt(weights[at]!)
    }
    const Z = maps.images(
      Int32Array.from(newcomers, (i) => chosen[i]!),
      gatherBlocks(vectors, Int32Array.from(newcomers), d),
    )
    newcomers.forEach((i, w) => {
      const back = maps.correlations(blocks, Z.subarray(w * n, (w + 1) * n))
      for (let a = 0; a < q; a++) T[a * f + i] = Math.sqrt(weights[Math.floor(a / d)]!) * back[a]!
    })
    const TT = new Float64Array(f * f)
    const solved = precision(T)
    backend.triangularSolve(false, q, f, L, q, solved, f)
    addGram(backend, f, q, solved, TT)
    const isNew = new Int32Array(f).fill(-1)
    newcomers.forEach((i, w) => {
      isNew[i] = w
    })
    const w = newcomers.length
    const ZZ = new Float64Array(w * w)
    if (w > 0) backend.syrk(false, w, n, 1, Z, n, 0, ZZ, w)
    for (let i = 0; i < f; i++)
      for (let j = 0; j <= i; j++) {
        const inner = TT[i * f + j]!
        const [vi, wj] = [isNew[i]!, isNew[j]!]
        if (vi >= 0 && wj >= 0) H[i * f + j]! += ZZ[Math.max(vi, wj) * w + Math.min(vi, wj)]! - inner
        else if (vi >= 0 || wj >= 0) H[i * f + j]! += inner
        else {
          let own = 0
          if (i === j) for (let a = 0; a < d; a++) own += vectors[i * d + a]! ** 2 / weights[place.get(chosen[i]!)!]!
          H[i * f + j]! += own - inner
        }
      }
  }
}

/** The lower triangle of H += Z'Z for Z of n x f. */
function addGram(backend: Backend, f: number, n: number, Z: Floats, H: Vector): void {
  if (Z instanceof Float64Array) {
    backend.syrk(true, f, n, 1, Z, f, 1, H, f)
    return
  }
  const part = new Float32Array(f * f)
  backend.syrk(true, f, n, 1, Z, f, 0, part, f)
  for (let i = 0; i < f; i++) for (let j = 0; j <= i; j++) H[i * f + j]! += part[i * f + j]!
}

/** Blocks and their weights, all above zero. */
interface Weights {
  readonly blocks: Int32Array
  readonly weights: Vector
}

/** Rows of d entries, each times (a function of) its scale, in place. */
function scaleRows(rows: Vector, scales: Vector, d: number, of: (scale: number) => number = (scale) => scale): Vector {
  for (let i = 0; i < scales.length; i++) {
    const scale = of(scales[i]!)
    for (let k = i * d; k < (i + 1) * d; k++) rows[k]! *= scale
  }
  return rows
}

/** A_b'A_c, computed once each while they fit. */
function gramCache(maps: BlockMaps): (b: number, c: number) => Vector {
  const kept = new Map<number, Vector>()
  const most = Math.floor(GRAMS / (8 * maps.size * maps.size))
  return (b, c) => {
    const key = b * maps.count + c
    const known = kept.get(key)
    if (known) return known
    const G = maps.gram(b, c)
    if (kept.size >= most) kept.clear()
    kept.set(key, G)
    return G
  }
}
