import { rounded } from './examples.ts'
import type { Sample } from './messages.ts'
import { kindOf, type View } from './view.ts'

/** What the sheet needs of the page. */
export interface Hands {
  readonly sample: () => Sample
  readonly view: () => View
  /** The class of the next point. */
  readonly colour: () => 1 | -1
  readonly change: (sample: Sample, said: string) => void
  readonly switchColour: () => void
  readonly redraw: () => void
}

/** Pixels within which a point is taken hold of. */
const REACH = 16

/**
 * Lets points be drawn on a canvas. A pointer adds one, moves one, or drags it off the sheet; keys move a cross (arrows, with
 * shift faster), add (enter, space), remove the nearest (delete) and switch the colour (c).
 *
 * @returns where the cross is, once a key has moved it.
 */
export function drawable(canvas: HTMLCanvasElement, hands: Hands): () => readonly [number, number] | undefined {
  let cursor: [number, number] | undefined
  let held: number | undefined

  const place = ({ clientX, clientY }: PointerEvent): [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect()
    const view = hands.view()
    return [
      rounded(view.left + ((clientX - left) / width) * (view.right - view.left)),
      rounded(view.top - ((clientY - top) / height) * (view.top - view.bottom)),
    ]
  }
  /** The nearest point and its distance in pixels. */
  const nearest = ([x, y]: readonly [number, number]): { point: number; distance: number } => {
    const sample = hands.sample()
    const view = hands.view()
    let best = { point: -1, distance: Number.POSITIVE_INFINITY }
    sample.rows.forEach((row, point) => {
      const up = kindOf(sample) === 'curve' ? sample.y[point]! : row[1]!
      const distance = Math.hypot(
        ((row[0]! - x) / (view.right - view.left)) * canvas.clientWidth,
        ((up - y) / (view.top - view.bottom)) * canvas.clientHeight,
      )
      if (distance < best.distance) best = { point, distance }
    })
    return best
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || kindOf(hands.sample()) === 'truth') return
    canvas.setPointerCapture(event.pointerId)
    cursor = undefined
    const at = place(event)
    const { point, distance } = nearest(at)
    held = distance <= REACH ? point : hands.sample().rows.length
    if (distance > REACH)
      hands.change(withPoint(hands.sample(), at, hands.colour()), `Point added at ${at.join(', ')}.`)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (held === undefined) return
    hands.change(movedPoint(hands.sample(), held, place(event)), '')
  })
  const release = (event: PointerEvent): void => {
    if (held === undefined) return
    const view = hands.view()
    const [x, y] = place(event)
    if (x < view.left || x > view.right || y < view.bottom || y > view.top)
      hands.change(withoutPoint(hands.sample(), held), 'Point removed.')
    held = undefined
  }
  canvas.addEventListener('pointerup', release)
  canvas.addEventListener('pointercancel', () => {
    held = undefined
  })

  canvas.addEventListener('keydown', (event) => {
    if (kindOf(hands.sample()) === 'truth' || event.ctrlKey || event.metaKey || event.altKey) return
    const view = hands.view()
    const at: [number, number] = cursor ?? [(view.left + view.right) / 2, (view.bottom + view.top) / 2]
    const step = event.shiftKey ? 0.1 : 0.02
    const arrows: Record<string, readonly [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    }
    const arrow = arrows[event.key]
    if (arrow) {
      const clamp = (value: number, low: number, high: number): number => rounded(Math.min(high, Math.max(low, value)))
      cursor = [
        clamp(at[0] + arrow[0] * step * (view.right - view.left), view.left, view.right),
        clamp(at[1] + arrow[1] * step * (view.top - view.bottom), view.bottom, view.top),
      ]
      hands.redraw()
    } else if (event.key === 'Enter' || event.key === ' ') {
      cursor = at
      hands.change(withPoint(hands.sample(), at, hands.colour()), `Point added at ${at.join(', ')}.`)
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      const { point } = nearest(at)
      if (point >= 0) hands.change(withoutPoint(hands.sample(), point), 'Nearest point removed.')
    } else if (event.key === 'c') hands.switchColour()
    else return
    event.preventDefault()
  })
  return () => cursor
}

export function withPoint(sample: Sample, [x, y]: readonly [number, number], colour: 1 | -1): Sample {
  return kindOf(sample) === 'curve'
    ? { ...sample, rows: [...sample.rows, [x]], y: [...sample.y, sample.task === 'classification' ? colour : y] }
    : { ...sample, rows: [...sample.rows, [x, y]], y: [...sample.y, colour] }
}

function movedPoint(sample: Sample, point: number, [x, y]: readonly [number, number]): Sample {
  const curve = kindOf(sample) === 'curve'
  const rows = sample.rows.map((row, i) => (i === point ? (curve ? [x] : [x, y]) : row))
  if (!curve || sample.task === 'classification') return { ...sample, rows }
  return { ...sample, rows, y: sample.y.map((value, i) => (i === point ? y : value)) }
}

function withoutPoint(sample: Sample, point: number): Sample {
  const others = <T>(all: readonly T[]): T[] => all.filter((_, i) => i !== point)
  return { ...sample, rows: others(sample.rows), y: others(sample.y) }
}
