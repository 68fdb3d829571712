import type { CsvError, Parser } from 'csv-parse'
import { closest } from '../numerics/closest.ts'
import type { OptionKinds } from '../numerics/options.ts'
import { listed, parseNumber, shown } from './cells.ts'
import { detectDelimiter } from './delimiter.ts'
import type { NumberFormat } from './number-format.ts'
import { openText, type TextSource } from './source.ts'

/** How a text is cut into cells. */
export interface TableOptions {
  /** What separates cells (default: detected among , ; tab and | by the first line). */
  delimiter?: string
  /** The columns' names, for a file that has no header row. */
  header?: readonly string[]
  /** The file's encoding (default: UTF-8, or what a byte order mark says). */
  encoding?: string
  /** Stops the reading; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** Every name of `TableOptions`. */
export const tableOptionNames: OptionKinds<TableOptions> = {
  delimiter: true,
  header: true,
  encoding: true,
  signal: true,
}

/** Where the reader is. Rows of data are counted from 1, without the header and blank lines; lines as an editor does. */
export interface Place {
  readonly caller: string
  readonly name: string
  row: number
  line: number
}

/** The beginning of a sentence about the current row: `readCsv: data.csv, row 42 (line 43), column "age"`. */
export function at({ caller, name, row, line }: Place, column?: string): string {
  const where = row === 0 ? `the header (line ${line})` : `row ${row} (line ${line})`
  return `${caller}: ${name}, ${where}${column === undefined ? '' : `, column ${shown(column)}`}`
}

/**
 * Streams a table through `start`, which is given the header and answers with what to do with each row of cells.
 *
 * Cells are trimmed unless quoted, blank lines skipped; every row has as many cells as the header. The text is never
 * held whole. `expected` are names that the header should have: they help to find the delimiter.
 *
 * @returns the place after the last row.
 * @throws RangeError, naming file, row and line, for what is no table.
 */
export async function readTable(
  caller: string,
  source: TextSource,
  options: TableOptions & NumberFormat,
  expected: readonly string[],
  start: (header: string[], place: Place) => (cells: string[]) => void,
): Promise<Place> {
  const { header, signal, encoding } = options
  checkOptions(caller, options)
  signal?.throwIfAborted()
  const { name, chunks } = openText(source, caller, encoding, signal)
  const place: Place = { caller, name, row: 0, line: 1 }
  let width = header?.length ?? 0
  let visit = header && start(checkHeader([...header], place), place)
  const eachRecord = (cells: string[], delimiter: string): void => {
    if (visit === undefined) {
      width = cells.length
      visit = start(checkHeader(cells, place), place)
      return
    }
    place.row++
    if (cells.length !== width)
      throw new RangeError(
        `${at(place)} has ${cells.length} cells and the header ${width}; complete the row, or quote the cells that hold ${shown(delimiter)}.`,
      )
    visit(cells)
  }
  await eachOf(chunks, options, header ? [] : expected, place, eachRecord)
  if (visit === undefined)
    throw new RangeError(`${caller}: ${name} is empty, expected a header row and rows of data; check the file.`)
  if (place.row === 0)
    throw new RangeError(`${caller}: ${name} has a header and no rows; check that the file is complete.`)
  return place
}

/** Cuts text into records and hands each over as it is complete; keeps `place.line` at its first line. */
async function eachOf(
  chunks: AsyncIterable<string>,
  { delimiter, header, decimal }: TableOptions & NumberFormat,
  expected: readonly string[],
  place: Place,
  eachRecord: (cells: string[], delimiter: string) => void,
): Promise<void> {
  // In package.json: csv-parse itself, or its edition for browsers, which brings streams along.
  const { parse } = await import('#csv-parse')
  const lines = lineCounter(place)
  try {
    const delimited = delimiter
      ? { delimiter, chunks }
      : await detectDelimiter(chunks, expected, header?.length, decimal)
    const parser = parse({
      bom: true,
      delimiter: delimited.delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: longestRecord,
      // A record is used up as it is parsed, so none is ever queued.
      on_record(cells, info) {
        lines.to(cells, info.lines)
        eachRecord(cells, delimited.delimiter)
        return null
      },
    })
    await feed(parser, delimited.chunks)
  } catch (error) {
    throw isCsvError(error) ? broken(error, place, lines.excess) : error
  }
}

/** Writes all chunks to a parser whose records nobody reads, each when the one before is used up. */
async function feed(parser: Parser, chunks: AsyncIterable<string>): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    parser.once('end', resolve)
    parser.once('error', reject)
  })
  // It is waited for below, unless the chunks fail first.
  ended.catch(() => {})
  parser.resume()
  for await (const chunk of chunks)
    await Promise.race([ended, new Promise<void>((written) => parser.write(chunk, () => written()))])
  parser.end()
  await ended
}

/** A quote that is never closed swallows the rest of a file; this bounds how much of it is held. */
const longestRecord = 1 << 24

function checkOptions(caller: string, { delimiter }: TableOptions): void {
  if (delimiter !== undefined && (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]/.test(delimiter)))
    throw new RangeError(
      `${caller}: delimiter is ${JSON.stringify(delimiter)}, expected one character other than a quote or a line break; pass for example ';'.`,
    )
}

function checkHeader(names: string[], place: Place): string[] {
  const { caller, name } = place
  const seen = new Map<string, number>()
  names.forEach((column, index) => {
    if (column.trim() === '') names[index] = column = `column ${index + 1}`
    const first = seen.get(column)
    if (first !== undefined)
      throw new RangeError(
        `${caller}: ${name} has the name ${shown(column)} for column ${first + 1} and column ${index + 1}; give each column its own name.`,
      )
    seen.set(column, index)
  })
  return names
}

/**
 * The index of a column in the header.
 *
 * @throws RangeError with the columns there are, and the one that was probably meant.
 */
export function indexOf(header: readonly string[], column: string, { caller, name }: Place): number {
  const index = header.indexOf(column)
  if (index >= 0) return index
  const near = closest(column, header)
  const advice = header.every((cell) => Number.isFinite(parseNumber(cell)))
    ? 'its first row looks like data: pass the names as header: [...]'
    : near !== undefined
      ? `did you mean ${shown(near)}?`
      : 'choose one of these'
  throw new RangeError(
    `${caller}: ${name} has no column ${shown(column)}; its columns are ${listed(header)}; ${advice}${advice.endsWith('?') ? '' : '.'}`,
  )
}

/** Keeps `place.line` at the first line of the record, while the parser counts its last and a quoted CRLF twice. */
function lineCounter(place: Place): { readonly excess: number; to(cells: readonly string[], counted: number): void } {
  let excess = 0
  let previous = 0
  return {
    get excess() {
      return excess
    },
    to(cells, counted) {
      let inside = 0
      // Only a blank line before the record or a line break inside it makes the count jump.
      if (counted !== previous + 1)
        for (const cell of cells)
          for (const [ending] of cell.matchAll(/\r\n|\r|\n/g)) {
            inside++
            if (ending.length === 2) excess++
          }
      previous = counted
      place.line = counted - excess - inside
    },
  }
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && 'code' in error && /^(CSV|INVALID)_/.test(String(error.code))
}

function broken(error: CsvError, { caller, name, row, line }: Place, excess: number): RangeError {
  const after = row === 0 && line === 1 ? 'in line 1 or later' : `after row ${row} (line ${line})`
  const found = typeof error.lines === 'number' ? error.lines - excess : line
  const sentence =
    error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE'
      ? `${name} has a quote opened ${after} and not closed; close it, and write a quote inside a quoted cell twice ("").`
      : error.code === 'INVALID_OPENING_QUOTE'
        ? `${name}, line ${found}, has a quote inside a cell that is not quoted; quote the whole cell and write the quote twice ("").`
        : `${name}, line ${found}, has text after a closing quote; write a quote inside a quoted cell twice ("").`
  return new RangeError(`${caller}: ${sentence}`, { cause: error })
}
