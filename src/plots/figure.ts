import { given } from '../numerics/given.ts'
import type { OptionKinds } from '../numerics/options.ts'
import type { Panel } from './drawing.ts'
import { darkRules, ink, muted, paper } from './palette.ts'

/** What every picture can be asked for. */
export interface FigureOptions {
  /** Pixels across (default 720). */
  width?: number
  /** A heading above the picture (default: none, or what the picture says of itself). */
  title?: string
  /**
   * `'auto'` (default): dark where the reader's system asks for it. Every figure brings its own background, so that it is
   * legible on any page.
   */
  theme?: 'auto' | 'light' | 'dark'
}

/** Every name of `FigureOptions`. */
export const figureOptionNames: OptionKinds<FigureOptions> = { width: 'number', title: true, theme: true }

/** Between panels, and around them. */
const GAP = 20
const MARGIN = 12
const HEADING = 30
const TITLE = 26
const FONTS =
  'Inter, system-ui, &quot;Segoe UI&quot;, &quot;Helvetica Neue&quot;, Arial, &quot;DejaVu Sans&quot;, sans-serif'

/** How wide a panel is when so many stand side by side. */
export function panelWidth({ width = 720 }: FigureOptions, columns = 1): number {
  if (!(width >= 200 && width <= 10_000))
    throw new RangeError(`cvxnn/plots: width is ${width}, expected 200 to 10000 pixels; pass for example 720.`)
  return Math.floor((width - 2 * MARGIN - (columns - 1) * GAP) / columns)
}

/** Panels in rows, as the text of one SVG file. `subtitle` stands under the heading. */
export function figure(rows: readonly (readonly Panel[])[], options: FigureOptions, subtitle?: string): string {
  const { width = 720, title, theme = 'auto' } = options
  if (!['auto', 'light', 'dark'].includes(theme))
    throw new RangeError(`cvxnn/plots: theme is ${given(theme)}, expected 'auto', 'light' or 'dark'; pass one of them.`)
  const parts: string[] = []
  let top = MARGIN
  if (title !== undefined) {
    parts.push(
      `<text x="${MARGIN}" y="${top + 16}" fill="${ink}" font-size="17" font-weight="600">${escaped(title)}</text>`,
    )
    top += HEADING
  }
  if (subtitle !== undefined) {
    parts.push(`<text x="${MARGIN}" y="${top + 11}" fill="${muted}" font-size="13">${escaped(subtitle)}</text>`)
    top += 26
  }
  for (const row of rows) {
    let left = MARGIN
    const titled = row.some((panel) => panel.title !== '')
    for (const panel of row) {
      if (panel.title !== '')
        parts.push(
          `<text x="${left}" y="${top + 13}" fill="${ink}" font-size="13.5" font-weight="600">${escaped(panel.title)}</text>`,
        )
      parts.push(
        `<g transform="translate(${left},${top + (titled ? TITLE : 0)})" fill="${ink}" font-size="12" text-anchor="middle">${panel.content}</g>`,
      )
      left += panel.width + GAP
    }
    top += Math.max(...row.map((panel) => panel.height)) + (titled ? TITLE : 0) + GAP / 2
  }
  const height = Math.ceil(top + MARGIN - GAP / 2)
  const content = `<rect width="${width}" height="${height}" rx="6" fill="${paper}"/>${parts.join('\n')}`
  const rules = darkRules(content)
  const style = {
    auto: `<style>@media (prefers-color-scheme: dark){${rules}}</style>`,
    light: '',
    dark: `<style>${rules}</style>`,
  }[theme]
  return `${scoped(
    `<svg xmlns="http://www.w3.org/2000/svg" class="@" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONTS}" role="img"${title === undefined ? '' : ` aria-label="${escaped(title)}"`}>`,
    style,
    content,
  )}</svg>\n`
}

/** Names of its own for the figure's rules and clips, the same for the same figure, so that a page may hold several. */
function scoped(opening: string, style: string, content: string): string {
  const numbers = new Map<string, number>()
  const numbered = content.replace(/(id="|url\(#)(plot-clip-\d+)/g, (_, before, name) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size + 1)
    return `${before}@-clip-${numbers.get(name)}`
  })
  // FNV-1a
  let hash = 0x811c9dc5
  for (let k = 0; k < numbered.length; k++) hash = Math.imul(hash ^ numbered.charCodeAt(k), 0x01000193) >>> 0
  const name = `cvxnn-${hash.toString(36)}`
  return (
    opening.replace('class="@"', `class="${name}"`) +
    style.replaceAll(/(^|[{}>])(\[)/g, `$1.${name} $2`) +
    numbered.replace(/(id="|url\(#)@-/g, `$1${name}-`)
  )
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
