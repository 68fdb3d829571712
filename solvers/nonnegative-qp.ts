import type { Backend } from '../src/numerics/backend.ts'
import { solveTriangle } from '../src/numerics/triangular.ts'
import type { Vector } from '../src/types.ts'

/** Rounds after which a problem as good as singular is given up: what is found by then, cut at zero, may still be a descent. */
const MOST = 100

/** Rounds without fewer entries of the wrong sign until they are moved one at a time, and so many of those until the diagonal is raised. */
const PATIENCE = 3
const SINGLE = 10

/** Rounding of H that a diagonal is raised by, relative: first a little, and more where that is not enough. */
const RAISES = [1e-12, 1e-9, 1e-6, 1e-3]

/**
 * argmin over x >= 0 of x'Hx / 2 - b'x for a positive semidefinite H (k x k, full), from a guess of which entries are
 * positive (`positive`, overwritten with what was found).
 *
 * Block principal pivoting: solve with the guess, then move every entry of the wrong sign (a negative x, or a zero x
 * with a negative slope) to the other side at once; when that has not lowered their number three times in a row, move one
 * at a time, which ends for certain where rounding does not decide. Where that takes long, H is as good as singular: its diagonal
 * is raised, for all rounds alike. A handful of factorisations of the positive part. Undefined where H is not
 * positive semidefinite by more than rounding.
 *
 * Júdice and Pires 1994, Comput. Oper. Res. 21(5); single moves: Murty 1974, Opsearch 11.
 */
export function nonnegativeQp(
  backend: Backend,
  k: number,
  H: Vector,
  b: Vector,
  positive: Uint8Array,
): Vector | undefined {
  const x = new Float64Array(k)
  const wrong: number[] = []
  let fewest = k + 1
  let patience = PATIENCE
  // What diagonals are raised by: one problem for all rounds, where a free part has once asked for more.
  let raise = 0
  for (let round = 0; round < MOST + 5 * k; round++) {
    raise = solveFree(backend, k, H, b, positive, x, raise)
    if (raise === RAISES.length) return undefined
    wrong.length = 0
    for (let i = 0; i < k; i++) {
      if (positive[i]) {
        if (x[i]! < 0) wrong.push(i)
        continue
      }
      let slope = -b[i]!
      for (let j = 0; j < k; j++) if (positive[j]) slope += H[i * k + j]! * x[j]!
      if (slope < -1e-12 * Math.abs(b[i]!)) wrong.push(i)
    }
    if (wrong.length === 0) break
    if (wrong.length < fewest) {
      fewest = wrong.length
      patience = PATIENCE
    } else patience--
    if (patience < -SINGLE && raise + 1 < RAISES.length) {
      raise++
      fewest = k + 1
      patience = PATIENCE
    }
    if (patience >= 0) for (const i of wrong) positive[i]! ^= 1
    else positive[wrong.at(-1)!]! ^= 1
  }
  for (let i = 0; i < k; i++) if (!(x[i]! > 0)) x[i] = 0
  return x
}

/**
 * x = H_FF^-1 b_F on the free entries F, zero elsewhere; returns the place in `RAISES` of what the diagonal was raised by, at least
 * `least`, and their number when H_FF is not positive definite even so.
 */
function solveFree(
  backend: Backend,
  k: number,
  H: Vector,
  b: Vector,
  free: Uint8Array,
  x: Vector,
  least: number,
): number {
  const F: number[] = []
  for (let i = 0; i < k; i++) if (free[i]) F.push(i)
  const f = F.length
  x.fill(0)
  if (f === 0) return least
  const L = new Float64Array(f * f)
  for (let raise = least; raise < RAISES.length; raise++) {
    for (let i = 0; i < f; i++) {
      for (let j = 0; j < i; j++) L[i * f + j] = H[F[i]! * k + F[j]!]!
      L[i * f + i] = H[F[i]! * (k + 1)]! * (1 + RAISES[raise]!)
    }
    if (backend.cholesky(f, L, f) < f) continue
    const solution = Float64Array.from(F, (i) => b[i]!)
    solveTriangle(true, f, L, solveTriangle(false, f, L, solution))
    F.forEach((i, q) => {
      x[i] = solution[q]!
    })
    return raise
  }
  return RAISES.length
}
