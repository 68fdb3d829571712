import type { Backend } from '../src/numerics/backend.ts'
import { blockNorm } from '../src/numerics/blocks.ts'
import { dot, plus, squaredNorm } from '../src/numerics/vectors.ts'
import type { BlockCones, BlockMaps, Vector } from '../src/types.ts'
import { faceModel } from './face-model.ts'

/**
 * Multipliers eta of a working set of m blocks and a dual point theta, for one output of coneNewton's program, with all that
 * belongs to them. Whoever changes `eta` or `theta` calls `evaluate`.
 */
export interface ConeIterate {
  eta: Vector
  theta: Vector
  /** Of the constraints g_b <= lambda that blocks without a weight are near to or not. */
  lambda: number
  readonly chosen: Int32Array
  /** The penalty counts the blocks of all outputs: which cone is this output's of a block. */
  coneOf(block: number): number
  /** P_b(A_b'theta), m x d. */
  readonly points: Vector
  /** Their norms g_b, or where a block was not projected some upper bound of it. */
  readonly lengths: Vector
  /** Whether a block was projected, as those with a weight are, and those without where they may matter: others count as zero. */
  readonly projected: Uint8Array
  /** z_b = A_b P_b(A_b'theta), m x n. */
  readonly images: Vector
  /** y - sum_b eta_b z_b: what the network v_b = eta_b P_b(A_b'theta) leaves of the target. */
  readonly residual: Vector
  /** sum_b |v_b| */
  readonly size: number
  /**
   * Takes up a working set with its multipliers; the coefficients of all other blocks become zero. Of blocks that were on the
   * last one, what is known at the same theta is kept; of others, `projection` may know the point P_b(A_b'theta).
   */
  choose(blocks: Int32Array, eta: Vector, projection?: (block: number) => Vector | undefined): void
  evaluate(): void
  /** The network into the coefficients. */
  write(): void
  /**
   * M = I + sum_b eta_b A_b N_b'N_b A_b' for the faces that the blocks are on, in factored form; false where rounding leaves
   * it none. The faces are those where a block was last projected: to be asked for after `evaluate` or `choose`.
   */
  factor(): boolean
  /** M^-1 x */
  solve(x: Vector): Vector
  /** Z M^-1 Z', Z the images: m x m, with 1 on the diagonal of a block whose point is zero, so that it ends without a weight. */
  hessian(): Vector
  /** Z x */
  times(x: Vector): Vector
  /** x + Z'w, in place. */
  addCombination(w: Vector, x: Vector): Vector
}

/** The share of lambda up to which a block without a weight is as good as zero. */
const NEAR = 0.9

export function coneIterate({
  backend,
  maps,
  cones,
  output,
  target: y,
  coefficients,
}: {
  backend: Backend
  maps: BlockMaps
  cones: BlockCones
  output: number
  target: Vector
  /** Of all outputs: where `write` puts the network. */
  coefficients: Vector
}): ConeIterate {
  const { rows: n, size: d } = maps
  const model = faceModel(backend, n)
  const coneOf = (block: number): number => maps.start(block, output) / d
  // Of the blocks on the working set, the images A_b N_b' of the faces they are on.
  const faces = new Map<number, { version: number; images: Vector }>()
  let m = 0
  /** Where the points, lengths and images are of. */
  let evaluated: Vector | undefined

  const blocksAt = (places: readonly number[]): Int32Array => Int32Array.from(places, (i) => point.chosen[i]!)

  /** Projects the blocks at these places. */
  const project = (places: readonly number[]): void => {
    const { eta, theta, points, lengths, projected } = point
    const blocks = blocksAt(places)
    const inputs = maps.correlations(blocks, theta)
    for (let q = 0; q < places.length; q++) {
      const i = places[q]!
      // A block without a weight that stays this far inside is not needed.
      const enough = eta[i]! > 0 ? 0 : NEAR * point.lambda
      lengths[i] = cones.project(coneOf(blocks[q]!), inputs, q * d, points, i * d, enough)
      projected[i] = lengths[i]! > enough ? 1 : 0
      if (!projected[i]) points.fill(0, i * d, (i + 1) * d)
    }
  }

  /** Images of the points at these places. */
  const map = (places: readonly number[]): void => {
    const { chosen, points, images } = point
    if (places.length === m) {
      maps.images(chosen, points, images)
      return
    }
    const vectors = new Float64Array(places.length * d)
    places.forEach((i, q) => {
      vectors.set(points.subarray(i * d, (i + 1) * d), q * d)
    })
    const rows = maps.images(blocksAt(places), vectors)
    places.forEach((i, q) => {
      images.set(rows.subarray(q * n, (q + 1) * n), i * n)
    })
  }

  /** What the multipliers make of points and images. */
  const addUp = (): void => {
    point.size = dot(point.eta, point.lengths)
    point.residual.set(y)
    if (m > 0) backend.gemv(true, m, n, -1, point.images, n, point.eta, 1, point.residual)
    evaluated = point.theta
  }

  const updateFaces = (active: readonly number[]): void => {
    const blocks: number[] = []
    const bases: Vector[] = []
    for (const i of active) {
      const b = point.chosen[i]!
      const { basis, version } = cones.face(coneOf(b))
      if (faces.get(b)?.version === version) continue
      faces.set(b, { version, images: new Float64Array((basis.length / d) * n) })
      for (let k = 0; k < basis.length; k += d) {
        blocks.push(b)
        bases.push(basis.subarray(k, k + d))
      }
    }
    const vectors = new Float64Array(bases.length * d)
    bases.forEach((basis, q) => {
      vectors.set(basis, q * d)
    })
    const rows = maps.images(Int32Array.from(blocks), vectors)
    for (let q = 0, within = 0; q < blocks.length; q++) {
      within = q > 0 && blocks[q] === blocks[q - 1] ? within + 1 : 0
      faces.get(blocks[q]!)!.images.set(rows.subarray(q * n, (q + 1) * n), within * n)
    }
  }

  const point = {
    chosen: new Int32Array(0) as Int32Array,
    coneOf,
    eta: new Float64Array(0) as Vector,
    theta: y.slice() as Vector,
    lambda: 0,
    points: new Float64Array(0) as Vector,
    lengths: new Float64Array(0) as Vector,
    projected: new Uint8Array(0),
    images: new Float64Array(0) as Vector,
    residual: y.slice() as Vector,
    size: 0,
    choose(blocks: Int32Array, eta: Vector, projection?: (block: number) => Vector | undefined): void {
      const { points, lengths, projected, images } = point
      const known = new Map<number, number>()
      point.chosen.forEach((b, i) => {
        coefficients.fill(0, maps.start(b, output), maps.start(b, output) + d)
        if (projected[i] && evaluated === point.theta) known.set(b, i)
      })
      point.chosen = blocks
      point.eta = eta
      m = blocks.length
      point.points = new Float64Array(m * d)
      point.lengths = new Float64Array(m)
      point.projected = new Uint8Array(m)
      point.images = new Float64Array(m * n)
      const kept = new Set(blocks)
      for (const b of faces.keys()) if (!kept.has(b)) faces.delete(b)
      const fresh: number[] = []
      const unknown: number[] = []
      blocks.forEach((b, i) => {
        const from = known.get(b)
        if (from === undefined) {
          fresh.push(i)
          const found = projection?.(b)
          if (!found) {
            unknown.push(i)
            return
          }
          point.points.set(found, i * d)
          point.lengths[i] = blockNorm(found, 0, d)
          point.projected[i] = 1
          return
        }
        point.points.set(points.subarray(from * d, (from + 1) * d), i * d)
        point.images.set(images.subarray(from * n, (from + 1) * n), i * n)
        point.lengths[i] = lengths[from]!
        point.projected[i] = 1
      })
      project(unknown)
      map(fresh)
      addUp()
    },
    evaluate(): void {
      const everywhere = Array.from(point.chosen.keys())
      project(everywhere)
      map(everywhere)
      addUp()
    },
    write(): void {
      point.chosen.forEach((b, i) => {
        const start = maps.start(b, output)
        for (let j = 0; j < d; j++) coefficients[start + j] = point.eta[i]! * point.points[i * d + j]!
      })
    },
    factor(): boolean {
      const active = Array.from(point.eta.keys()).filter((i) => point.eta[i]! > 0)
      updateFaces(active)
      return model.factor(
        active.map((i) => faces.get(point.chosen[i]!)!.images),
        active.map((i) => point.eta[i]!),
      )
    },
    solve: model.solve,
    hessian(): Vector {
      const H = model.hessian(point.images, m)
      for (let i = 0; i < m; i++) if (!(H[i * m + i]! > 0)) H[i * m + i] = 1
      return H
    },
    times(x: Vector): Vector {
      const out = new Float64Array(m)
      if (m > 0) backend.gemv(false, m, n, 1, point.images, n, x, 0, out)
      return out
    },
    addCombination(w: Vector, x: Vector): Vector {
      if (m > 0) backend.gemv(true, m, n, 1, point.images, n, w, 1, x)
      return x
    },
  }
  return point
}

/** |residual|^2 / 2 + lambda sum_b |v_b| */
export function primalAt({ residual, size }: ConeIterate, lambda: number): number {
  return squaredNorm(residual) / 2 + lambda * size
}

/** theta - residual: the gradient in theta of |theta|^2 / 2 - y'theta + sum_b eta_b g_b(theta)^2 / 2. */
export function slopeAt({ theta, residual }: ConeIterate): Vector {
  return plus(theta, -1, residual)
}
