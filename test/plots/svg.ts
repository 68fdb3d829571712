import { join } from 'node:path'
import { DOMParser } from 'linkedom'
import { expect } from 'vitest'
import { toPng } from '../../src/plots/index.ts'
import { root } from '../support/build.ts'

/** The font that pictures of tests are written with, whatever the machine has. */
export const fonts: readonly string[] = ['400Regular', '600SemiBold'].map((name) =>
  join(root, `node_modules/@expo-google-fonts/inter/${name}/Inter_${name}.ttf`),
)

/** A figure as tests look at it. */
export interface Seen {
  readonly width: number
  readonly height: number
  /** Every text in it, in order. */
  readonly texts: readonly string[]
  /** Shapes inside the groups of this mark: dots of 'dot', paths of 'line', and so on. */
  marks(label: string): Element[]
}

/**
 * Reads a figure and holds it to what every figure is: SVG that a strict reader takes, without a coordinate that is none,
 * without references to anywhere, every colour with a twin for dark pages.
 */
export async function seen(svg: string): Promise<Seen> {
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
  expect(svg.endsWith('</svg>\n')).toBe(true)
  // A reader of XML that forgives nothing, and a renderer that takes no second look.
  const png = await toPng(svg, { scale: 1, fonts })
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number) as [number, number, number]
  const view = new DataView(png.buffer, png.byteOffset)
  expect([view.getUint32(16), view.getUint32(20)]).toEqual([width, height])
  for (const [attribute] of svg.matchAll(/[\w-]+="[^"]*"/g))
    if (!attribute.startsWith('aria-label')) expect(attribute).not.toMatch(/NaN|Infinity|undefined|null/)
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|href=/)
  const style = /<style>([\s\S]*?)<\/style>/.exec(svg)?.[1] ?? ''
  const colours = new Set([...svg.matchAll(/(?:fill|stroke)="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour!))
  for (const colour of colours) expect(style).toContain(`="${colour}"]`)
  const ids = [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!)
  expect(new Set(ids).size).toBe(ids.length)
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml') as unknown as Document
  const list = (selector: string): Element[] => [...document.querySelectorAll(selector)]
  return {
    width,
    height,
    texts: list('text').map((text) => text.textContent ?? ''),
    marks: (label) =>
      list(`[aria-label="${label}"]`).flatMap((group) => [
        ...group.querySelectorAll('circle, path, rect, text, line'),
      ]) as Element[],
  }
}

/** How many points a path goes through. */
export function pointsOf(path: Element): number {
  return path.getAttribute('d')!.match(/[ML]/g)?.length ?? 0
}
