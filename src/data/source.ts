/** What text can be read from: a path, a `file:` URL, text or bytes at hand, or any stream of either. */
export type TextSource =
  | string
  | URL
  | Uint8Array
  | { readonly text: string; readonly name?: string }
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>

/** What a binary file can be read from: a path, a `file:` URL, or its bytes. */
export type ByteSource = string | URL | Uint8Array

/** Text as it arrives, and what sentences call it. */
export interface TextChunks {
  readonly name: string
  readonly chunks: AsyncIterable<string>
}

/**
 * Opens a source of text; nothing is read before the first chunk is asked for, and never the whole at once.
 *
 * @throws TypeError when it is none of the accepted forms.
 */
export function openText(source: TextSource, caller: string, encoding?: string): TextChunks {
  const decoded = (name: string, chunks: AsyncIterable<string | Uint8Array>): TextChunks => ({
    name,
    chunks: decode(chunks, caller, name, encoding),
  })
  if (typeof source === 'string' || source instanceof URL) {
    const path = pathOf(source, caller)
    return decoded(path, fileChunks(path, caller))
  }
  if (source instanceof Uint8Array) return decoded('the bytes', slices(source))
  if (typeof source === 'object' && source !== null) {
    // Text at hand is UTF-8 by now, whatever its file was.
    if ('text' in source && typeof source.text === 'string') {
      const name = source.name ?? 'the text'
      return { name, chunks: decode(slices(new TextEncoder().encode(source.text)), caller, name, 'utf-8') }
    }
    if (Symbol.asyncIterator in source) return decoded('the stream', source as AsyncIterable<string | Uint8Array>)
  }
  throw new TypeError(
    `${caller}: the source is ${source === null ? 'null' : `a ${typeof source}`}, expected a path, a URL, bytes, a stream or { text }; pass for example a path.`,
  )
}

/**
 * All bytes of a file, with the name that sentences use.
 *
 * @throws RangeError when the file cannot be read, TypeError when the source is no path, URL or bytes.
 */
export async function readBytes(source: ByteSource, caller: string): Promise<{ name: string; bytes: Uint8Array }> {
  if (source instanceof Uint8Array) return { name: 'the bytes', bytes: source }
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new TypeError(
      `${caller}: the source is ${source === null ? 'null' : `a ${typeof source}`}, expected a path, a file: URL or bytes; pass for example a path.`,
    )
  const path = pathOf(source, caller)
  const { readFile } = await import('node:fs/promises')
  try {
    return { name: path, bytes: await readFile(path) }
  } catch (error) {
    throw unreadable(error, path, caller)
  }
}

function pathOf(source: string | URL, caller: string): string {
  if (typeof source !== 'string') {
    if (source.protocol === 'file:') return decodeURIComponent(source.pathname)
    throw new RangeError(
      `${caller}: ${source.href} is not a file; pass what it answers, for example (await fetch(url)).body.`,
    )
  }
  if (/[\r\n]/.test(source) || source === '')
    throw new RangeError(
      `${caller}: the path ${source === '' ? 'is empty' : 'holds a line break'}; pass a path, or text at hand as { text }.`,
    )
  return source
}

async function* fileChunks(path: string, caller: string): AsyncGenerator<Uint8Array> {
  const { createReadStream } = await import('node:fs')
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw unreadable(error, path, caller)
  }
}

/** The sentence for a failed system call; any other error is passed on as it is. */
function unreadable(error: unknown, path: string, caller: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error
  const reason =
    error.code === 'ENOENT'
      ? 'does not exist; check the path, which starts at the working directory unless it is absolute.'
      : error.code === 'EISDIR'
        ? 'is a directory, expected a file; pass the path of a file in it.'
        : `cannot be read (${error.code}); check its permissions.`
  return new RangeError(`${caller}: ${path} ${reason}`, { cause: error })
}

/** Bytes at hand in pieces, with a turn of the event loop after each so that an abort is heard. */
async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 1 << 18
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size)
    await new Promise((turn) => setTimeout(turn, 0))
  }
}

/** Bytes to text: the encoding given, or what the byte order mark says, or UTF-8; broken sequences are refused. */
async function* decode(
  chunks: AsyncIterable<string | Uint8Array>,
  caller: string,
  name: string,
  encoding?: string,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') {
      yield chunk
    } else if (chunk instanceof Uint8Array) {
      decoder ??= decoderFor(encoding ?? byteOrderMark(chunk) ?? 'utf-8', caller)
      yield step(decoder, chunk)
    } else
      throw new TypeError(`${caller}: ${name} gave a ${typeof chunk}, expected text or bytes; pass a stream of either.`)
  }
  if (decoder) yield step(decoder)

  function step(through: TextDecoder, chunk?: Uint8Array): string {
    try {
      return chunk ? through.decode(chunk, { stream: true }) : through.decode()
    } catch (cause) {
      throw new RangeError(
        `${caller}: ${name} is not text in ${through.encoding}; export it as CSV in UTF-8, or pass its encoding, for example encoding: 'windows-1252'.`,
        { cause },
      )
    }
  }
}

function decoderFor(encoding: string, caller: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch (cause) {
    throw new RangeError(
      `${caller}: encoding is ${JSON.stringify(encoding)}, which is not known here; pass for example 'utf-8' or 'windows-1252'.`,
      { cause },
    )
  }
}

function byteOrderMark(first: Uint8Array): string | undefined {
  if (first[0] === 0xff && first[1] === 0xfe) return 'utf-16le'
  return first[0] === 0xfe && first[1] === 0xff ? 'utf-16be' : undefined
}
