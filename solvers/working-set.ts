import { type Certified, certifier } from '../src/certificates/certify.ts'
import { isZeroBlock } from '../src/numerics/blocks.ts'
import { requireOptions } from '../src/numerics/options.ts'
import type { ConvexProgram, Iterate, Solver, Step, Vector } from '../src/types.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { requireSolver } from './require-solver.ts'
import { isZeroForSure, screenable, screening } from './screening.ts'

/** Settings of `workingSet`. */
export interface WorkingSetOptions {
  /** What solves the programs on some of the blocks (default `proximalGradient()`). */
  inner?: Solver
  /** The inner gap over the full one at which the full program is looked at again (default 0.1). */
  accuracy?: number
  /** Blocks of the smallest working set (default: a twentieth of all, at least 10). */
  first?: number
  /** Blocks of a working set for each block that is not zero (default 1.5). */
  growth?: number
  /** Inner iterations between two looks at the inner gap (default 10), unless the inner solver says when. */
  checkEvery?: number
}

/**
 * Working sets with safe screening:  minimise F(Au) + lambda R(u), R separable over blocks of which few are not zero.
 *
 * Each round is one pass over the blocks that are left, and a solve of the program on a working set of them:
 *
 * - The pass gives the gap and, at the dual point r = -dF(Au), each block's polar g_b of A_b'r (|A_b'r| for a group).
 * - Screening drops b for good when s g_b + |A_b| sqrt(2 L gap) < lambda, with s r the scaled dual point and L the
 *   smoothness of F: the optimal dual point lies within that radius of s r, so that u_b = 0 at every optimum.
 * - The working set takes the blocks that are not zero and those of least slack (lambda - s g_b) / |A_b|: `growth` times
 *   as many as are not zero, and up to twice as many as before while that many are violated. From a start it also takes
 *   what the strong rule lets through, g_b >= 2 lambda - max g: on a path, a guess of all that this lambda will need.
 * - The inner solver walks until its own gap is a fraction of the full one. Where no block outside its working set is
 *   violated then, it walks on; else the set is chosen anew.
 *
 * Inner iterates are yielded at full size with their fit; a certificate is asked for where a round ends.
 *
 * Screening: Ndiaye, Fercoq, Gramfort and Salmon 2017, JMLR 18. Working sets by slack: Massias, Gramfort and Salmon, ICML
 * 2018. Strong rule: Tibshirani et al. 2012, J. R. Stat. Soc. B 74.
 *
 * @throws RangeError when an option is out of range.
 */
export function workingSet(options: WorkingSetOptions = {}): Solver {
  const { inner = proximalGradient(), accuracy = 0.1, growth = 1.5, checkEvery = 10 } = options
  requireOptions(
    options,
    { inner: true, accuracy: 'number', first: 'number', growth: 'number', checkEvery: 'number' },
    'workingSet',
  )
  requireSolver(inner, 'workingSet', 'newtonCg()')
  check(options)
  return {
    name: `working-set(${inner.name})`,
    supports(program) {
      const answer = screenable(program)
      return answer === true ? inner.supports(program) : `working-set: ${answer}`
    },
    *iterate(program, start) {
      const { operator, lambda } = program
      const blocks = program.blocks!
      const count = operator.columns / blocks.size
      const smallest = Math.min(count, options.first ?? Math.max(10, Math.ceil(count / 20)))
      // u, fit: the last point · left: the part that is not screened · set: the working set, and walk: the inner solver on it
      const u = start ? start.coefficients.slice() : new Float64Array(operator.columns)
      const fit = start ? operator.apply(u) : new Float64Array(operator.rows)
      let left = part(program, everything(count))
      let set: Part | undefined
      let walk: Generator<Step, void> | undefined
      try {
        for (let round = 0; ; round++) {
          const given = { coefficients: left.gather(u), fit }
          const full = left.examine(given)
          if (round === 0 && full.at !== given) {
            // A start outside the penalty's domain is moved to the nearest point inside.
            left.scatter(full.at.coefficients, u)
            fit.set(full.at.fit!)
          }
          const gap = Math.max(full.certificate.gap, ROUNDING * Math.abs(full.certificate.primal))
          const ranking = rank(left, u, full, set?.chosen)
          const guess = round === 0 && start ? guessed(ranking, lambda) : 0
          const wanted = sizeOfNext(ranking, walk ? set?.chosen.length : undefined, {
            least: Math.max(smallest, guess),
            growth,
            lambda,
          })
          let kept = ranking.filter((at) => !at.screened || (wanted === undefined && at.inside))
          // A program of fewer blocks is worth its making when there are a tenth fewer.
          if (kept.length > 0 && kept.length <= 0.9 * ranking.length) left = part(program, blocksOf(kept))
          else kept = ranking
          if (wanted !== undefined || !set || !walk) {
            walk?.return()
            const chosen = leastSlack(kept, wanted ?? kept.length)
            set = chosen.length === left.chosen.length ? left : part(program, chosen)
            walk = inner.iterate(set.program, { coefficients: set.gather(u).slice(), fit: fit.slice() })
          }

          // lowest, since: the smallest inner gap and when it was met
          let lowest = Number.POSITIVE_INFINITY
          let since = 0
          for (let step = 1; ; step++) {
            const taken = walk.next()
            if (taken.done) {
              walk = undefined
              break
            }
            const { coefficients, fit: known, certify } = taken.value
            set.scatter(coefficients, u)
            if (known) fit.set(known)
            else set.program.operator.apply(coefficients, fit)
            yield { coefficients: u, fit, certify: false }
            if (!(certify ?? step % checkEvery === 0)) continue
            const inside = set.examine({ coefficients, fit }).certificate
            if (!(inside.gap > accuracy * gap) || !Number.isFinite(inside.primal)) break
            if (inside.gap < lowest) {
              lowest = inside.gap
              since = step
            }
            if (inside.gap <= ROUNDING * Math.abs(inside.primal) || step > 2 * since + PATIENCE) break
          }
          yield { coefficients: u, fit, certify: true }
        }
      } finally {
        walk?.return()
      }
    },
  }
}

/** A gap this small, relative to the objective, is rounding. */
const ROUNDING = 1e-15
/** Inner iterations without a smaller gap, beyond as many as came before it, after which the full program is asked again. */
const PATIENCE = 1000

/** Some of the blocks as a program, and how points of it and of the whole go over into each other. */
interface Part {
  readonly program: ConvexProgram
  /** The blocks, ascending. */
  readonly chosen: Int32Array
  examine(at: Iterate): Certified
  gather(u: Vector): Vector
  scatter(some: Vector, u: Vector): void
}

function part(program: ConvexProgram, chosen: Int32Array): Part {
  const { size } = program.blocks!
  const whole = chosen.length * size === program.operator.columns
  const some = whole ? program : program.restrict!(chosen)
  const gathered = new Float64Array(some.operator.columns)
  let examine: ReturnType<typeof certifier> | undefined
  return {
    program: some,
    chosen,
    examine: (at) => (examine ??= certifier(some))(at, false),
    gather(u) {
      chosen.forEach((b, k) => {
        gathered.set(u.subarray(b * size, (b + 1) * size), k * size)
      })
      return gathered
    },
    scatter(from, u) {
      chosen.forEach((b, k) => {
        u.set(from.subarray(k * size, (k + 1) * size), b * size)
      })
    },
  }
}

/** What a pass says of a block. */
interface Ranked {
  readonly block: number
  /** Whether it is in the present working set. */
  readonly inside: boolean
  /** Whether it is not zero. */
  readonly active: boolean
  /** Whether it is zero, and so at every optimum. */
  readonly screened: boolean
  /** g_b, or an upper bound where that is far from violated. */
  readonly polar: number
  /** lambda - s g_b over how far that can still change: what is below 1 may be active. */
  readonly slack: number
}

function rank({ program, chosen }: Part, u: Vector, full: Certified, set: Int32Array | undefined): Ranked[] {
  const { size } = program.blocks!
  const found = screening(program, full)
  const present = new Set(set)
  return Array.from(chosen, (block, k) => {
    const active = !isZeroBlock(u, block * size, size)
    const room = program.lambda - found.scaled[k]!
    const reach = found.reach[k]!
    return {
      block,
      inside: present.has(block),
      active,
      screened: !active && isZeroForSure(found, k, program.lambda),
      polar: found.polars[k]!,
      slack: reach > 0 && reach < Number.POSITIVE_INFINITY ? room / reach : room,
    }
  })
}

/** How many blocks are not zero or pass the strong rule, where the start is the solution at a lambda not far above. */
function guessed(ranking: readonly Ranked[], lambda: number): number {
  const top = ranking.reduce((most, { polar }) => Math.max(most, polar), 0)
  if (top > 1.5 * lambda) return 0
  return ranking.filter(({ active, polar }) => active || polar >= 2 * lambda - top).length
}

/** How many blocks the next working set takes; undefined when the present one will do. */
function sizeOfNext(
  ranking: readonly Ranked[],
  present: number | undefined,
  { least, growth, lambda }: { least: number; growth: number; lambda: number },
): number | undefined {
  const active = ranking.filter((at) => at.active).length
  const missing = ranking.filter((at) => !at.active && !at.inside && at.polar > lambda).length
  const wanted = Math.max(least, Math.ceil(growth * active))
  if (present === undefined || missing > 0) return Math.max(wanted, Math.min(active + missing, 2 * (present ?? least)))
  const excess = ranking.filter((at) => at.inside && at.screened).length
  return excess < 0.3 * present && present <= 2 * wanted ? undefined : Math.min(wanted, present - excess)
}

/** So many blocks, ascending: those that are not zero, and then those of least slack. All, when nearly all are wanted. */
function leastSlack(ranking: readonly Ranked[], wanted: number): Int32Array {
  if (wanted >= 0.8 * ranking.length) return blocksOf(ranking)
  const order = [...ranking].sort((a, b) => Number(b.active) - Number(a.active) || a.slack - b.slack)
  const active = ranking.filter((at) => at.active).length
  return blocksOf(order.slice(0, Math.max(wanted, active))).sort()
}

function blocksOf(ranking: readonly Ranked[]): Int32Array {
  return Int32Array.from(ranking, ({ block }) => block)
}

function everything(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, block) => block)
}

function check({ accuracy = 0.1, first = 10, growth = 1.5, checkEvery = 10 }: WorkingSetOptions): void {
  const refuse = (name: string, value: number, expected: string, example: number): never => {
    throw new RangeError(`workingSet: ${name} is ${value}, expected ${expected}; pass for example ${example}.`)
  }
  if (!(accuracy > 0 && accuracy < 1)) refuse('accuracy', accuracy, 'between 0 and 1', 0.1)
  if (!Number.isInteger(first) || first < 1) refuse('first', first, 'a positive whole number', 10)
  if (!(growth >= 1 && growth < Number.POSITIVE_INFINITY)) refuse('growth', growth, 'at least 1', 1.5)
  if (!Number.isInteger(checkEvery) || checkEvery < 1) refuse('checkEvery', checkEvery, 'a positive whole number', 10)
}
