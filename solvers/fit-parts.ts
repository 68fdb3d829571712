import { allFinite } from '../src/numerics/vectors.ts'
import type { ConvexProgram, Iterate, Vector } from '../src/types.ts'

/**
 * A program with group norms by what its fit is made of: block p of the penalty, `size` coefficients from p size on, has an
 * image A_p u_p in one column of the fit, or in all where a group is joint over outputs.
 */
export interface FitParts {
  /** Coefficients of a block of the penalty. */
  readonly size: number
  /** The columns of the fit that hang together: one each, or all where the loss or a joint group couples them. */
  readonly parts: readonly FitPart[]
}

export interface FitPart {
  /** Columns of the fit. */
  readonly outputs: readonly number[]
  /** Blocks of the penalty whose images lie in them. */
  readonly blocks: Int32Array
  /** Entries of an image, output after output: n times the number of outputs. */
  readonly length: number
  /** Row i: the image of block chosen_i for the coefficients in row i of `vectors`. */
  images(chosen: Int32Array, vectors: Vector): Vector
  /** The part's columns of a fit, as images have them. */
  columnsOf(fit: Vector): Vector
  /**
   * Rows (of `length` entries) less what the loss does not see of them, in place: column constants where an intercept was
   * minimised out, row constants of log-odds and, with `flat`, the entries of the fit in which the loss is linear.
   */
  visible(rows: Vector, flat?: Uint8Array): Vector
}

/**
 * The parts of a program that a point belongs to.
 *
 * @throws RangeError when the program has none, or the point another size, or entries that are not finite.
 */
export function fitParts(program: ConvexProgram, { coefficients }: Iterate, caller: string): FitParts {
  const { operator, penalty, loss, name } = program
  if (coefficients.length !== operator.columns)
    throw new RangeError(
      `${caller}: the point has ${coefficients.length} coefficients and ${name} has ${operator.columns}; pass a point of this program.`,
    )
  if (!allFinite(coefficients))
    throw new RangeError(
      `${caller}: coefficient ${coefficients.findIndex((value) => !Number.isFinite(value))} is not finite; pass a finite point.`,
    )
  const groups = penalty.groups ?? penalty.cones
  const maps = operator.blocks
  const joint = groups && maps && groups.size === maps.size * maps.outputs && maps.outputs > 1
  if (!groups || !maps || !(joint || groups.size === maps.size))
    throw new RangeError(
      `${caller}: ${name} has ${penalty.name}, expected one group norm per gate; make the program with groupL1().`,
    )
  const { outputs, count, rows: n } = maps
  const { size } = groups
  // Which block of the operator, and which output, a block of the penalty is.
  const owner = new Int32Array(operator.columns / size)
  const column = new Int32Array(owner.length)
  for (let b = 0; b < count; b++)
    for (let k = 0; k < (joint ? 1 : outputs); k++) {
      const p = maps.start(b, k) / size
      owner[p] = b
      column[p] = k
    }
  const every = Int32Array.from(owner.keys())
  const columns = Array.from({ length: outputs }, (_, k) => k)
  const coupled = joint || loss.rowShifts === true

  const part = (own: readonly number[], blocks: Int32Array): FitPart => {
    const length = n * own.length
    return {
      outputs: own,
      blocks,
      length,
      images(chosen, vectors) {
        const owners = chosen.map((p) => owner[p]!)
        if (own.length === 1) return maps.images(owners, vectors)
        const out = new Float64Array(chosen.length * length)
        if (!joint) {
          const images = maps.images(owners, vectors)
          chosen.forEach((p, i) => {
            out.set(images.subarray(i * n, (i + 1) * n), i * length + column[p]! * n)
          })
          return out
        }
        const slice = new Float64Array(chosen.length * maps.size)
        for (const k of own) {
          for (let i = 0; i < chosen.length; i++) {
            const from = i * size + maps.start(owners[i]!, k) - maps.start(owners[i]!, 0)
            slice.set(vectors.subarray(from, from + maps.size), i * maps.size)
          }
          const images = maps.images(owners, slice)
          for (let i = 0; i < chosen.length; i++) out.set(images.subarray(i * n, (i + 1) * n), i * length + k * n)
        }
        return out
      },
      columnsOf(fit) {
        const out = new Float64Array(length)
        own.forEach((k, place) => {
          for (let r = 0; r < n; r++) out[place * n + r] = fit[r * outputs + k]!
        })
        return out
      },
      visible(rows, flat) {
        const seen = Uint8Array.from({ length }, (_, at) =>
          flat?.[(at % n) * outputs + own[Math.floor(at / n)]!] ? 0 : 1,
        )
        for (let start = 0; start < rows.length; start += length) {
          const row = rows.subarray(start, start + length)
          for (let at = 0; at < length; at++) if (!seen[at]) row[at] = 0
          // Twice, so that the rounding of the first means goes.
          for (let pass = 0; pass < 2; pass++) {
            if (loss.intercept) for (let k = 0; k < own.length; k++) centre(row, seen, k * n, 1, n)
            if (loss.rowShifts) for (let r = 0; r < n; r++) centre(row, seen, r, n, own.length)
          }
        }
        return rows
      },
    }
  }
  return {
    size,
    parts: coupled
      ? [part(columns, every)]
      : columns.map((k) =>
          part(
            [k],
            every.filter((p) => column[p] === k),
          ),
        ),
  }
}

/** Takes the mean off the `count` entries start, start + stride, ... that are seen. */
function centre(row: Vector, seen: Uint8Array, start: number, stride: number, count: number): void {
  let total = 0
  let members = 0
  for (let q = 0, at = start; q < count; q++, at += stride) {
    total += row[at]!
    members += seen[at]!
  }
  if (members === 0) return
  const mean = total / members
  for (let q = 0, at = start; q < count; q++, at += stride) if (seen[at]) row[at]! -= mean
}

/** A row of unit length for each row, zero where the row is no longer than `least_i`; and their lengths, zero likewise. */
export function unitRows(
  rows: Vector,
  length: number,
  least: (row: number) => number,
): { unit: Vector; lengths: Vector } {
  const count = length > 0 ? rows.length / length : 0
  const unit = new Float64Array(rows.length)
  const lengths = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let total = 0
    for (let at = i * length; at < (i + 1) * length; at++) total += rows[at]! ** 2
    const size = Math.sqrt(total)
    if (!(size > least(i))) continue
    lengths[i] = size
    for (let at = i * length; at < (i + 1) * length; at++) unit[at] = rows[at]! / size
  }
  return { unit, lengths }
}

/** An upper bound of |A_b|_2 for a block of the penalty: the program's own, or the Frobenius norm. */
export function reaches({ blocks, operator }: ConvexProgram, size: number): (b: number) => number {
  const known = blocks?.reach?.()
  if (blocks && known) return (b) => known[Math.floor((b * size) / blocks.size)]!
  const maps = operator.blocks!
  const norms = Float64Array.from({ length: maps.count }, (_, b) => {
    const gram = maps.gram(b, b)
    let trace = 0
    for (let j = 0; j < maps.size; j++) trace += gram[j * (maps.size + 1)]!
    return Math.sqrt(Math.max(0, trace))
  })
  const owner = new Int32Array(operator.columns / size)
  for (let b = 0; b < maps.count; b++)
    for (let k = 0; k < maps.outputs; k++) owner[Math.floor(maps.start(b, k) / size)] = b
  return (b) => norms[owner[b]!]!
}
