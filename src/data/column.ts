import { shown, sortTexts } from './cells.ts'
import { disguisedNumbers } from './number-format.ts'
import { at, type Place } from './table.ts'

/** What the cells of a column may be: numbers, texts, or whatever they turn out to be. */
export type ColumnKind = 'numeric' | 'categorical' | 'either'

/** A column once it is read: numbers with NaN for missing, or codes into sorted categories with -1 for missing. */
export type ReadColumn =
  | { readonly kind: 'numeric'; readonly name: string; readonly values: Float64Array }
  | {
      readonly kind: 'categorical'
      readonly name: string
      readonly categories: readonly string[]
      readonly codes: Int32Array
      /** Whether that these are categories was found in the cells, not asked for. */
      readonly found: boolean
    }

export interface ColumnRules {
  readonly kind: ColumnKind
  /** Most distinct texts of a categorical column. */
  readonly limit: number
  /** The number a cell spells, NaN for none. */
  readonly parse: (cell: string) => number
  /** What to do about a text among numbers, about texts that look like numbers and are none, and about too many texts. */
  readonly advice: { readonly text: string; readonly names: string; readonly many: string }
}

/** A column with a text in it and more distinct numbers than this is taken for numbers with a misprint. */
const mixedLimit = 10

/**
 * One column of cells as it grows.
 *
 * While its distinct texts are at most `limit` it keeps a code per cell, so that the column can still become
 * categorical; from then on it keeps numbers, and a text is refused. Either way a cell costs 4 or 8 bytes.
 */
export class Column {
  readonly name: string
  private readonly rules: ColumnRules
  /** Code of each distinct text, in order of appearance; undefined once the column keeps numbers. */
  private dictionary: Map<string, number> | undefined
  /** What each distinct text says as a number, NaN for none. */
  private readonly spelled: number[] = []
  private distinctNumbers = 0
  /** The distinct texts that are no numbers, and where each was first. */
  private readonly texts = new Map<string, Place>()
  private codes = new Int32Array(64)
  private values = new Float64Array(0)
  private count = 0

  constructor(name: string, rules: ColumnRules) {
    this.name = name
    this.rules = rules
    if (rules.kind !== 'numeric') this.dictionary = new Map()
  }

  push(cell: string, place: Place): void {
    if (this.dictionary === undefined) {
      this.append(this.number(cell, place))
      return
    }
    let code = this.dictionary.get(cell)
    if (code === undefined) {
      if (this.dictionary.size === this.rules.limit) {
        this.keepNumbers(place)
        this.append(this.number(cell, place))
        return
      }
      code = this.dictionary.size
      this.dictionary.set(cell, code)
      if (this.rules.kind === 'either') this.note(cell, place)
    }
    this.appendCode(code)
  }

  pushMissing(): void {
    if (this.dictionary === undefined) this.append(Number.NaN)
    else this.appendCode(-1)
  }

  /** @throws RangeError when the cells are numbers with a misprint. */
  finish(): ReadColumn {
    const { name, count } = this
    if (this.dictionary !== undefined && (this.rules.kind === 'categorical' || this.texts.size > 0)) {
      this.refuseNumbers()
      const categories = sortTexts(this.dictionary.keys())
      const order = new Map(categories.map((text, code) => [text, code]))
      const sorted = Int32Array.from(this.dictionary.keys(), (text) => order.get(text)!)
      const codes = this.codes.subarray(0, count)
      for (let i = 0; i < count; i++) if (codes[i]! >= 0) codes[i] = sorted[codes[i]!]!
      return { kind: 'categorical', name, categories, codes, found: this.rules.kind === 'either' }
    }
    if (this.dictionary !== undefined) this.toNumbers()
    return { kind: 'numeric', name, values: this.values.subarray(0, count) }
  }

  private append(value: number): void {
    if (this.count === this.values.length) this.values = doubled(this.values)
    this.values[this.count++] = value
  }

  private appendCode(code: number): void {
    if (this.count === this.codes.length) this.codes = doubled(this.codes)
    this.codes[this.count++] = code
  }

  /** The number in a cell of a column that holds numbers. */
  private number(cell: string, place: Place): number {
    const value = this.rules.parse(cell)
    if (Number.isNaN(value)) throw new RangeError(this.misprint(cell, place))
    return finite(value, cell, this.name, place)
  }

  /** Remembers whether a distinct cell of a column of either kind is a number or a text. */
  private note(cell: string, place: Place): void {
    const value = this.rules.parse(cell)
    this.spelled.push(value)
    if (Number.isNaN(value)) this.texts.set(cell, { ...place })
    else {
      finite(value, cell, this.name, place)
      this.distinctNumbers++
    }
  }

  private misprint(cell: string, place: Place): string {
    const { kind, advice } = this.rules
    if (kind === 'numeric' && disguisedNumbers([cell], [])) return this.disguise([cell], [], place)!
    const comma = /^[+-]?\d+,\d+$/.test(cell.trim()) ? ' (a decimal comma?)' : ''
    const others = kind === 'numeric' ? 'a number' : 'a number as in other rows'
    return `${at(place, this.name)} is ${shown(cell)}${comma}, expected ${others}; ${advice.text}.`
  }

  /** The sentence about texts that are numbers in another format; undefined when they are not. */
  private disguise(texts: readonly string[], numbers: readonly string[], place?: Place): string | undefined {
    const found = disguisedNumbers(texts, numbers)
    return (
      found &&
      `${at(place ?? this.texts.get(found.cell)!, this.name)} is ${shown(found.cell)}, which is no number as it stands; ${found.remedy} ${this.rules.advice.names}.`
    )
  }

  /** @throws RangeError when the texts found among the cells are numbers written otherwise, or misprints. */
  private refuseNumbers(): void {
    const { texts, distinctNumbers } = this
    if (texts.size === 0) return
    // One text among many numbers is a misprint, whatever it looks like.
    if (texts.size > 1 || distinctNumbers <= mixedLimit) {
      const numbers = [...this.dictionary!.keys()].filter((cell) => !texts.has(cell))
      const sentence = this.disguise([...texts.keys()], numbers)
      if (sentence !== undefined) throw new RangeError(sentence)
    }
    if (distinctNumbers > mixedLimit) {
      const [first, place] = texts.entries().next().value!
      throw new RangeError(this.misprint(first, place))
    }
  }

  /** The dictionary is full: from now on the column holds numbers, or it is refused. */
  private keepNumbers(place: Place): void {
    this.refuseNumbers()
    if (this.rules.kind === 'categorical' || this.texts.size > 0)
      throw new RangeError(
        `${at(place, this.name)} is one more text than the ${this.rules.limit} distinct ones allowed; ${this.rules.advice.many}.`,
      )
    this.toNumbers()
  }

  private toNumbers(): void {
    const { codes, spelled, count } = this
    this.values = new Float64Array(Math.max(64, codes.length))
    for (let i = 0; i < count; i++) this.values[i] = codes[i]! < 0 ? Number.NaN : spelled[codes[i]!]!
    this.codes = new Int32Array(0)
    this.dictionary = undefined
  }
}

/** Refuses an infinity: `inf`, or a number that overflows. */
export function finite(value: number, cell: string, column: string, place: Place): number {
  if (!Number.isFinite(value))
    throw new RangeError(
      `${at(place, column)} is ${shown(cell)}, expected a finite number; correct the cell or drop the row.`,
    )
  return value
}

/** A copy with room for twice as many entries, and for 64 at least. */
export function doubled<T extends Float64Array | Int32Array>(data: T): T {
  const grown = new (data.constructor as new (length: number) => T)(Math.max(64, 2 * data.length))
  grown.set(data)
  return grown
}
