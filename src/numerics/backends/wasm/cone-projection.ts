import type { BitColumns } from '../../bits.ts'
import { blockNorm } from '../../blocks.ts'
import type { ActiveRows, ConeProjection } from '../../cone-projection.ts'
import { coneProjection as inTypeScript } from '../js/cone-projection.ts'
import type { Address, Engine } from './engine.ts'
import { paddedBytes, type Rooms, residentPatterns, residentRows } from './resident.ts'

/** The span of active rows in the module's memory, for as long as something refers to this object. */
class Place {
  readonly engine: Engine
  readonly owner: Rooms
  readonly address: Address
  constructor(engine: Engine, owner: Rooms, address: Address) {
    this.engine = engine
    this.owner = owner
    this.address = address
  }
}

/** Rows and signs in the module's memory, and what a call of it needs. */
interface Inside {
  readonly engine: Engine
  readonly owner: Rooms
  readonly unit: Address
  readonly words: Address
  readonly wordStride: number
  /** Room for one point, its residual and a span that is not kept, one after the other. */
  readonly room: Address
  /** What stays at hand of the memory until it grows. */
  buffer?: ArrayBufferLike
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

  const enter = (): Inside | undefined => {
    if (instead) return undefined
    if (inside) return inside
    try {
      const engine = engineOf()
      const owner = residentPatterns(engine, signs)
      const { X } = residentRows(
        engine,
        owner,
        (first, count) => unit.subarray(first * d, (first + count) * d),
        unit,
        n,
        d,
      )
      const room = owner.room(2 * row + engine.kernels.spanBytes(d, row))
      engine.clear(room, 2 * row)
      const none = { point: new Float64Array(0), residual: new Float64Array(0), whole: new Int32Array(0) }
      const { words, wordStride } = owner
      inside = { engine, owner, unit: X, words, wordStride, room, ...none }
      return inside
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      instead = inTypeScript(unit, d, signs)
      return undefined
    }
  }

  const work = ({ engine }: Inside): Address => engine.room('cone work', engine.kernels.coneWorkBytes(n, d))

  /** Where the span of these rows is, made anew where it is not there. */
  const spanOf = (at: Inside, gate: number, active: ActiveRows): Address => {
    const { engine, owner } = at
    const kept = active.place
    if (kept instanceof Place && kept.engine === engine) return kept.address
    let span = at.room + 2 * row
    active.basis = undefined
    active.place = undefined
    if (active.keepBasis) {
      try {
        span = owner.room(engine.kernels.spanBytes(d, row))
        active.place = new Place(engine, owner, span)
      } catch (error) {
        // Where there is no room left, it is made anew each time.
        if (!(error instanceof RangeError)) throw error
      }
    }
    const room = work(at)
    new Int32Array(engine.memory.buffer, span + ROWS, d).set(active.rows.subarray(0, active.count))
    engine.kernels.spanRows(d, row, at.unit, at.words + gate * at.wordStride, span, active.count, room)
    return span
  }

  return {
    project(gate, candidates, v, start, out, outStart, active, enough = -1) {
      const at = enter()
      if (!at) return instead!.project(gate, candidates, v, start, out, outStart, active, enough)
      const { engine } = at
      if (!(blockNorm(v, start, d) > 0)) {
        active.count = 0
        active.place = undefined
        active.basis = undefined
        out.fill(0, outStart, outStart + d)
        return 0
      }
      const span = spanOf(at, gate, active)
      const room = work(at)
      const list = candidates ? engine.room('cone candidates', 4 * candidates.length) : 0
      if (candidates) engine.putWords(list, candidates)
      if (at.buffer !== engine.memory.buffer) {
        at.buffer = engine.memory.buffer
        at.point = new Float64Array(at.buffer, at.room, d)
        at.residual = new Float64Array(at.buffer, at.room + row, d)
        at.whole = new Int32Array(at.buffer)
      }
      const { point, residual } = at
      for (let j = 0; j < d; j++) point[j] = v[start + j]!
      const [words, count] = [at.words + gate * at.wordStride, candidates ? candidates.length : -1]
      const length = engine.kernels.projectOnCone(
        ...([n, d, row, at.unit, words, list, count, at.room, at.room + row, span, enough, room] as const),
      )
      // Nothing allocates in there: the memory is where it was.
      const { whole } = at
      const first = (span + ROWS) / 4
      active.count = whole[span / 4]!
      for (let k = 0; k < active.count; k++) active.rows[k] = whole[first + k]!
      for (let j = 0; j < d; j++) out[outStart + j] = residual[j]!
      return length
    },
    face(gate, active) {
      const at = enter()
      if (!at) return instead!.face(gate, active)
      const { engine } = at
      const span = spanOf(at, gate, active)
      const first = engine.kernels.complementOfSpan(d, row, span, work(at)) >>> 0
      const count = d - active.count
      const rows = new Float64Array(engine.memory.buffer, first, count * line)
      if (line === d) return rows.slice()
      const basis = new Float64Array(count * d)
      for (let k = 0; k < count; k++) basis.set(rows.subarray(k * line, k * line + d), k * d)
      return basis
    },
  }
}

/** Bytes from the beginning of a span to its rows: see assembly/cones.as. */
const ROWS = 16
