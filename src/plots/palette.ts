/**
 * Colours for people with any colour vision, after Okabe and Ito 2008 (Color Universal Design), each with its twin for dark
 * pages. A figure is written in the light ones; `darkRules` turns each into its twin where the reader's page is dark.
 */
export const paper = '#ffffff'
export const ink = '#1f2328'
export const muted = '#5b636d'
export const rule = '#c9ced4'
export const blue = '#0072b2'
export const orange = '#d55e00'
export const green = '#00855f'
export const purple = '#a8508c'
export const sky = '#3f90c5'
export const gold = '#a67c00'

/** In the order in which lines and classes take them. */
export const series: readonly string[] = [blue, orange, green, purple, gold, sky]

const twins = new Map([
  [paper, '#14171c'],
  [ink, '#e8eaed'],
  [muted, '#a3acb6'],
  [rule, '#3d444d'],
  [blue, '#58b2ee'],
  [orange, '#ff9650'],
  [green, '#3dcb9f'],
  [purple, '#e295c6'],
  [sky, '#9bd3f7'],
  [gold, '#e6c33f'],
])

/** Share of `colour` on paper, as an opaque colour. */
export function tint(colour: string, share: number): string {
  const mixed = mix(paper, colour, share)
  if (!twins.has(mixed)) twins.set(mixed, mix(twins.get(paper)!, twins.get(colour)!, share))
  return mixed
}

/** From -1 (orange) over 0 (paper) to 1 (blue). */
export function diverging(position: number): string {
  const share = Math.min(1, Math.abs(position)) * 0.82
  return tint(position < 0 ? orange : blue, Math.round(share * 50) / 50)
}

/** The rules of a style sheet that turn the colours which a figure uses into those for dark pages. */
export function darkRules(content: string): string {
  const rules: string[] = []
  for (const [light, dark] of twins)
    for (const property of ['fill', 'stroke'])
      if (content.includes(`${property}="${light}"`)) rules.push(`[${property}="${light}"]{${property}:${dark}}`)
  // In an order of their own, whichever figure used a colour first.
  return rules.sort().join('')
}

function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, k: number): number => Number.parseInt(colour.slice(1 + 2 * k, 3 + 2 * k), 16)
  const mixed = [0, 1, 2].map((k) => Math.round(channel(from, k) + share * (channel(to, k) - channel(from, k))))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
