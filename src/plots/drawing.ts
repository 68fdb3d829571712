import type { PlotOptions } from '@observablehq/plot'
import { ink } from './palette.ts'

type Plot = typeof import('@observablehq/plot')

/** What charts are drawn with. */
export interface Drawing {
  readonly Plot: Plot
  /** Draws a chart of `width` x `height`. */
  panel(title: string, options: PlotOptions & { width: number; height: number }): Panel
}

/** A chart inside a figure. */
export interface Panel {
  readonly title: string
  readonly width: number
  readonly height: number
  /** SVG elements. */
  readonly content: string
}

let loading: Promise<Drawing> | undefined

/** Observable Plot and a document to draw in: the page's own in a browser, linkedom's elsewhere. */
export function drawing(): Promise<Drawing> {
  return (loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  }))
}

async function load(): Promise<Drawing> {
  const missing = (cause: unknown): never => {
    throw new Error(
      'cvxnn/plots: @observablehq/plot and linkedom, optional parts, are missing; run npm install @observablehq/plot linkedom@0.18.12.',
      { cause },
    )
  }
  const Plot = await import('@observablehq/plot').catch(missing)
  const source = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
  const Parser = globalThis.DOMParser ?? (await import('linkedom').catch(missing)).DOMParser
  const document = new Parser().parseFromString(source, 'image/svg+xml') as unknown as Document
  return {
    Plot,
    panel(title, options) {
      const { x, y, ...rest } = options
      const svg = Plot.plot({
        document,
        marginTop: 8,
        marginRight: 16,
        marginBottom: 44,
        marginLeft: 60,
        ...rest,
        ...(x && { x: { labelArrow: 'none', labelAnchor: 'center', labelOffset: 38, ...x } }),
        ...(y && { y: { labelArrow: 'none', ...y } }),
      })
      return { title, width: options.width, height: options.height, content: cleaned(svg.innerHTML) }
    },
  }
}

/**
 * Coordinates to a tenth of a pixel in paths and to a hundredth elsewhere, colours that stand for themselves, and no rules
 * that only Plot's own pages need. What stands between tags is left as it is.
 */
function cleaned(content: string): string {
  return content.replace(/<style>[\s\S]*?<\/style>/g, '').replace(/<\w[^>]*>/g, (tag) =>
    tag
      .replace(' xmlns="http://www.w3.org/2000/svg"', '')
      .replaceAll('"currentColor"', `"${ink}"`)
      .replace(/ (d|[\w-]+)="[^"]*"/g, (attribute, name) => {
        const digits = name === 'd' ? 1 : 2
        return attribute.replace(/-?\d*\.\d+(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(digits))))
      }),
  )
}
