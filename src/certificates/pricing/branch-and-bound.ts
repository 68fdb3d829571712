import type { Matrix, Vector } from '../../types.ts'
import { minNormPoint } from './min-norm-point.ts'
import { neuronAscent, neuronPrice, type Priced } from './neuron-ascent.ts'

export interface BranchAndBoundOptions {
  /** Cones whose bound is at most this, or at most the highest price found, are done with. */
  readonly target: number
  /** Cones to bound at most. */
  readonly maxNodes: number
  /** Ends soon after something above this is found (default: never). */
  readonly stopAbove?: number
  /** Directions to climb from first. */
  readonly starts?: readonly Vector[]
}

export interface Bounded {
  /** max { r'(Xu)_+ : |u| <= 1 } is at most this, for certain up to rounding. */
  readonly upper: number
  /** What was found: directions of distinct prices, the highest first. */
  readonly found: readonly Priced[]
  /** Cones bounded. */
  readonly nodes: number
}

/** Cones between two yields. */
const BREATH = 200
/** Directions kept. */
const KEPT = 50
/** Nodes that are still looked at after something above `stopAbove` was found. */
const AFTER = 400
/** Prices are not told apart below this, relative. */
const ATTAINED = 1e-10
/** Of the highest price so far: what the price of a cone's direction must exceed for a climb from there. */
const PROMISING = 0.9
/** A row whose products with unit vectors are below this, relative to its length, lies on the boundary. */
export const BOUNDARY = 1e-14

/** A cone spanned by `rank` unit vectors, and what is known of r'(Xu)_+ in it. */
interface Cone {
  /** rank x rank, a generator a row. */
  readonly generators: Vector
  /** sum of r_k x_k over the rows that are on in all of the cone */
  readonly on: Vector
  /** The rows that are on in one part of it and off in another. */
  readonly open: Int32Array
  bound: number
  /** Where to cut: between two generators, at a position from 0 to 1; -1 when the bound is attained. */
  first: number
  second: number
  position: number
}

/**
 * Bounds  max { r'(Xu)_+ : |u| <= 1 }  from both sides, for X of full column rank (see `rowSpace`).
 *
 * Space is divided into cones spanned by as many vectors as there are dimensions, beginning with the orthants. In a cone,
 * rows of one sign are linear; the others with r_k < 0 are concave and stay as they are; those with r_k > 0 are convex,
 * and the linear function through their values at the generators lies above all of them together. What is left is concave,
 * and its maximum over the cone and the ball is the length of the shortest point of a sum of segments and rays (see
 * `minNormPoint`), computed to rounding. A cone without open rows of r_k > 0 has an exact bound, which is attained: at a
 * maximiser no such row lies on the boundary, so that the search ends after finitely many cones, even at its target.
 *
 * The cone with the highest bound is cut in two along the edge where the linear function overshoots most, at a row's own
 * boundary. Yields now and then. Cost of a cone: a few rounds of 2 rank flops for each of its open rows.
 */
export function* branchAndBound(X: Matrix, r: Vector, options: BranchAndBoundOptions): Generator<undefined, Bounded> {
  const { rows: n, columns: rank, data } = X
  const { target, maxNodes, stopAbove = Number.POSITIVE_INFINITY, starts = [] } = options
  const climb = neuronAscent(X, r)
  const solver = minNormPoint(rank)
  const weighted = new Float64Array(n * rank)
  const lengths = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    let total = 0
    for (let j = 0; j < rank; j++) {
      total += data[k * rank + j]! ** 2
      weighted[k * rank + j] = r[k]! * data[k * rank + j]!
    }
    lengths[k] = Math.sqrt(total)
  }

  const found: Priced[] = []
  const highest = (): number => found[0]?.price ?? 0
  /** What a bound must exceed for a cone to matter. */
  const level = (): number => Math.max(target, highest() * (1 + ATTAINED))
  /** Keeps a direction unless one of its price and place is there. */
  const keep = (one: Priced): void => {
    if (!(one.price > 0)) return
    for (const other of found) {
      if (Math.abs(other.price - one.price) > 1e-9 * Math.abs(one.price)) continue
      let distance = 0
      for (let j = 0; j < rank; j++) distance += (other.direction[j]! - one.direction[j]!) ** 2
      if (distance < 1e-12) return
    }
    let at = found.length
    while (at > 0 && found[at - 1]!.price < one.price) at--
    found.splice(at, 0, one)
    found.length = Math.min(found.length, KEPT)
  }

  // Work space of one cone.
  const products = new Float64Array(rank * n)
  const negative = new Int32Array(n)
  const positive = new Int32Array(n)
  const inverse = new Float64Array(rank * rank)
  const rays = new Float64Array(rank * rank)
  const c = new Float64Array(rank)
  const centre = new Float64Array(rank)
  let nodes = 0
  let mostDone = 0

  const examine = (generators: Vector, parentOn: Vector, parentOpen: Int32Array): Cone => {
    nodes++
    const on = parentOn.slice()
    // products[i * n + q]: of generator i with the q-th open row
    let negatives = 0
    let positives = 0
    for (let q = 0; q < parentOpen.length; q++) {
      const k = parentOpen[q]!
      const boundary = BOUNDARY * lengths[k]!
      let least = 0
      let most = 0
      for (let i = 0; i < rank; i++) {
        let product = 0
        for (let j = 0, g = i * rank, x = k * rank; j < rank; j++, g++, x++) product += generators[g]! * data[x]!
        products[i * n + k] = product
        if (product < least) least = product
        if (product > most) most = product
      }
      if (least >= -boundary) {
        if (most > boundary) for (let j = 0, x = k * rank; j < rank; j++, x++) on[j]! += weighted[x]!
      } else if (most > boundary) {
        if (r[k]! > 0) positive[positives++] = k
        else negative[negatives++] = k
      }
    }
    const open = new Int32Array(positives + negatives)
    open.set(positive.subarray(0, positives))
    open.set(negative.subarray(0, negatives), positives)
    const cone: Cone = { generators, on, open, bound: Number.POSITIVE_INFINITY, first: -1, second: -1, position: 0 }
    cut(cone, positives)
    cone.bound = bound(cone, positives, negatives)
    return cone
  }

  /** The edge along which the values at the generators overshoot most, and the place on it that halves what crosses. */
  const cut = (cone: Cone, positives: number): void => {
    let most = 0
    for (let i = 0; i < rank; i++)
      for (let k = 0; k < i; k++) {
        let overshoot = 0
        for (let q = 0; q < positives; q++) {
          const row = cone.open[q]!
          const a = products[i * n + row]!
          const b = products[k * n + row]!
          if (a * b < 0) overshoot += r[row]! * Math.min(Math.abs(a), Math.abs(b))
        }
        if (overshoot > most) {
          most = overshoot
          cone.first = k
          cone.second = i
        }
      }
    if (cone.first < 0) return
    const crossings: { at: number; weight: number }[] = []
    let total = 0
    for (let q = 0; q < positives; q++) {
      const row = cone.open[q]!
      const a = products[cone.first * n + row]!
      const b = products[cone.second * n + row]!
      if (!(a * b < 0)) continue
      const weight = r[row]! * Math.min(Math.abs(a), Math.abs(b))
      crossings.push({ at: a / (a - b), weight })
      total += weight
    }
    crossings.sort((x, y) => x.at - y.at)
    let passed = 0
    for (const { at, weight } of crossings) {
      passed += weight
      cone.position = at
      if (passed >= total / 2) break
    }
    // A cut near an end is worth it only when nothing else crosses there.
    if (crossings.length > 1) cone.position = Math.min(0.9, Math.max(0.1, cone.position))
  }

  const bound = (cone: Cone, positives: number, negatives: number): number => {
    const { generators, on, open } = cone
    if (!invert(generators, rank, inverse)) return Number.POSITIVE_INFINITY
    c.set(on)
    centre.fill(0)
    for (let i = 0; i < rank; i++) {
      let value = 0
      for (let q = 0; q < positives; q++) {
        const product = products[i * n + open[q]!]!
        if (product > 0) value += r[open[q]!]! * product
      }
      let length = 0
      for (let j = 0; j < rank; j++) {
        // Column i of the inverse: the normal of the facet opposite generator i, and the part of value i in c.
        const normal = inverse[j * rank + i]!
        c[j]! += value * normal
        length += normal * normal
        centre[j]! += generators[i * rank + j]!
      }
      length = Math.sqrt(length)
      for (let j = 0; j < rank; j++) rays[i * rank + j] = inverse[j * rank + i]! / length
    }
    const answer = solver.solve({
      c,
      generators: weighted,
      chosen: open.subarray(positives),
      count: negatives,
      rays,
      guess: centre,
      low: level(),
      high: level(),
      enough: 0.01,
    })
    if (answer.length > level()) {
      let length = 0
      for (let j = 0; j < rank; j++) length += answer.point[j]! ** 2
      length = Math.sqrt(length)
      const direction = answer.point.map((entry) => entry / length)
      // Climbing costs as much as many cones: where the bound is attained, and from what is high already.
      if (positives === 0 || neuronPrice(X, r, direction) > PROMISING * highest()) keep(climb(direction))
    }
    return answer.length
  }

  const heap: Cone[] = []
  const push = (cone: Cone): void => {
    // A bound that no cut lowers is the answer there.
    if (cone.bound <= level() || cone.first < 0) {
      mostDone = Math.max(mostDone, cone.bound)
      return
    }
    let at = heap.push(cone) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (heap[up]!.bound >= cone.bound) break
      heap[at] = heap[up]!
      at = up
    }
    heap[at] = cone
  }
  const pop = (): Cone => {
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        let down = 2 * at + 1
        if (down >= heap.length) break
        if (down + 1 < heap.length && heap[down + 1]!.bound > heap[down]!.bound) down++
        if (heap[down]!.bound <= last.bound) break
        heap[at] = heap[down]!
        at = down
      }
      heap[at] = last
    }
    return top
  }

  for (const start of starts) keep(climb(start))
  const nothing = new Float64Array(rank)
  const all = Int32Array.from({ length: n }, (_, k) => k).filter((k) => r[k] !== 0 && lengths[k]! > 0)
  for (let signs = 0; signs < 2 ** rank; signs++) {
    const generators = new Float64Array(rank * rank)
    for (let i = 0; i < rank; i++) generators[i * rank + i] = (signs >> i) & 1 ? -1 : 1
    push(examine(generators, nothing, all))
  }
  let left = AFTER
  for (let since = nodes; heap.length > 0 && nodes < maxNodes; ) {
    if (highest() > stopAbove && --left < 0) break
    const { generators, on, open, first, second, position, bound } = pop()
    // None that is left matters any more.
    if (bound <= level()) {
      mostDone = Math.max(mostDone, bound)
      heap.length = 0
      break
    }
    const middle = new Float64Array(rank)
    let length = 0
    for (let j = 0; j < rank; j++) {
      const a = generators[first * rank + j]!
      middle[j] = a + position * (generators[second * rank + j]! - a)
      length += middle[j]! ** 2
    }
    length = Math.sqrt(length)
    for (const end of [first, second]) {
      const half = generators.slice()
      for (let j = 0; j < rank; j++) half[end * rank + j] = middle[j]! / length
      push(examine(half, on, open))
    }
    if (nodes - since >= BREATH) {
      since = nodes
      yield undefined
    }
  }
  const upper = Math.max(mostDone, highest(), heap[0]?.bound ?? 0)
  return { upper, found, nodes }
}

/** out <- V^-1 by elimination with pivoting; false when V is as good as singular. */
function invert(V: Vector, size: number, out: Vector): boolean {
  const work = V.slice()
  out.fill(0)
  for (let i = 0; i < size; i++) out[i * size + i] = 1
  for (let i = 0; i < size; i++) {
    let pivot = i
    for (let k = i + 1; k < size; k++) if (Math.abs(work[k * size + i]!) > Math.abs(work[pivot * size + i]!)) pivot = k
    const value = work[pivot * size + i]!
    if (!(Math.abs(value) > 1e-13)) return false
    for (let j = 0; j < size; j++) {
      const a = work[pivot * size + j]!
      work[pivot * size + j] = work[i * size + j]!
      work[i * size + j] = a / value
      const b = out[pivot * size + j]!
      out[pivot * size + j] = out[i * size + j]!
      out[i * size + j] = b / value
    }
    for (let k = 0; k < size; k++) {
      if (k === i) continue
      const factor = work[k * size + i]!
      if (factor === 0) continue
      for (let j = 0; j < size; j++) {
        work[k * size + j]! -= factor * work[i * size + j]!
        out[k * size + j]! -= factor * out[i * size + j]!
      }
    }
  }
  return true
}
