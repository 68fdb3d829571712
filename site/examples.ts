import { type Random, random } from '../src/numerics/random.ts'
import type { Sample } from './messages.ts'

/** What the drawing area shows of the plane when points are drawn: [-1, 1] both ways. */
export const DRAWN = { left: -1, right: 1, bottom: -1, top: 1 } as const

/** An empty sheet to draw a curve or two colours on. */
export function blank(task: Sample['task']): Sample {
  return task === 'regression'
    ? { task, features: ['x'], target: 'y', rows: [], y: [] }
    : { task, features: ['x1', 'x2'], target: 'colour', classes: ['blue', 'orange'], rows: [], y: [] }
}

/** What the examples are called, how their points are drawn, and where on their path there is most to see. */
export const examples: Readonly<Record<string, { readonly make: () => Sample; readonly index: number }>> = {
  Sine: { make: () => curve(32, (x) => 0.65 * Math.sin(4.2 * x), 0.09), index: 32 },
  Step: { make: () => curve(32, (x) => (x > 0 ? 0.5 : -0.5), 0.07), index: 36 },
  'Two moons': {
    make: () =>
      colours(30, (t, first, { normal }) => {
        const angle = Math.PI * t
        const [x, y] = first ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
        return [0.5 * (x - 0.5) + 0.05 * normal(), 0.6 * (y - 0.25) + 0.05 * normal()]
      }),
    index: 49,
  },
  Spirals: {
    make: () =>
      colours(26, (t, first) => {
        const angle = 2 * Math.PI * (0.15 + 1.05 * t) + (first ? 0 : Math.PI)
        const radius = 0.16 + 0.72 * t
        return [radius * Math.cos(angle), radius * Math.sin(angle)]
      }),
    index: 36,
  },
}

function curve(count: number, height: (x: number) => number, noise: number): Sample {
  const draws = random(7)
  const rows = Array.from({ length: count }, (_, i) => [
    rounded(-0.95 + (1.9 * i) / (count - 1) + 0.02 * draws.normal()),
  ])
  return { ...blank('regression'), rows, y: rows.map(([x]) => rounded(height(x!) + noise * draws.normal())) }
}

/** `place` gives a point for t from 0 to 1 along the figure of the first or of the second colour. */
function colours(count: number, place: (t: number, first: boolean, draws: Random) => number[]): Sample {
  const draws = random(3)
  const rows: number[][] = []
  const y: number[] = []
  for (let i = 0; i < count; i++)
    for (const first of [true, false]) {
      rows.push(place(i / (count - 1), first, draws).map(rounded))
      y.push(first ? -1 : 1)
    }
  return { ...blank('classification'), rows, y }
}

/** To four places: finer than any screen, and short in a table. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0
}
