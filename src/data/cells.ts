/** Cells that stand for "no value", spelled as programs write them; compared exactly, after trimming. */
export const defaultMarkers: readonly string[] = [
  ...['', '?', 'NA', 'na', 'N/A', 'n/a', '#N/A', '<NA>', 'NaN', 'nan', 'NAN', 'null', 'NULL', 'Null'],
]

/** Tells whether a cell stands for "no value". */
export function markerTest(markers: readonly string[]): (cell: string) => boolean {
  const known = new Set(markers)
  const longest = Math.max(0, ...markers.map((marker) => marker.length))
  // Most cells are longer than any marker, which spares them the lookup.
  return (cell) => (cell.length <= longest || cell !== cell.trim()) && known.has(cell.trim())
}

/**
 * The number a cell spells, NaN when it spells none; `inf` and overflow give an infinity, which callers refuse.
 *
 * Stricter than `Number`: no hexadecimal, octal or binary, and a blank is no zero.
 */
export function parseNumber(cell: string): number {
  const value = Number(cell)
  if (value === 0 && cell.trim() === '') return Number.NaN
  if (Number.isNaN(value)) {
    const spelled = /^\s*([+-]?)inf(inity)?\s*$/i.exec(cell)
    return spelled ? Number(`${spelled[1]}Infinity`) : Number.NaN
  }
  // The only letters of a decimal number are e and the word Infinity; 0x, 0o and 0b have theirs second.
  return /^\s*0[xob]/i.test(cell.length > 1 && cell.charCodeAt(0) <= 48 ? cell : '') ? Number.NaN : value
}

/** A cell as a sentence shows it: in quotes, cut when long. */
export function shown(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell)
}

/** Names as a sentence shows them: in quotes, the first dozen. */
export function listed(names: readonly string[]): string {
  const rest = names.length - 12
  return names.slice(0, 12).map(shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

/** Texts in a stable order: as numbers when every one is a number, by code unit otherwise. */
export function sortTexts(texts: Iterable<string>): string[] {
  const byCode = [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const numbers = new Map(byCode.map((text) => [text, parseNumber(text)]))
  if ([...numbers.values()].some((value) => !Number.isFinite(value))) return byCode
  return byCode.sort((a, b) => numbers.get(a)! - numbers.get(b)!)
}
