import { turn } from '../numerics/turn.ts'
import { builtIn } from './built-in.ts'

/** What text can be read from: a path, a `file:` URL, text or bytes at hand, or any stream of either, which may have a name. */
export type TextSource =
  | string
  | URL
  | Uint8Array
  | { readonly text: string; readonly name?: string }
  | (AsyncIterable<string | Uint8Array> & { readonly name?: string })
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
export function openText(source: TextSource, caller: string, encoding?: string, signal?: AbortSignal): TextChunks {
  const decoded = (name: string, chunks: AsyncIterable<string | Uint8Array>): TextChunks => {
    const small = pieces(chunks, caller, name)
    return { name, chunks: decode(signal ? abortable(small, signal) : small, caller, name, encoding) }
  }
  if (typeof source === 'string' || source instanceof URL) {
    const name = pathOf(source, caller)
    return decoded(name, fileChunks(source, name, caller))
  }
  if (source instanceof Uint8Array) return decoded('the byte array', once(source))
  if (typeof source === 'object' && source !== null) {
    if ('text' in source && typeof source.text === 'string')
      return decoded(source.name ?? 'the text', once(source.text))
    if (Symbol.asyncIterator in source) {
      const stream = source as AsyncIterable<string | Uint8Array> & { readonly name?: unknown }
      return decoded(typeof stream.name === 'string' ? stream.name : 'the stream', stream)
    }
  }
  throw new TypeError(
    `${caller}: the source is ${kindOf(source)}, expected a path, a URL, bytes, a stream or { text }; pass for example a path.`,
  )
}

/**
 * All bytes of a file, with the name that sentences use.
 *
 * @throws RangeError when the file cannot be read, TypeError when the source is no path, URL or bytes.
 */
export async function readBytes(source: ByteSource, caller: string): Promise<{ name: string; bytes: Uint8Array }> {
  if (source instanceof Uint8Array) return { name: 'the byte array', bytes: source }
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new TypeError(
      `${caller}: the source is ${kindOf(source)}, expected a path, a file: URL or bytes; pass for example a path.`,
    )
  const name = pathOf(source, caller)
  const { promises } = fileSystem(name, caller)
  try {
    return { name, bytes: await promises.readFile(source) }
  } catch (error) {
    throw unreadable(error, name, caller)
  }
}

/** A value that is none of those expected, as sentences name it. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The path as sentences show it. */
export function pathOf(source: string | URL, caller: string): string {
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

async function* fileChunks(path: string | URL, name: string, caller: string): AsyncGenerator<Uint8Array> {
  const { createReadStream } = fileSystem(name, caller)
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw unreadable(error, name, caller)
  }
}

/** @throws RangeError in a browser, which opens no paths. */
function fileSystem(name: string, caller: string): typeof import('node:fs') {
  const files = builtIn('node:fs')
  if (files) return files
  throw new RangeError(
    `${caller}: ${name} is a path, and a browser opens none; pass bytes, or for a table { text } or a stream such as file.stream().`,
  )
}

/** The sentence for a failed system call; any other error is passed on as it is. */
export function unreadable(error: unknown, name: string, caller: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error
  const reason =
    error.code === 'ENOENT'
      ? 'does not exist; check the path, which starts at the working directory unless it is absolute.'
      : error.code === 'EISDIR'
        ? 'is a directory, expected a file; pass the path of a file in it.'
        : `cannot be read (${error.code}); check its permissions.`
  return new RangeError(`${caller}: ${name} ${reason}`, { cause: error })
}

async function* once<T>(chunk: T): AsyncGenerator<T> {
  yield chunk
}

/** The same chunks, ended by the signal's reason even while the next one is waited for. */
async function* abortable<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  let done = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await Promise.race([iterator.next(), aborted])
      if ((done = next.done === true)) return
      yield next.value
    }
  } finally {
    // Not waited for: a source that has gone silent would keep us.
    if (!done) iterator.return?.().catch(() => {})
  }
}

/** Most of a chunk that is passed on at once. */
const pieceSize = 1 << 16

/** Large chunks cut up, with a turn of the event loop now and then so that an abort is heard. */
async function* pieces(
  chunks: AsyncIterable<string | Uint8Array>,
  caller: string,
  name: string,
): AsyncGenerator<string | Uint8Array> {
  let passed = 0
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))
      throw new TypeError(`${caller}: ${name} gave ${kindOf(chunk)}, expected text or bytes; pass a stream of either.`)
    for (let start = 0; start < chunk.length; ) {
      let end = start + pieceSize
      // A character of two code units stays whole.
      if (typeof chunk === 'string' && isHighSurrogate(chunk.charCodeAt(end - 1))) end++
      const piece = typeof chunk === 'string' ? chunk.slice(start, end) : chunk.subarray(start, end)
      yield piece
      start = end
      passed += piece.length
      if (passed < pieceSize) continue
      passed = 0
      await turn()
    }
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}

/** Bytes to text, by the encoding given, the byte order mark, or as UTF-8; broken sequences are refused. */
async function* decode(
  chunks: AsyncIterable<string | Uint8Array>,
  caller: string,
  name: string,
  encoding?: string,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  const step = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder!.decode(chunk, { stream: true }) : decoder!.decode()
    } catch (cause) {
      throw new RangeError(
        `${caller}: ${name} is not text in ${decoder!.encoding}; export it as CSV in UTF-8, or pass its encoding, for example encoding: 'windows-1252'.`,
        { cause },
      )
    }
  }
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') yield chunk
    else {
      decoder ??= decoderFor(encoding ?? byteOrderMark(chunk) ?? 'utf-8', caller)
      yield step(chunk)
    }
  }
  if (decoder) yield step()
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
