import { requireOptions } from '../numerics/options.ts'

/** How a picture becomes pixels. */
export interface PngOptions {
  /** Pixels for one of the SVG (default 2, so that it is sharp on screens of high resolution). */
  scale?: number
  /** In the colours for dark pages (default false); a PNG cannot follow its reader. */
  dark?: boolean
  /** Paths of .ttf or .otf files to use in place of the system's fonts: the same picture on every machine. */
  fonts?: readonly string[]
}

/** A text of width 0 in pixels is one that no font was found for. */
const probe =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="30" font-size="30">M</text></svg>'

/**
 * The PNG file of an SVG text that a plot returned. On Node only; a browser draws SVG on a canvas.
 *
 * @throws Error when @resvg/resvg-js, an optional part, is not installed, or when there is no font for the text.
 */
export async function toPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  requireOptions(options, { scale: 'number', dark: 'boolean', fonts: true }, 'toPng')
  const { scale = 2, dark = false, fonts } = options
  if (!(scale > 0 && scale <= 8))
    throw new RangeError(`toPng: scale is ${scale}, expected above 0 and at most 8; pass for example 2.`)
  if (!svg.trimStart().startsWith('<svg'))
    throw new TypeError('toPng: the text is no SVG; pass what a plot returned (await it first).')
  const { Resvg } = await import('@resvg/resvg-js').catch((cause: unknown) => {
    throw new Error('toPng: @resvg/resvg-js, an optional part, is missing; run npm install @resvg/resvg-js.', { cause })
  })
  const font = fonts
    ? { loadSystemFonts: false, fontFiles: [...fonts] }
    : { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' }
  if (svg.includes('<text') && new Resvg(probe, { font }).getBBox() === undefined)
    throw new Error(
      `toPng: there is no font to write the text with; ${fonts ? 'check the paths in fonts' : 'install one (on Debian fonts-dejavu-core), or pass fonts: [path of a .ttf file]'}.`,
    )
  // The rules for dark pages are what every style sheet of a figure consists of.
  const plain = svg.replace(/<style>@media \(prefers-color-scheme: dark\)\{([\s\S]*?)\}<\/style>/g, (_, rules) =>
    dark ? `<style>${rules}</style>` : '',
  )
  return new Resvg(plain, { font, fitTo: { mode: 'zoom', value: scale } }).render().asPng()
}
