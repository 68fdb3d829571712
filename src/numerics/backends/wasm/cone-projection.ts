import type { BitColumns } from '../../bits.ts'
import { blockNorm } from '../../blocks.ts'
import type { ActiveRows, ConeProjection } from '../../cone-projection.ts'
import { coneProjection as inTypeScript } from '../js/cone-projection.ts'
import { type Address, type Engine, NoRoom } from './engine.ts'
import { type Kept, keep } from './kept.ts'
import { paddedBytes, type ResidentPatterns, type ResidentRows, residentPatterns, residentRows } from './resident.ts'

/** The span of active rows in the module's memory, for as long as something refers to this object. */
class Place {
  readonly engine: Engine
  readonly room: Kept
  constructor(engine: Engine, room: Kept) {
    this.engine = engine
    this.room = room
  }
}

/** Rows and signs in the module's memory, and what a call of it needs. */
interface Inside {
  readonly engine: Engine
  readonly rows: ResidentRows
  readonly patterns: ResidentPatterns
  /** Room for one point, its residual and a span that is not kept, one after the other. */
  readonly room: Kept
  /** What stays at hand of the memory until it grows, or the room moves. */
  buffer?: ArrayBufferLike
  address?: Address
  point: Float64Array
  residual: Float64Array
  whole: Int32Array
}

/** As in js/cone-projection.ts, in the module: the rows, their signs, and spans that are kept are in its memory. */
export function coneProjection(
  engineOf: () => Engine,
  unit: Float64Array,
  d: number,
  signs: BitColumns,
): ConeProjection {
  const { rows: n } = signs
  const row = paddedBytes(unit, d)
  /** Entries from one padded row to the next. */
  const line = row / 8
  let inside: Inside | undefined
  /** In place of the module where it has no memory left. */
  let instead: ConeProjection | undefined

  /** What the module does, or TypeScript where the module has no room for it. */
  const orElse = <T>(inModule: (at: Inside) => T, inItsPlace: (projection: ConeProjection) => T): T => {
    if (!instead)
      try {
        return inModule(enter())
      } catch (error) {
        if (!(error instanceof NoRoom)) throw error
        instead = inTypeScript(unit, d, signs)
      }
    return inItsPlace(instead)
  }

  const enter = (): Inside => {
    const engine = inside?.engine ?? engineOf()
    engine.nextTurn()
    if (inside) return inside
    const patterns = residentPatterns(engine, signs)
    const read = (first: number, count: number): Float64Array => unit.subarray(first * d, (first + count) * d)
    const rows = residentRows(engine, read, unit, n, d)
    const room = keep(engine, 2 * row + engine.kernels.spanBytes(d, row))
    engine.clear(room.at(), 2 * row)
    const none = { point: new Float64Array(0), residual: new Float64Array(0), whole: new Int32Array(0) }
    return (inside = { engine, rows, patterns, room, ...none })
  }

  const work = ({ engine }: Inside): Address => engine.room('cone work', engine.kernels.coneWorkBytes(n, d))

  const wordsOf = ({ patterns }: Inside, gate: number): Address => patterns.words + gate * patterns.wordStride

  const drop = (active: ActiveRows): void => {
    if (active.place instanceof Place) active.place.room.release()
    active.place = undefined
    active.basis = undefined
  }

  /** Where the span of these rows is, made anew where it is not there. */
  const spanOf = (at: Inside, gate: number, active: ActiveRows): Address => {
    const { engine } = at
    const kept = active.place
    if (kept instanceof Place && kept.engine === engine) return kept.room.at()
    drop(active)
    let span = at.room.at() + 2 * row
    if (active.keepBasis) {
      const room = keep(engine, engine.kernels.spanBytes(d, row))
      active.place = new Place(engine, room)
      span = room.at()
    }
    const scratch = work(at)
    new Int32Array(engine.memory.buffer, span + ROWS, d).set(active.rows.subarray(0, active.count))
    engine.kernels.spanRows(d, row, at.rows.X, wordsOf(at, gate), span, active.count, scratch)
    return span
  }

  return {
    project(gate, candidates, v, start, out, outStart, active, enough = -1) {
      const inModule = (at: Inside): number => {
        const { engine } = at
        if (!(blockNorm(v, start, d) > 0)) {
          active.count = 0
          drop(active)
          out.fill(0, outStart, outStart + d)
          return 0
        }
        const span = spanOf(at, gate, active)
        const room = work(at)
        const list = candidates ? engine.room('cone candidates', 4 * candidates.length) : 0
        if (candidates) engine.putWords(list, candidates)
        const [rows, words, own] = [at.rows.X, wordsOf(at, gate), at.room.at()]
        if (at.buffer !== engine.memory.buffer || at.address !== own) {
          at.buffer = engine.memory.buffer
          at.address = own
          at.point = new Float64Array(at.buffer, own, d)
          at.residual = new Float64Array(at.buffer, own + row, d)
          at.whole = new Int32Array(at.buffer)
        }
        const { point, residual } = at
        for (let j = 0; j < d; j++) point[j] = v[start + j]!
        const count = candidates ? candidates.length : -1
        const length = engine.kernels.projectOnCone(
          ...([n, d, row, rows, words, list, count, own, own + row, span, enough, room] as const),
        )
        // Nothing allocates in there: the memory is where it was.
        const { whole } = at
        const first = (span + ROWS) / 4
        active.count = whole[span / 4]!
        for (let k = 0; k < active.count; k++) active.rows[k] = whole[first + k]!
        for (let j = 0; j < d; j++) out[outStart + j] = residual[j]!
        return length
      }
      return orElse(inModule, (other) => other.project(gate, candidates, v, start, out, outStart, active, enough))
    },
    face(gate, active) {
      const inModule = (at: Inside): Float64Array => {
        const { engine } = at
        const span = spanOf(at, gate, active)
        const first = engine.kernels.complementOfSpan(d, row, span, work(at)) >>> 0
        const count = d - active.count
        const rows = new Float64Array(engine.memory.buffer, first, count * line)
        if (line === d) return rows.slice()
        const basis = new Float64Array(count * d)
        for (let k = 0; k < count; k++) basis.set(rows.subarray(k * line, k * line + d), k * d)
        return basis
      }
      return orElse(inModule, (other) => other.face(gate, active))
    },
  }
}

/** Bytes from the beginning of a span to its rows: see assembly/cones.as. */
const ROWS = 16
