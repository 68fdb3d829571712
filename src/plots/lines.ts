import { requireOptions } from '../numerics/options.ts'
import { logPlaces, padded, short } from './axes.ts'
import { type Drawing, drawing, type Panel } from './drawing.ts'
import { type FigureOptions, figure, figureOptionNames, panelWidth } from './figure.ts'
import { muted, paper, series } from './palette.ts'

/** Points (x_k, y_k) in order. */
export interface Line {
  readonly x: ArrayLike<number>
  readonly y: ArrayLike<number>
}

export interface LinePlotOptions extends FigureOptions {
  /** What runs along the axes, with its unit. */
  x?: string
  y?: string
  /** Whether y is logarithmic (default false); values that are not above zero stand hollow at the bottom. */
  log?: boolean
  /** A level to compare with, drawn as a dashed line with its name. */
  level?: { readonly value: number; readonly name: string }
}

/**
 * Lines by their names, which stand at their ends: runs of whatever is to be compared.
 *
 * @returns SVG text.
 */
export async function linePlot(lines: Readonly<Record<string, Line>>, options: LinePlotOptions = {}): Promise<string> {
  requireOptions(options, { ...figureOptionNames, x: true, y: true, log: 'boolean', level: true }, 'linePlot')
  const size = { width: panelWidth(options), height: 320 }
  return figure([[linesPanel(await drawing(), Object.entries(lines), size, options)]], options)
}

/** Names beyond this length are cut. */
const LONGEST = 30
/** Lines of more points than these have no dots. */
const MOST_DOTS = 40

/** Named lines in a panel whose title is the name of y. */
export function linesPanel(
  { Plot, panel }: Drawing,
  lines: readonly (readonly [string, Line])[],
  size: { readonly width: number; readonly height: number },
  { x = 'x', y = 'y', log = false, level }: LinePlotOptions,
): Panel {
  const levels = level ? [level.value] : []
  const heights = lines.flatMap(([, line]) => Array.from(line.y))
  const places = logPlaces(heights, levels)
  // Air below and above, but none below the bottom where zeros stand.
  const [low, high] = places.domain
  const air = (high / low) ** 0.06
  const floor = places.ticks[0] === low ? low : low / air
  const axis = log
    ? { type: 'log' as const, domain: [floor, high * air] as const, ticks: places.ticks, tickFormat: places.label }
    : { domain: padded([...heights, ...levels]), ticks: 6, tickFormat: short }
  const drawn = lines.map(([name, line], k) => ({
    name: name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name,
    colour: series[k % series.length]!,
    dash: ['none', '7 4', '2 3', '9 3 2 3'][k % 4]!,
    points: Array.from(line.y, (height, at) => ({
      x: line.x[at]!,
      y: log ? places.place(height) : height,
      positive: !log || height > 0,
    })),
  }))
  /** Where a height stands, from 0 at the top to 1 at the bottom. */
  const share = (height: number): number => {
    const [bottom, top] = axis.domain
    return log ? Math.log(top / height) / Math.log(top / bottom) : (top - height) / (top - bottom)
  }
  const ends = apart(
    drawn.flatMap(({ name, colour, points }) => (points.length > 0 ? [{ name, colour, at: points.at(-1)! }] : [])),
    share,
    16 / (size.height - 60),
  )
  const longest = Math.max(0, ...drawn.map(({ name }) => name.length))
  const furthest = lines
    .flatMap(([, line]) => Array.from(line.x))
    .reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0)
  return panel(y, {
    ...size,
    marginRight: longest === 0 ? 16 : 24 + 7 * longest,
    x: { label: x, domain: [0, furthest || 1], ticks: 5, tickFormat: short },
    y: { grid: true, label: null, ...axis },
    marks: [
      Plot.ruleY(levels, { stroke: muted, strokeDasharray: '5 4' }),
      ...drawn.flatMap(({ colour, dash, points }) => [
        Plot.line(points, { x: 'x', y: 'y', stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
        Plot.dot(points.length <= MOST_DOTS ? points : points.slice(-1), {
          ...{ x: 'x', y: 'y', r: 3, stroke: colour },
          fill: (point: { positive: boolean }) => (point.positive ? colour : paper),
        }),
      ]),
      ...ends.map(({ name, colour, at, shift }) =>
        Plot.text([at], { x: 'x', y: 'y', text: () => name, fill: colour, textAnchor: 'start', dx: 9, dy: shift }),
      ),
      Plot.text(levels, {
        ...{ y: (value: number) => value, text: () => level?.name ?? '', frameAnchor: 'right', textAnchor: 'end' },
        ...{ dx: -4, fill: muted, stroke: paper, strokeWidth: 3 },
        // Where lines end near the bottom they come from above: the name of a level there stands below it.
        dy: level && share(level.value) > 0.85 ? 10 : -8,
      }),
    ],
  })
}

/** Moves the names of lines that end close together apart, in pixels; `share` is where a height stands from the top. */
function apart<E extends { at: { y: number } }>(
  ends: readonly E[],
  share: (height: number) => number,
  least: number,
): (E & { shift: number })[] {
  let last = Number.NEGATIVE_INFINITY
  return ends
    .map((end) => ({ ...end, top: share(end.at.y) }))
    .sort((a, b) => a.top - b.top)
    .map((end) => {
      last = Math.max(end.top, last + least)
      const shift = Math.round((16 * (last - end.top)) / least)
      return { ...end, shift: Number.isFinite(shift) ? shift : 0 }
    })
}
