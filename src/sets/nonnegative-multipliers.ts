import { backend } from '../numerics/backends/index.ts'
import { solveTriangle } from '../numerics/triangular.ts'
import type { Vector } from '../types.ts'

/** Weights of the quadratic penalty, one for each set of multipliers: rising, so that the first are found in a few steps. */
const PENALTIES = [100, 3e3, 1e5, 3e6, 3e6, 3e6, 3e6]
/** Newton steps for one set of multipliers at most. */
const STEPS = 200
/** A step that changes B z by less than this share of the tolerance, or by rounding, is the last one. */
const STILL = 0.1
/** And by no more than this, relative: multipliers rise by what is left times the penalty. */
const LOOSE = 1e-6
const ROUNDING = 1e-13

/**
 * argmin over rho >= 0 of rho'G rho / 2 - h'rho for G = B B' of m rows of length one, which may depend on each other: the
 * multipliers of min |z|^2 / 2 over B z >= h, z = B'rho.
 *
 * The method of multipliers (Rockafellar 1976, Math. Oper. Res. 1(2)), whose problems are those of a convex function with a
 * piecewise constant Hessian: Newton's method with an exact line search, one Cholesky factorisation of the active rows a
 * step (Li, Sun and Toh 2018, SIAM J. Optim. 28(1)). Begins at `rho`; ends when no row is off by more than `tolerance`, or
 * after a fixed number of updates: whatever is returned is not negative.
 */
export function nonnegativeMultipliers(m: number, G: Vector, h: Vector, rho: Vector, tolerance: number): Vector {
  const { gemv, cholesky } = backend()
  // held: the multipliers · at: the coefficients of z in the rows, of any sign · products: B z · trial: held + penalty (h - B z)
  const held = rho.slice()
  const at = rho.slice()
  const products = new Float64Array(m)
  const trial = new Float64Array(m)
  const step = new Float64Array(m)
  const change = new Float64Array(m)
  let room: Vector = new Float64Array(0)
  gemv(false, m, m, 1, G, m, at, 0, products)
  for (const penalty of PENALTIES) {
    let settled = false
    for (let count = 0; count < STEPS && !settled; count++) {
      const active: number[] = []
      for (let k = 0; k < m; k++) {
        trial[k] = held[k]! + penalty * (h[k]! - products[k]!)
        if (trial[k]! > 0) active.push(k)
      }
      // z = B_A'x with (G_AA + I / penalty) x = h_A + held_A / penalty
      const a = active.length
      if (room.length < a * a) room = new Float64Array(a * a)
      const L = room.subarray(0, a * a)
      const x = new Float64Array(a)
      for (let i = 0; i < a; i++) {
        const row = active[i]!
        for (let j = 0; j <= i; j++) L[i * a + j] = G[row * m + active[j]!]!
        L[i * a + i]! += 1 / penalty
        x[i] = h[row]! + held[row]! / penalty
      }
      if (cholesky(a, L, a) < a) return held
      solveTriangle(true, a, L, solveTriangle(false, a, L, x))
      for (let k = 0; k < m; k++) step[k] = -at[k]!
      for (let i = 0; i < a; i++) step[active[i]!]! += x[i]!
      gemv(false, m, m, 1, G, m, step, 0, change)
      const length = lineMinimum(at, step, change, trial, penalty)
      let moved = 0
      let size = 0
      for (let k = 0; k < m; k++) {
        at[k]! += length * step[k]!
        products[k]! += length * change[k]!
        moved = Math.max(moved, Math.abs(length * change[k]!))
        size = Math.max(size, Math.abs(products[k]!))
      }
      settled = !(moved > Math.min(LOOSE * size, Math.max(STILL * tolerance, ROUNDING * size)))
    }
    // Multipliers of a z that is no minimum lead astray: those before it are as good as they get.
    if (!settled) return held
    // Rows that pull are to be met exactly, and the others at least.
    let missed = 0
    for (let k = 0; k < m; k++) {
      const short = h[k]! - products[k]!
      held[k] = Math.max(0, held[k]! + penalty * short)
      missed = Math.max(missed, held[k]! > 0 ? Math.abs(short) : short)
    }
    if (missed <= tolerance) break
  }
  return held
}

/**
 * The t in [0, 1] that minimises |z + t dz|^2 / 2 + sum_k (trial_k - t penalty B_k dz)_+^2 / (2 penalty): the derivative is
 * piecewise linear and rises, and is followed from kink to kink.
 */
function lineMinimum(at: Vector, step: Vector, change: Vector, trial: Vector, penalty: number): number {
  let slope = 0
  let bend = 0
  const kinks: { t: number; k: number }[] = []
  for (let k = 0; k < at.length; k++) {
    const c = change[k]!
    slope += at[k]! * c
    bend += step[k]! * c
    if (trial[k]! > 0) {
      slope -= trial[k]! * c
      bend += penalty * c * c
    }
    const t = trial[k]! / (penalty * c)
    if (t > 0 && t < 1) kinks.push({ t, k })
  }
  if (!(slope < 0)) return 0
  kinks.sort((a, b) => a.t - b.t)
  let t = 0
  for (const kink of kinks) {
    const reached = slope + (kink.t - t) * bend
    if (reached >= 0) break
    slope = reached
    t = kink.t
    // A row that was active until here is not from here on, and the other way round.
    const c = change[kink.k]!
    bend += (c > 0 ? -penalty : penalty) * c * c
  }
  return bend > 0 ? Math.min(1, t - slope / bend) : 1
}
