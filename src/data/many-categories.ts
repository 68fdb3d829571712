import { shown } from './cells.ts'
import type { ReadColumn } from './column.ts'

/** Tables of fewer rows say too little about which texts come again. */
const fewRows = 20

/**
 * How many categories a column has, in words, where more than half as many as cells: then most are in one row only, as
 * names, numbers of customers and dates are, and say nothing of other rows. Undefined otherwise, and for short tables.
 */
export function manyCategories(read: ReadColumn): { readonly text: string; readonly each: boolean } | undefined {
  if (read.kind === 'numeric') return undefined
  const { name, categories, codes } = read
  let cells = 0
  for (const code of codes) if (code >= 0) cells++
  if (cells < fewRows || categories.length <= cells / 2) return undefined
  const example = shown(categories[codes.find((code) => code >= 0)!]!)
  return {
    text: `column ${shown(name)} has ${categories.length} different texts in ${cells} rows, for example ${example}`,
    each: categories.length === cells,
  }
}
