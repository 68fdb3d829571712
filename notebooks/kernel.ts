import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import UPNG from 'upng-js'
import { type PngOptions, toPng as pngOf } from '../src/plots/index.ts'

/** What cells import as 'cvxnn/plots' and as 'tslab' when they are executed without Jupyter. */
export * from '../src/plots/index.ts'

/** Stands in the output where a picture is; what follows on the line is its JSON. */
export const pictureMark = '\u241dpicture '
/** Stands after what a cell printed. */
export const cellMark = '\u241e'

export interface Picture {
  /** PNG file, base64. */
  readonly png: string
  /** First half of the SHA-256 of the SVG text it was made of. */
  readonly svg: string
  /** What the picture is of. */
  readonly title: string
}

const fonts = ['400Regular', '600SemiBold'].map((name) =>
  join(
    fileURLToPath(new URL('..', import.meta.url)),
    `node_modules/@expo-google-fonts/inter/${name}/Inter_${name}.ttf`,
  ),
)
const sources = new WeakMap<Uint8Array, string>()

/** As the library's, with one font on every machine and fewer pixels, so that notebooks stay small. */
export async function toPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const png = await pngOf(svg, { scale: 1.5, fonts, ...options })
  sources.set(png, svg)
  return png
}

export const display = {
  png(file: Uint8Array): void {
    const svg = sources.get(file)
    if (svg === undefined) throw new TypeError('display.png: the file is not one that toPng gave.')
    const hash = createHash('sha256').update(svg).digest('hex').slice(0, 32)
    const title = /aria-label="([^"]*)"/.exec(svg)?.[1] ?? 'picture'
    const picture: Picture = { png: Buffer.from(smaller(file)).toString('base64'), svg: hash, title }
    process.stdout.write(`${pictureMark}${JSON.stringify(picture)}\n`)
  },
}

/** The same picture in a palette of 64 colours, at about a third of the size. */
function smaller(file: Uint8Array): ArrayBuffer {
  const image = UPNG.decode(file.slice().buffer)
  return UPNG.encode([UPNG.toRGBA8(image)[0]!], image.width, image.height, 64)
}
