import { basename } from 'node:path'
import type { TextSource } from '../data/source.ts'

/** What stands for standard input where a table is named, as in other tools. */
const STANDARD_INPUT = '-'

/** What help says of a table's argument. */
export const orStandardInput = '(- for standard input)'

/** Where a table named on the command line is read from. */
export function tableSource(path: string): TextSource {
  if (path !== STANDARD_INPUT) return path
  return { name: tablePath(path), [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() }
}

/** A table's path as sentences and programs are told of it. */
export function tablePath(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path
}

/** The last part of it, for headings. */
export function tableName(path: string): string {
  return path === STANDARD_INPUT ? tablePath(path) : basename(path)
}

/** A table as an argument of a command that is shown to be run. */
export function tableArgument(path: string): string {
  return path === STANDARD_INPUT ? '- < table.csv' : basename(path)
}
