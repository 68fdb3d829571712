const candidates = [',', ';', '\t', '|']

/** Chunks of text with the delimiter their first line uses. */
export interface Delimited {
  readonly delimiter: string
  readonly chunks: AsyncIterable<string>
}

/**
 * Looks at the first line of the text for its delimiter, and gives the text back whole.
 *
 * Among , ; tab and | the one that separates the most of the `expected` names wins; then the one that gives the
 * `width` expected; then the one with the most cells. A comma when nothing separates. What stands before fractions
 * separates cells only when it separates names, or nothing else does.
 */
export async function detectDelimiter(
  chunks: AsyncIterable<string>,
  expected: readonly string[],
  width?: number,
  decimal?: string,
): Promise<Delimited> {
  const rest = chunks[Symbol.asyncIterator]()
  let text = ''
  let line: string | undefined
  // A first line of more than a million characters is judged by its beginning.
  while (line === undefined && text.length < 1e6) {
    const next = await rest.next()
    if (next.done) break
    text += next.value
    line = firstLine(text)
  }
  const wanted = new Set(expected)
  let best = { delimiter: ',', score: [0, 0, 1] }
  for (const delimiter of candidates) {
    const cells = cellsOf(line ?? text, delimiter)
    const names = cells.filter((cell) => wanted.has(cell)).length
    const score = delimiter === decimal ? [names, 0, 1] : [names, cells.length === width ? 1 : 0, cells.length]
    if (higher(score, best.score)) best = { delimiter, score }
  }
  return { delimiter: best.delimiter, chunks: joined(text, rest) }
}

async function* joined(text: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  try {
    yield text
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** The first line that is not blank, without its end; undefined while that end is not in the text. */
function firstLine(text: string): string | undefined {
  let quoted = false
  let start = 0
  for (let k = 0; k < text.length; k++) {
    const character = text[k]
    if (character === '"') quoted = !quoted
    else if ((character === '\n' || character === '\r') && !quoted) {
      if (text.slice(start, k).trim() !== '') return text.slice(start, k)
      start = k + 1
    }
  }
  return undefined
}

function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = []
  let quoted = false
  let start = 0
  const cell = (end: number): string =>
    line
      .slice(start, end)
      .trim()
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"')
  for (let k = 0; k < line.length; k++) {
    if (line[k] === '"') quoted = !quoted
    else if (line[k] === delimiter && !quoted) {
      cells.push(cell(k))
      start = k + 1
    }
  }
  cells.push(cell(line.length))
  return cells
}

function higher(a: readonly number[], b: readonly number[]): boolean {
  const k = a.findIndex((value, index) => value !== b[index])
  return k >= 0 && a[k]! > b[k]!
}
