import { matrix } from '../numerics/matrix.ts'
import { padded, short } from './axes.ts'
import { type Drawing, drawing, type Panel } from './drawing.ts'
import { figure, panelWidth } from './figure.ts'
import { type NetworkPlotOptions, type Neuron, neuronsOf, type Shown } from './neurons.ts'
import { blue, ink, muted, orange, paper, rule, series } from './palette.ts'

/** Points of a curve that is not known to be piecewise linear. */
const SAMPLES = 600
/** Hinges beyond so many are too many to tell apart. */
const MOST_HINGES = 60

/** One feature: the curve with its data, and every neuron's part of it. */
export async function networkLine(shown: Shown, options: NetworkPlotOptions): Promise<string> {
  const drawn = await drawing()
  const { model, X, output } = shown
  const several = (options.classes?.length ?? 0) > 2
  const neurons = neuronsOf(model, output).filter(({ gate, slope }) => gate[0] !== 0 && (several || slope !== 0))
  const kinks = neurons.map(({ gate, gateBias }) => -gateBias / gate[0]!)
  const domain = X.rows > 0 ? padded(X.data, 0.06) : padded(kinks.length > 0 ? kinks : [-1, 1], 0.5)
  const inside = distinct(kinks, domain)
  const width = panelWidth(options)
  const rows = [[curvePanel(drawn, shown, options, domain, inside, width)]]
  // What a neuron adds differs from output to output.
  if (neurons.length > 0 && !several) rows.push([hingePanel(drawn, neurons, options, domain, width)])
  const count = `${model.width} neurons, which bend or jump at ${inside.length} ${inside.length === 1 ? 'point' : 'points'} here`
  return figure(rows, { title: 'Network', ...options }, neurons.length > 0 ? count : `${model.width} neurons`)
}

/** The kinks inside, in order; those that differ by rounding are one. */
function distinct(kinks: readonly number[], [low, high]: readonly [number, number]): number[] {
  const inside = kinks.filter((at) => at > low && at < high).sort((a, b) => a - b)
  return inside.filter((at, k) => k === 0 || at - inside[k - 1]! > 1e-7 * (high - low))
}

interface At {
  readonly x: number
  readonly y: number
  /** Pieces of the curve between its jumps. */
  readonly piece: number
}

/** Between two kinks a two-layer network is a line: its ends say all. At a gate's kink it may jump. */
function curve(
  { model }: Shown,
  output: number,
  [low, high]: readonly [number, number],
  kinks: readonly number[],
): At[] {
  const near = (high - low) * 1e-9
  const exact = model.kind === 'relu-network' || model.kind === 'gated-relu-network'
  const xs = exact
    ? [low, ...kinks.flatMap((kink) => [kink - near, kink + near]), high]
    : Array.from({ length: SAMPLES }, (_, k) => low + ((high - low) * k) / (SAMPLES - 1))
  const answers = model.predict(matrix(xs.length, 1, Float64Array.from(xs)))
  const ys = xs.map((_, k) => answers.data[k * answers.columns + output]!)
  const size = Math.max(...ys) - Math.min(...ys) || 1
  let piece = 0
  return xs.map((x, k) => {
    const jumps = k > 0 && x - xs[k - 1]! < 3 * near && Math.abs(ys[k]! - ys[k - 1]!) > 1e-4 * size
    if (jumps) piece++
    return { x, y: ys[k]!, piece }
  })
}

function jumpsOf(points: readonly At[]): { x: number; y1: number; y2: number }[] {
  return points.flatMap((point, k) => {
    const before = points[k - 1]
    return before && before.piece !== point.piece ? [{ x: point.x, y1: before.y, y2: point.y }] : []
  })
}

function curvePanel(
  { Plot, panel }: Drawing,
  shown: Shown,
  { features = ['x'], target = 'f(x)', classes }: NetworkPlotOptions,
  domain: readonly [number, number],
  kinks: readonly number[],
  width: number,
): Panel {
  const { X, y } = shown
  const names = classes?.map(String)
  const several = names !== undefined && names.length > 2
  // Two classes in the colours of the two signs of the output that they share.
  const colours = names?.length === 2 ? [orange, blue] : series
  // Of three or more classes each has an output of its own, and the largest decides.
  const curves = (several ? names.map((_, k) => k) : [shown.output]).map((output) => ({
    colour: several ? series[output % series.length]! : blue,
    points: curve(shown, output, domain, kinks),
  }))
  const data = Array.from(y ?? [], (value, r) => {
    const at = typeof value === 'number' && !names ? -1 : (names ?? []).indexOf(String(value))
    // Two classes share one output, -1 and +1.
    return {
      x: X.data[r]!,
      y: at < 0 ? Number(value) : several ? 1 : 2 * at - 1,
      colour: at < 0 ? muted : colours[at % colours.length]!,
    }
  }).filter((point) => Number.isFinite(point.y))
  return panel(target, {
    width,
    height: 300,
    marginTop: names ? 26 : 8,
    clip: true,
    x: { domain, grid: false, label: features[0]!, ticks: 7, tickFormat: short },
    y: {
      ...{ grid: true, label: null, ticks: 6, tickFormat: short },
      domain: padded(
        [...curves.flatMap(({ points }) => points.map((point) => point.y)), ...data.map((point) => point.y)],
        0.06,
      ),
    },
    marks: [
      Plot.tickX(kinks, { x: (kink: number) => kink, stroke: rule, strokeDasharray: '2 3' }),
      Plot.dot(data, { x: 'x', y: 'y', fill: 'colour', fillOpacity: 0.75, r: data.length > 300 ? 2 : 3.2 }),
      ...curves.flatMap(({ points, colour }) => [
        Plot.link(jumpsOf(points), {
          ...{ x1: 'x', x2: 'x', y1: 'y1', y2: 'y2', stroke: colour, strokeDasharray: '2 3', strokeWidth: 1.5 },
        }),
        Plot.line(points, { x: 'x', y: 'y', z: 'piece', stroke: colour, strokeWidth: 2.4 }),
      ]),
      ...(names ?? []).slice(0, 6).map((name, k) =>
        Plot.text([`● ${name}`], {
          ...{ frameAnchor: 'top-left', dx: 4 + k * 110, dy: -18, textAnchor: 'start', fontWeight: 600 },
          ...{ fill: colours[k % colours.length]!, clip: false },
        }),
      ),
    ],
  })
}

function hingePanel(
  { Plot, panel }: Drawing,
  neurons: readonly Neuron[],
  { features = ['x'] }: NetworkPlotOptions,
  [low, high]: readonly [number, number],
  width: number,
): Panel {
  const hinges = neurons.slice(0, MOST_HINGES).map(({ gate, gateBias, weights, bias, slope }, j) => {
    const kink = -gateBias / gate[0]!
    const part = (x: number): number => (x * weights[0]! + bias) * slope
    // On where gate x + bias >= 0: to the right of the kink, or to its left.
    const [from, to] = gate[0]! > 0 ? [Math.max(kink, low), high] : [low, Math.min(kink, high)]
    const colour = slope * weights[0]! > 0 ? blue : orange
    return { j, kink, at: part(kink), colour, ends: [from, to].map((x) => ({ j, x, y: part(x) })), on: from < to }
  })
  const drawn = hinges.filter(({ on }) => on)
  const kinks = drawn.filter(({ kink }) => kink >= low && kink <= high)
  const more = neurons.length > MOST_HINGES ? ` (the ${MOST_HINGES} strongest)` : ''
  return panel(`What every neuron adds, where it is on${more}`, {
    width,
    height: 230,
    clip: true,
    x: { domain: [low, high], label: features[0]!, ticks: 7, tickFormat: short },
    y: {
      ...{ grid: true, label: null, ticks: 5, tickFormat: short },
      domain: padded([0, ...drawn.flatMap(({ ends }) => ends.map(({ y }) => y))], 0.08),
    },
    marks: [
      Plot.ruleY([0], { stroke: muted, strokeWidth: 0.8 }),
      ...drawn.map(({ ends, colour }) => Plot.line(ends, { x: 'x', y: 'y', stroke: colour, strokeWidth: 1.4 })),
      Plot.dot(kinks, { x: 'kink', y: 'at', fill: 'colour', stroke: paper, strokeWidth: 1, r: 4 }),
      ...(drawn.length === 0 ? [Plot.text(['every neuron is off here'], { frameAnchor: 'middle', fill: ink })] : []),
    ],
  })
}
