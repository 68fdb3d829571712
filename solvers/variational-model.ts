import type { Backend } from '../src/numerics/backend.ts'
import { gatherBlocks } from '../src/numerics/blocks.ts'
import { transpose } from '../src/numerics/products.ts'
import { solveTriangle } from '../src/numerics/triangular.ts'
import { dot, norm, plus } from '../src/numerics/vectors.ts'
import type { BlockMaps, Vector } from '../src/types.ts'

/**
 * M(eta) = I + sum_b eta_b A_b A_b' and what Newton's method on eta asks of it, for the targets y_1 ... y_m.
 *
 * One factor is held at a time, in whichever form is cheaper: M itself (n x n) or, when few blocks have a weight,
 * B = I + S'S with S = [sqrt(eta_b) A_b], k d x k d, by M^-1 = I - S B^-1 S'. A small move of the weights is followed by
 * conjugate gradients, with the factor of where it came from as their preconditioner; the next Hessian factors anew.
 */
export interface VariationalModel {
  /** theta_k = M^-1 y_k at the present weights. */
  readonly theta: readonly Vector[]
  /** sum_k y_k' M^-1 y_k / 2 */
  readonly value: number
  /**
   * Moves to these weights; `near` when they are close to the last ones. False when rounding leaves M indefinite: theta and
   * value are then still those of the last weights, and the next move must be one.
   */
  move(blocks: Int32Array, weights: Vector, near: boolean): boolean
  /**
   * H_ij = sum_k z_ik' M^-1 z_jk for z_ik = A_i A_i' theta_k, full (f x f), where row i of `correlations[k]` is A_i' theta_k.
   * Undefined when M cannot be factored.
   */
  hessian(blocks: Int32Array, correlations: readonly Vector[]): Vector | undefined
}

/** Conjugate gradients after a small move: the residual they end at, relative, and the most iterations they may take. */
const ACCURACY = 1e-14
const MOST = 16
/** A system in place of a factorisation is worth trying from this order on. */
const WORTH = 200
/** Below this share of n, k d columns are cheaper to factor than n rows. */
const PRIMAL = 0.9
/** Bytes of A_b'A_c that are kept. */
const GRAMS = 2 ** 28

export function variationalModel(backend: Backend, maps: BlockMaps, targets: readonly Vector[]): VariationalModel {
  const { rows: n, size: d } = maps
  const none = { blocks: new Int32Array(0), weights: new Float64Array(0) }
  // at: the present weights, those above zero · held: those of the factor · order: of L, 0 for M = I · dual: L is M's factor
  let at: Weights = none
  let held: Weights = none
  let order = 0
  let dual = false
  let L: Vector = new Float64Array(0)
  let theta: readonly Vector[] = targets.map((y) => y.slice())
  let value = targets.reduce((total, y) => total + dot(y, y), 0) / 2
  const gram = gramCache(maps)

  /** A square of this order, in memory that is kept. */
  const square = (size: number): Vector => {
    if (L.length < size * size) L = new Float64Array(size * size)
    return L.subarray(0, size * size)
  }

  const factorDual = ({ blocks, weights }: Weights): boolean => {
    const M = square(n)
    maps.kernel(blocks, weights, M)
    for (let r = 0; r < n; r++) M[r * n + r]! += 1
    order = n
    return backend.cholesky(n, M, n) === n
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
    order = q
    return backend.cholesky(q, B, q) === q
  }

  const factor = (wanted: Weights): boolean => {
    dual = wanted.blocks.length * d >= PRIMAL * n
    order = 0
    held = none
    if (wanted.blocks.length > 0 && !(dual ? factorDual(wanted) : factorPrimal(wanted))) {
      order = 0
      return false
    }
    held = wanted
    return true
  }

  /** x <- M^-1 x for the M that the factor is of. */
  const solveHeld = (x: Vector): void => {
    if (order === 0) return
    const inner = dual ? x : scaleRows(maps.correlations(held.blocks, x), held.weights, d, Math.sqrt)
    solveTriangle(false, order, L, inner)
    solveTriangle(true, order, L, inner)
    if (!dual) addImages(held.blocks, scaleRows(inner, held.weights, d, Math.sqrt), -1, x)
  }

  /** x += factor sum_b A_b v_b */
  const addImages = (blocks: Int32Array, vectors: Vector, factor: number, x: Vector): void => {
    const images = maps.images(blocks, vectors)
    for (let i = 0; i < images.length; i += n) for (let r = 0; r < n; r++) x[r]! += factor * images[i + r]!
  }

  /** M x at the weights given. */
  const times = ({ blocks, weights }: Weights, x: Vector): Vector => {
    const product = x.slice()
    if (blocks.length > 0) addImages(blocks, scaleRows(maps.correlations(blocks, x), weights, d), 1, product)
    return product
  }

  /** M^-1 y by the factor of this M, refined once: the factor's rounding grows with |M|, that of y - M theta does not. */
  const solved = (y: Vector): Vector => {
    const x = y.slice()
    if (order === 0) return x
    solveHeld(x)
    const product = times(held, x)
    const rest = y.map((entry, r) => entry - product[r]!)
    solveHeld(rest)
    return plus(x, 1, rest, x)
  }

  /** M^-1 y for another M near the factor's, by preconditioned conjugate gradients from x; undefined when that takes long. */
  const followed = (wanted: Weights, y: Vector, from: Vector): Vector | undefined => {
    const x: Vector = from.slice()
    const product = times(wanted, x)
    const residual = y.map((entry, r) => entry - product[r]!)
    const goal = ACCURACY * norm(y)
    let conditioned: Vector = residual.slice()
    solveHeld(conditioned)
    let search: Vector = conditioned.slice()
    let size = dot(residual, conditioned)
    for (let k = 0; norm(residual) > goal; k++) {
      if (k === MOST) return undefined
      const image = times(wanted, search)
      const t = size / dot(search, image)
      if (!(t > 0)) return undefined
      plus(x, t, search, x)
      plus(residual, -t, image, residual)
      conditioned = residual.slice()
      solveHeld(conditioned)
      const next = dot(residual, conditioned)
      search = plus(conditioned, next / size, search, search)
      size = next
    }
    return x
  }

  const settle = (wanted: Weights, next: readonly Vector[]): true => {
    at = wanted
    theta = next
    value = next.reduce((total, one, k) => total + dot(one, targets[k]!), 0) / 2
    return true
  }

  return {
    get theta() {
      return theta
    },
    get value() {
      return value
    },
    move(blocks, weights, near) {
      const wanted = {
        blocks: blocks.filter((_, i) => weights[i]! > 0),
        weights: weights.filter((weight) => weight > 0),
      }
      if (near && order >= WORTH) {
        const next = targets.map((y, k) => followed(wanted, y, theta[k]!))
        if (next.every((one) => one !== undefined)) return settle(wanted, next)
      }
      return factor(wanted) && settle(wanted, targets.map(solved))
    },
    hessian(chosen, correlations) {
      if (held !== at && !factor(at)) return undefined
      const f = chosen.length
      const H = new Float64Array(f * f)
      for (const vectors of correlations)
        if (order === 0 || dual) {
          // H = (L^-1 Z)'(L^-1 Z)
          const Z = transpose(maps.images(chosen, vectors), f, n)
          if (order > 0) backend.triangularSolve(false, n, f, L, n, Z, f)
          backend.syrk(true, f, n, 1, Z, f, 1, H, f)
        } else addPrimal(chosen, vectors, H)
      for (let i = 0; i < f; i++) for (let j = 0; j < i; j++) H[j * f + i] = H[i * f + j]!
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
    backend.triangularSolve(false, q, f, L, q, T, f)
    const TT = new Float64Array(f * f)
    backend.syrk(true, f, q, 1, T, f, 0, TT, f)
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
