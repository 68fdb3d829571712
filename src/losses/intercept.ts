import type { Loss, Vector } from '../types.ts'

export interface Intercept {
  /** Outputs of a fit: an intercept each. */
  readonly columns: number
  /** out <- argmin_b F(z + 1b'); `near` when that is known to be all but zero. */
  best(fit: Vector, out: Vector, near: boolean): void
  /** Takes from a moved fit what the loss does not see, so that a small correction of the intercept is not rounded away. */
  ground?(fit: Vector): void
  /** The rounding of a column sum of gradients that is not relative to the gradients themselves. */
  readonly rounding: number
  /** What the loss had its targets shifted by, per output: the intercepts that it is given are less by this. */
  readonly shift?: Vector
}

/**
 * F~(Z) = min_b F(Z + 1b'): an unpenalised intercept per output, minimised out.
 *
 * At the best b the columns of dF sum to zero, so that dF~(Z) = dF(Z + 1b') (envelope) and the divergence of F~ is that of
 * F between the moved fits. F~*(P) = F*(P) where every column of P sums to zero, Infinity elsewhere.
 */
export function withIntercept(loss: Loss, { columns, best, ground, rounding, shift }: Intercept): Loss {
  const { size } = loss
  const moved = new Float64Array(size)
  const step = new Float64Array(columns)
  const b = new Float64Array(columns)
  // A fit, and that fit moved: a solver asks for value, gradient and divergence at one point after another.
  const latest = new Float64Array(size).fill(Number.NaN)
  const movedLatest = new Float64Array(size)

  const moveLatest = (fit: Vector): Vector => {
    let k = 0
    while (k < size && fit[k] === latest[k]) k++
    if (k === size) return movedLatest
    latest.set(fit)
    return move(latest, movedLatest)
  }

  /** out <- z + 1b' at the best b, which is left in `b`. */
  const move = (fit: Vector, out: Vector): Vector => {
    b.fill(0)
    // In two passes: the second corrects what the first rounds where the fit is large.
    for (let pass = 0; pass < 2; pass++) {
      best(pass === 0 ? fit : out, step, pass === 1)
      for (let k = 0; k < size; k++) out[k] = (pass === 0 ? fit[k]! : out[k]!) + step[k % columns]!
      for (let k = 0; k < columns; k++) b[k]! += step[k]!
      if (pass === 0) ground?.(out)
    }
    return out
  }

  return {
    name: loss.name,
    size,
    smoothness: loss.smoothness,
    ...(loss.rowShifts && { rowShifts: true }),
    ...(loss.flat && { flat: (fit: Vector, slack?: number) => loss.flat!(moveLatest(fit), slack) }),
    value: (fit) => loss.value(moveLatest(fit)),
    gradient: (fit, out) => loss.gradient(moveLatest(fit), out),
    conjugate(p) {
      const sums = new Float64Array(columns)
      let total = 0
      for (let k = 0; k < size; k++) {
        sums[k % columns]! += p[k]!
        total += Math.abs(p[k]!)
      }
      // A gradient's columns sum to zero up to the rounding of n terms, and of what they are differences of.
      const allowed = 1e-12 * total + rounding
      return sums.every((sum) => Math.abs(sum) <= allowed) ? loss.conjugate(p) : Number.POSITIVE_INFINITY
    },
    divergence: (to, at) => loss.divergence(move(to, moved), moveLatest(at)),
    intercept(fit) {
      move(fit, moved)
      return b.map((value, k) => value + (shift?.[k] ?? 0))
    },
  }
}
