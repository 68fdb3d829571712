import type { Activation } from '../layers/activation.ts'
import type { Matrix, Vector } from '../types.ts'

/**
 * D(v, u) = Phi(v) - u'v + R(u): how far a layer's output v is from what its input u would give.
 *
 * Convex in v and convex in u, which is all that block coordinate descent needs: with the others fixed, every node and
 * every link solves a convex problem. The gradient R' is the response; D's gradient in u is response - v.
 */
export interface Divergence {
  readonly name: string
  /** Lipschitz constant of the response. */
  readonly smoothness: number
  /** sum of D(v, u) over the rows of V and U. */
  value(V: Matrix, U: Matrix): number
  /** R'(u), row by row. */
  response(U: Matrix, out: Matrix): Matrix
  /** The activation whose Phi this is; absent where v is a clamped target. */
  readonly activation?: Activation
  /** R*(q) = sup_u q'u - R(u), summed over rows; Infinity outside its domain. */
  dual(Q: Matrix): number
  /** Present when D is a sum over entries. */
  readonly entry?: Entry
  /** True where R(u) = u^2/2: links are least squares then. */
  readonly leastSquares?: boolean
}

/** One entry of a separable divergence. */
export interface Entry {
  /** R(u) */
  potential(u: number): number
  /** R'(u) */
  response(u: number): number
  /** R''(u), one of its one-sided values at a kink. */
  slope(u: number): number
  /** Phi(v) */
  conjugate(v: number): number
  /** R*(q), which is Phi where R is its conjugate. */
  dual(q: number): number
}

/** The divergence of its entries, summed. */
export function separable(
  name: string,
  smoothness: number,
  entry: Entry,
  activation: Activation,
  leastSquares: boolean = false,
): Divergence & { readonly entry: Entry } {
  return {
    name,
    smoothness,
    entry,
    activation,
    leastSquares,
    dual: (Q) => Q.data.reduce((sum, q) => sum + entry.dual(q), 0),
    value(V, U) {
      const [v, u]: [Vector, Vector] = [V.data, U.data]
      let total = 0
      for (let k = 0; k < u.length; k++) total += entry.conjugate(v[k]!) - u[k]! * v[k]! + entry.potential(u[k]!)
      return total
    },
    response(U, out) {
      for (let k = 0; k < U.data.length; k++) out.data[k] = entry.response(U.data[k]!)
      return out
    },
  }
}
