import { random } from '../../src/numerics/random.ts'

/** A table as text, quoted where it must be. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string => {
    const text = String(value)
    return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return `${[header, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`
}

/** y = |a| - b/2 (+ 1 for `red`) and a little noise: two numbers and a category that no line explains. */
export function houses(count: number, seed = 1): { header: string[]; rows: (string | number)[][] } {
  const draws = random(seed)
  const colours = ['red', 'green', 'blue']
  const rows = Array.from({ length: count }, () => {
    const [a, b, colour] = [draws.normal(), draws.normal(), colours[draws.below(3)]!]
    const price = Math.abs(a) - b / 2 + (colour === 'red' ? 1 : 0) + 0.05 * draws.normal()
    return [a.toFixed(4), b.toFixed(4), colour, price.toFixed(4)]
  })
  return { header: ['a', 'b', 'colour', 'price'], rows }
}

/** Points of the plane around one corner per class of a regular polygon. */
export function flowers(count: number, classes: readonly string[], seed = 1): { header: string[]; rows: string[][] } {
  const draws = random(seed)
  const rows = Array.from({ length: count }, (_, i) => {
    const k = i % classes.length
    const angle = (2 * Math.PI * k) / classes.length
    const [x, y] = [Math.cos(angle) + 0.2 * draws.normal(), Math.sin(angle) + 0.2 * draws.normal()]
    return [x.toFixed(4), y.toFixed(4), classes[k]!]
  })
  return { header: ['length', 'width', 'species'], rows }
}
