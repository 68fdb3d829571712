import type { NetworkJson, Sample } from './messages.ts'
import { hingesOf, valueAt } from './network.ts'
import { kindOf, ticks, type View } from './view.ts'
import { short } from './words.ts'

/** What is drawn. */
export interface Picture {
  readonly sample: Sample
  readonly view: View
  readonly network?: NetworkJson
  /** Where the keyboard's cross is, in units of the data. */
  readonly cursor?: readonly [number, number]
}

/** Colours of the page, by the names of its style sheet. */
type Ink = Record<
  'ink' | 'soft' | 'grid' | 'surface' | 'high' | 'low' | 'high-tint' | 'low-tint' | 'neutral' | 'accent',
  string
>

/** A sheet of paper: from units of the data to pixels, and what draws on it. */
interface Sheet {
  readonly context: CanvasRenderingContext2D
  readonly ink: Ink
  readonly width: number
  readonly height: number
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

/** Draws the points and what the network makes of them, sharp on any screen. */
export function drawPicture(canvas: HTMLCanvasElement, picture: Picture): void {
  const { clientWidth: width, clientHeight: height } = canvas
  const ratio = globalThis.devicePixelRatio || 1
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')!
  context.scale(ratio, ratio)
  const { view, sample } = picture
  const sheet: Sheet = {
    context,
    ink: inkOf(canvas),
    width,
    height,
    x: (value) => ((value - view.left) / (view.right - view.left)) * width,
    y: (value) => height - ((value - view.bottom) / (view.top - view.bottom)) * height,
  }
  const kind = kindOf(sample)
  if (kind === 'map' && picture.network) drawRegions(sheet, picture, picture.network)
  drawGrid(sheet, picture)
  if (kind === 'curve' && picture.network) drawCurve(sheet, picture.network, view)
  if (kind === 'map' && picture.network) drawLines(sheet, picture.network, view)
  if (kind === 'truth') drawTruth(sheet, picture)
  else for (const [i, row] of sample.rows.entries()) drawPoint(sheet, sample, row, i)
  if (picture.cursor) drawCursor(sheet, picture.cursor)
}

function inkOf(element: Element): Ink {
  const style = getComputedStyle(element)
  const names = ['ink', 'soft', 'grid', 'surface', 'high', 'low', 'high-tint', 'low-tint', 'neutral', 'accent'] as const
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Ink
}

function drawGrid({ context, ink, width, height, x, y }: Sheet, { view, sample }: Picture): void {
  const map = kindOf(sample) === 'map'
  context.lineWidth = 1
  context.font = '11px system-ui, sans-serif'
  context.strokeStyle = ink.grid
  context.fillStyle = ink.soft
  for (const value of ticks(view.left, view.right, width / 90)) {
    if (!map) line(context, x(value), 0, x(value), height)
    context.textAlign = 'center'
    if (x(value) > 30 && x(value) < width - 20) context.fillText(short(value), x(value), height - 6)
  }
  for (const value of ticks(view.bottom, view.top, height / 70)) {
    if (!map) line(context, 0, y(value), width, y(value))
    context.textAlign = 'left'
    if (y(value) > 22 && y(value) < height - 22) context.fillText(short(value), 6, y(value) - 4)
  }
}

/** The graph, exact: straight between hinges. Hinges are dots on it, with a mark below. */
function drawCurve({ context, ink, height, x, y }: Sheet, network: NetworkJson, view: View): void {
  const hinges = hingesOf(network).filter((at) => at > view.left && at < view.right)
  context.strokeStyle = ink.soft
  context.lineWidth = 1
  context.setLineDash([2, 4])
  for (const at of hinges) line(context, x(at), height - 22, x(at), y(valueAt(network, [at])))
  context.setLineDash([])
  context.strokeStyle = ink.high
  context.lineWidth = 2.6
  context.lineJoin = 'round'
  context.beginPath()
  for (const at of [view.left, ...hinges, view.right]) context.lineTo(x(at), y(valueAt(network, [at])))
  context.stroke()
  context.fillStyle = ink.high
  for (const at of hinges) {
    disc(context, x(at), y(valueAt(network, [at])), 3.4)
    context.beginPath()
    context.moveTo(x(at) - 4, height - 16)
    context.lineTo(x(at) + 4, height - 16)
    context.lineTo(x(at), height - 23)
    context.fill()
  }
}

/** Pixels to a side of what is coloured as one. */
const GRAIN = 4

/** The plane coloured by the network: by its sign for classes, by its value over the range of the targets otherwise. */
function drawRegions({ context, ink, width, height }: Sheet, { sample, view }: Picture, network: NetworkJson): void {
  const columns = Math.ceil(width / GRAIN) + 1
  const rows = Math.ceil(height / GRAIN) + 1
  const { middle, reach } = scaleOf(sample)
  const values = new Float64Array(columns * rows)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      values[r * columns + c] =
        (valueAt(network, [
          view.left + ((c * GRAIN) / width) * (view.right - view.left),
          view.top - ((r * GRAIN) / height) * (view.top - view.bottom),
        ]) -
          middle) /
        reach
  const tints = [ink['low-tint'], ink.neutral, ink['high-tint']].map(channels)
  const image = new ImageData(columns, rows)
  values.forEach((value, k) => {
    const share = Math.min(1, Math.abs(value))
    const [from, to] = [tints[1]!, tints[value > 0 ? 2 : 0]!]
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * k + channel] = from[channel]! + share * (to[channel]! - from[channel]!)
    image.data[4 * k + 3] = 255
  })
  const small = new OffscreenCanvas(columns, rows)
  small.getContext('2d')!.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = true
  context.drawImage(small, -GRAIN / 2, -GRAIN / 2, columns * GRAIN, rows * GRAIN)
  if (sample.task === 'regression') return
  context.strokeStyle = ink.ink
  context.lineWidth = 1.8
  context.beginPath()
  for (let r = 0; r + 1 < rows; r++)
    for (let c = 0; c + 1 < columns; c++) {
      const at = r * columns + c
      crossing(context, [values[at]!, values[at + 1]!, values[at + columns + 1]!, values[at + columns]!], c, r)
    }
  context.stroke()
}

/** Where zero crosses the sides of one square, joined (marching squares; the two ends of a saddle as they come). */
function crossing(context: CanvasRenderingContext2D, corners: readonly number[], column: number, row: number): void {
  const places = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ] as const
  let ends = 0
  for (let k = 0; k < 4; k++) {
    const [a, b] = [corners[k]!, corners[(k + 1) % 4]!]
    if (a > 0 === b > 0) continue
    const share = a / (a - b)
    const [from, to] = [places[k]!, places[(k + 1) % 4]!]
    const x = GRAIN * (column + from[0] + share * (to[0] - from[0]))
    const y = GRAIN * (row + from[1] + share * (to[1] - from[1]))
    if (ends++ % 2 === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
}

/** Where a value stands between the colours. */
export function scaleOf({ task, y }: Sample): { readonly middle: number; readonly reach: number } {
  if (task === 'classification' || y.length === 0) return { middle: 0, reach: 1 }
  const low = y.reduce((a, b) => Math.min(a, b))
  const high = y.reduce((a, b) => Math.max(a, b))
  return { middle: (low + high) / 2, reach: (high - low) / 2 || 1 }
}

/** The lines where neurons switch, w'x + b = 0. */
function drawLines({ context, ink, x, y }: Sheet, { W1, b1 }: NetworkJson, view: View): void {
  context.strokeStyle = ink.soft
  context.globalAlpha = 0.55
  context.lineWidth = 1
  context.setLineDash([2, 4])
  W1.forEach(([a, b], j) => {
    const steep = Math.abs(a!) * (view.right - view.left) > Math.abs(b!) * (view.top - view.bottom)
    const across = (at: number): number => -(b1[j]! + a! * at) / b!
    const down = (at: number): number => -(b1[j]! + b! * at) / a!
    if (steep) line(context, x(down(view.bottom)), y(view.bottom), x(down(view.top)), y(view.top))
    else if (b !== 0) line(context, x(view.left), y(across(view.left)), x(view.right), y(across(view.right)))
  })
  context.setLineDash([])
  context.globalAlpha = 1
}

function drawPoint({ context, ink, x, y }: Sheet, sample: Sample, row: readonly number[], i: number): void {
  const value = sample.y[i]!
  context.lineWidth = 1.6
  if (sample.features.length === 1) {
    context.fillStyle = ink.ink
    context.strokeStyle = ink.surface
    disc(context, x(row[0]!), y(value), 4.6)
    context.stroke()
    return
  }
  const [left, up] = [x(row[0]!), y(row[1]!)]
  const { middle, reach } = scaleOf(sample)
  const level = (value - middle) / reach
  context.fillStyle = level > 0 ? ink.high : ink.low
  context.strokeStyle = ink.surface
  if (sample.task === 'classification' && level < 0) {
    context.fillRect(left - 4.6, up - 4.6, 9.2, 9.2)
    context.strokeRect(left - 4.6, up - 4.6, 9.2, 9.2)
  } else {
    // Of a quantity, size says how far from the middle.
    disc(context, left, up, sample.task === 'classification' ? 5.2 : 2.5 + 3.5 * Math.abs(level))
    context.stroke()
  }
}

/** Predictions over the truth: on the diagonal where they agree. */
function drawTruth({ context, ink, x, y }: Sheet, { sample, network, view }: Picture): void {
  context.strokeStyle = ink.soft
  line(context, x(view.left), y(view.left), x(view.right), y(view.right))
  if (!network) return
  context.fillStyle = ink.high
  context.globalAlpha = 0.75
  sample.rows.forEach((row, i) => {
    disc(context, x(sample.y[i]!), y(valueAt(network, row)), 3.6)
  })
  context.globalAlpha = 1
}

function drawCursor({ context, ink, x, y }: Sheet, [across, up]: readonly [number, number]): void {
  const [left, high] = [x(across), y(up)]
  context.strokeStyle = ink.accent
  context.lineWidth = 2
  line(context, left - 12, high, left + 12, high)
  line(context, left, high - 12, left, high + 12)
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath()
  context.moveTo(x0, y0)
  context.lineTo(x1, y1)
  context.stroke()
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fill()
}

/** #rrggbb as three numbers. */
function channels(colour: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number]
}
