import { matrix } from '../numerics/matrix.ts'
import { padded, short } from './axes.ts'
import { type Drawing, drawing, type Panel } from './drawing.ts'
import { figure, panelWidth } from './figure.ts'
import { type NetworkPlotOptions, type Neuron, neuronsOf, type Shown } from './neurons.ts'
import { diverging, ink, muted, paper, series, tint } from './palette.ts'

/** Cells of the grid that the function is sampled on, along each axis. */
const CELLS = 140
/** Bands of one colour on either side of the middle. */
const BANDS = 6
const MOST_LINES = 150

interface Plane {
  /** What is shown. */
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
  /** What is sampled: a little more, so that no edge of an area is seen that is none of the function's. */
  readonly wide: { readonly x: readonly [number, number]; readonly y: readonly [number, number] }
  /** CELLS x CELLS predictions at the cells' centres, row by row from the lowest y. */
  readonly values: readonly Float64Array[]
}

/** Two features: level sets or classes, the data, and the lines where neurons switch. */
export async function networkPlane(shown: Shown, options: NetworkPlotOptions): Promise<string> {
  const drawn = await drawing()
  const { model, output } = shown
  const neurons = neuronsOf(model, output)
  const plane = sampled(shown)
  const { classes } = options
  const legend = 96
  const width = Math.min(panelWidth(options) - legend, 560)
  const several = classes !== undefined && classes.length > 2
  const panels = several
    ? [map(drawn, shown, plane, neurons, options, width, classMarks(drawn, plane), () => muted)]
    : bandPanels(drawn, shown, plane, neurons, options, width, legend)
  const lines = neurons.filter((neuron) => chord(neuron, plane) !== undefined).length
  const subtitle =
    neurons.length > 0
      ? `${model.width} neurons; the ${lines} lines are where they switch on or off`
      : `${model.width} neurons`
  return figure(
    [panels],
    { title: 'Network', ...options, width: options.width ?? width + (several ? 24 : legend + 44) },
    subtitle,
  )
}

function sampled({ model, X }: Shown): Plane {
  const column = (k: number): number[] => Array.from({ length: X.rows }, (_, r) => X.data[2 * r + k]!)
  const [x, y] = [0, 1].map((k) => (X.rows > 0 ? padded(column(k), 0.08) : ([-1, 1] as [number, number]))) as [
    [number, number],
    [number, number],
  ]
  const wide = { x: padded(x, 0.03), y: padded(y, 0.03) }
  const grid = matrix(CELLS * CELLS, 2)
  const centre = ([low, high]: readonly [number, number], k: number): number => low + ((high - low) * (k + 0.5)) / CELLS
  for (let i = 0; i < CELLS; i++)
    for (let j = 0; j < CELLS; j++) grid.data.set([centre(wide.x, j), centre(wide.y, i)], 2 * (i * CELLS + j))
  const answers = model.predict(grid)
  const values = Array.from({ length: answers.columns }, (_, k) =>
    Float64Array.from({ length: CELLS * CELLS }, (_, at) => answers.data[at * answers.columns + k]!),
  )
  return { x, y, wide, values }
}

type Marks = import('@observablehq/plot').Markish[]

/** Where values are above a level, as an area; `stroke` draws its edge alone. */
function above(
  { Plot }: Drawing,
  { wide: { x, y } }: Plane,
  values: Float64Array,
  level: number,
  style: { fill?: string; stroke?: string; strokeWidth?: number },
): Marks[number] {
  return Plot.contour(Array.from(values), {
    ...{
      width: CELLS,
      height: CELLS,
      x1: x[0],
      x2: x[1],
      y1: y[0],
      y2: y[1],
      thresholds: [level],
      value: (v: number) => v,
    },
    ...{ clip: true, fill: 'none', stroke: 'none', ...style },
  } as object)
}

function bandPanels(
  drawn: Drawing,
  shown: Shown,
  plane: Plane,
  neurons: readonly Neuron[],
  options: NetworkPlotOptions,
  width: number,
  legend: number,
): Panel[] {
  const values = plane.values[shown.output]!
  const twoClasses = options.classes?.length === 2
  // One scale for what is said and what is wanted, so that the two can be compared.
  const targets = twoClasses ? [] : Array.from(shown.y ?? [], Number).filter(Number.isFinite)
  const [low, high] = [...values, ...targets].reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as [number, number],
  )
  // Of a classifier the middle is its decision; of a regression the middle of what it says.
  const middle = twoClasses ? 0 : (low + high) / 2
  const reach = twoClasses ? 1 : Math.max(high - middle, middle - low) || 1
  const level = (band: number): number => middle + (reach * band) / BANDS
  const colour = (band: number): string => diverging((band + 0.5) / BANDS)
  const bandOf = (value: number): number =>
    Math.max(-BANDS, Math.min(BANDS - 1, Math.floor((BANDS * (value - middle)) / reach)))
  const marks: Marks = [drawn.Plot.frame({ fill: colour(-BANDS), stroke: 'none' })]
  for (let band = 1 - BANDS; band < BANDS; band++)
    if (high > level(band)) marks.push(above(drawn, plane, values, level(band), { fill: colour(band) }))
  if (twoClasses) marks.push(above(drawn, plane, values, 0, { stroke: ink, strokeWidth: 2 }))
  const bands = Array.from({ length: 2 * BANDS }, (_, k) => k - BANDS).map((band) => ({
    ...{ y1: level(band), y2: level(band + 1), fill: colour(band) },
  }))
  const chart = map(drawn, shown, plane, neurons, options, width, marks, (value) => colour(bandOf(value)))
  const { Plot, panel } = drawn
  const bar = panel('', {
    ...{ width: legend, height: chart.height, marginTop: 60, marginBottom: 100, marginLeft: 6, marginRight: 66 },
    x: { axis: null },
    y: { axis: 'right', label: null, domain: [level(-BANDS), level(BANDS)], ticks: 5, tickFormat: short },
    marks: [
      Plot.rect(bands, { x1: 0, x2: 1, y1: 'y1', y2: 'y2', fill: 'fill' } as object),
      Plot.text([options.target ?? (twoClasses ? 'score' : 'f(x)')], {
        ...{ frameAnchor: 'top-left', dy: -22, textAnchor: 'start', fill: muted },
      }),
    ],
  })
  return [chart, bar]
}

/** Every class where its output is the largest. */
function classMarks(drawn: Drawing, plane: Plane): Marks {
  const marks: Marks = []
  plane.values.forEach((own, k) => {
    const margin = own.map((value, at) => {
      let other = Number.NEGATIVE_INFINITY
      for (let l = 0; l < plane.values.length; l++) if (l !== k) other = Math.max(other, plane.values[l]![at]!)
      return value - other
    })
    const colour = series[k % series.length]!
    marks.push(above(drawn, plane, margin, 0, { fill: tint(colour, 0.3), stroke: ink, strokeWidth: 1 }))
  })
  return marks
}

function map(
  { Plot, panel }: Drawing,
  { X, y }: Shown,
  plane: Plane,
  neurons: readonly Neuron[],
  { features = ['x₁', 'x₂'], classes }: NetworkPlotOptions,
  width: number,
  background: Marks,
  /** Of a target that is a number. */
  colourOf: (value: number) => string,
): Panel {
  const strongest = neurons[0]?.strength || 1
  // Many lines would hide what they bound.
  const faint = Math.min(1, Math.sqrt(25 / Math.max(1, neurons.length)))
  const lines = neurons.slice(0, MOST_LINES).flatMap((neuron) => {
    const ends = chord(neuron, plane)
    // In four widths, so that the strongest can be told from the rest.
    const share = Math.ceil(4 * Math.min(1, neuron.strength / strongest)) / 4
    return ends ? [{ ...ends, width: 0.5 + 1.3 * share, opacity: (0.25 + 0.5 * share) * faint }] : []
  })
  const names = (classes ?? [...new Set(Array.from(y ?? [], String))]).map(String)
  const byClass = classes !== undefined || Array.from(y ?? []).some((value) => typeof value === 'string')
  // Two classes in the colours of the two signs of the output that they share.
  const colours = names.length === 2 ? [series[1]!, series[0]!] : series
  const points = Array.from({ length: X.rows }, (_, r) => ({
    x: X.data[2 * r]!,
    y: X.data[2 * r + 1]!,
    fill: byClass
      ? (colours[names.indexOf(String(y![r])) % colours.length] ?? muted)
      : y && Number.isFinite(y[r])
        ? colourOf(Number(y[r]))
        : muted,
  }))
  const height = Math.round(width * 0.92)
  const key = byClass
    ? names.slice(0, 6).map((name, k) =>
        Plot.text([`● ${name}`], {
          ...{ frameAnchor: 'top-left', dx: 4 + k * Math.min(110, (width - 80) / Math.max(names.length, 1)), dy: -18 },
          ...{ textAnchor: 'start', fill: colours[k % colours.length]!, fontWeight: 600 },
        }),
      )
    : []
  return panel('', {
    width,
    height,
    marginTop: byClass ? 26 : 10,
    x: { domain: plane.x, label: features[0]!, ticks: 6, tickFormat: short },
    y: { domain: plane.y, label: features[1]!, ticks: 6, tickFormat: short, labelAnchor: 'center', labelOffset: 48 },
    marks: [
      ...background,
      ...lines.map(({ width: strokeWidth, opacity: strokeOpacity, ...ends }) =>
        Plot.link([ends], { x1: 'x1', y1: 'y1', x2: 'x2', y2: 'y2', stroke: ink, strokeWidth, strokeOpacity }),
      ),
      Plot.dot(points, {
        ...{ x: 'x', y: 'y', fill: 'fill', stroke: byClass ? paper : ink, strokeWidth: byClass ? 1 : 0.6 },
        r: points.length > 300 ? 2.6 : 3.6,
      }),
      ...key,
    ],
  })
}

/** The part of a neuron's line g'x + c = 0 inside the rectangle; undefined where it passes by. */
function chord(
  { gate, gateBias }: Neuron,
  { x, y }: Plane,
): { x1: number; y1: number; x2: number; y2: number } | undefined {
  const [a, b] = gate as [number, number]
  const points: [number, number][] = []
  const add = (px: number, py: number): void => {
    const inside = px >= x[0] && px <= x[1] && py >= y[0] && py <= y[1]
    if (inside && !points.some(([qx, qy]) => qx === px && qy === py)) points.push([px, py])
  }
  if (b !== 0) for (const px of x) add(px, -(gateBias + a * px) / b)
  if (a !== 0) for (const py of y) add(-(gateBias + b * py) / a, py)
  // Through a corner the same end may come twice, apart by rounding: the furthest is the other one.
  const [from] = points
  if (!from) return undefined
  const [width, height] = [x[1] - x[0], y[1] - y[0]]
  const away = ([px, py]: [number, number]): number => Math.hypot((px - from[0]) / width, (py - from[1]) / height)
  const to = points.reduce((a, b) => (away(b) > away(a) ? b : a))
  return away(to) < 1e-9 ? undefined : { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }
}
