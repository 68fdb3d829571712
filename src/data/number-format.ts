import { parseNumber } from './cells.ts'

/** How a table writes its numbers. */
export interface NumberFormat {
  /** What stands before the fraction (default '.'). */
  decimal?: '.' | ','
  /** What stands between groups of three digits (default: nothing does). */
  thousands?: ',' | '.' | ' ' | "'"
}

/** What is read as a separator of thousands: printed tables have narrow and unbreakable spaces, and curly apostrophes. */
const groups: Readonly<Record<NonNullable<NumberFormat['thousands']>, string>> = {
  ',': ',',
  '.': '\\.',
  ' ': '[ \\u00a0\\u2009\\u202f]',
  "'": "['\\u2019]",
}

/** @throws RangeError for a separator that is none, or one that does both. */
export function checkNumberFormat({ decimal, thousands }: NumberFormat, caller: string): void {
  if (decimal !== undefined && decimal !== '.' && decimal !== ',')
    throw new RangeError(
      `${caller}: decimal is ${JSON.stringify(decimal)}, expected '.' or ','; pass one of these, or leave it out.`,
    )
  if (thousands !== undefined && !Object.hasOwn(groups, thousands))
    throw new RangeError(
      `${caller}: thousands is ${JSON.stringify(thousands)}, expected ',', '.', ' ' or "'"; pass one of these, or leave it out.`,
    )
  if (thousands === (decimal ?? '.'))
    throw new RangeError(
      `${caller}: thousands is ${quotedCharacter(thousands)}, which stands before fractions already; pass another ${thousands === '.' ? 'decimal' : 'thousands'}.`,
    )
}

/**
 * The number a cell spells in a format, NaN when it spells none.
 *
 * Digits are grouped throughout or not at all, by threes and no group of zeros first: with `thousands: ','` 1,234.5 and 1234.5
 * are numbers; 1,23 and 0,123 are none.
 */
export function numberParser({ decimal = '.', thousands }: NumberFormat): (cell: string) => number {
  if (decimal === '.' && thousands === undefined) return parseNumber
  const separator = thousands === undefined ? undefined : new RegExp(groups[thousands], 'g')
  const grouped = new RegExp(`^[+-]?[1-9]\\d{0,2}(?:${separator?.source}\\d{3})+(?!\\d)`)
  return (cell) => {
    const [digits] = (separator && grouped.exec(cell.trim())) ?? ['']
    const text = digits.replace(separator ?? '', '') + cell.trim().slice(digits.length)
    if (decimal === '.') return parseNumber(text)
    return text.includes('.') ? Number.NaN : parseNumber(text.replace(',', '.'))
  }
}

const formats: readonly NumberFormat[] = [
  { decimal: ',' },
  { thousands: ',' },
  { decimal: ',', thousands: '.' },
  { thousands: ' ' },
  { decimal: ',', thousands: ' ' },
  { thousands: "'" },
  { decimal: '.' },
]

const sign = /^([$€£¥₹])\s*(?=[+-]?[\d.,])|\s*([$€£¥₹%])$/

/** Texts that are numbers after all, the first of them, and what to do to read them. */
export interface Disguise {
  readonly cell: string
  readonly remedy: string
}

/**
 * Whether most of the distinct texts of a column are numbers in another format, or numbers with a sign of a currency or
 * of percent; undefined when they are not. `numbers` are the column's other cells, which that format reads as well.
 */
export function disguisedNumbers(texts: readonly string[], numbers: readonly string[]): Disguise | undefined {
  let most = texts.length / 2
  let readers: NumberFormat[] = []
  for (const format of formats) {
    const parse = numberParser(format)
    const reads = (cell: string): boolean => Number.isFinite(parse(cell))
    const count = texts.filter(reads).length
    if (count < most || count <= texts.length / 2 || !numbers.every(reads)) continue
    if (count > most) readers = []
    most = count
    // The thousands of another format add nothing where the decimal is enough.
    if (!readers.some(({ decimal }) => decimal !== undefined && decimal === format.decimal)) readers.push(format)
  }
  if (readers.length > 0) {
    const parse = numberParser(readers[0]!)
    return {
      cell: texts.find((cell) => Number.isFinite(parse(cell)))!,
      remedy: `pass ${readers.slice(0, 2).map(optionsText).join(' or ')} if the cells are numbers, or`,
    }
  }
  const bare = (cell: string): string => cell.trim().replace(sign, '')
  const all = [{}, ...formats].map(numberParser)
  const signed = texts.filter(
    (cell) => bare(cell) !== cell.trim() && all.some((parse) => Number.isFinite(parse(bare(cell)))),
  )
  if (signed.length <= texts.length / 2) return undefined
  const [, before, after] = sign.exec(signed[0]!.trim())!
  return {
    cell: signed[0]!,
    remedy: `write the cells without ${JSON.stringify(before ?? after)} if they are numbers, or pass`,
  }
}

function optionsText({ decimal, thousands }: NumberFormat): string {
  return [
    ...(decimal ? [`decimal: '${decimal}'`] : []),
    ...(thousands ? [`thousands: ${quotedCharacter(thousands)}`] : []),
  ].join(' with ')
}

function quotedCharacter(character: string | undefined): string {
  return character === "'" ? `"'"` : `'${character}'`
}
