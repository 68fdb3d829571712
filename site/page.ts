import { drawable } from './board.ts'
import { pointedAt } from './chart.ts'
import { drawClosing, drawDuel, drawPath, lambdaAxis } from './charts.ts'
import { blank, examples } from './examples.ts'
import { fromHash, toHash } from './link.ts'
import type { Check, Duel, PathPoint, PathStart, Reply, Request, Sample } from './messages.ts'
import { drawPicture } from './picture.ts'
import { startSolver } from './solver.ts'
import { tableOf } from './table.ts'
import { kindOf, type View, viewOf } from './view.ts'
import { agreement, bounded, checked, claim, duelWords, plural, short, statusWords } from './words.ts'

const at = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E
const canvas = at<HTMLCanvasElement>('board')
const slider = at<HTMLInputElement>('lambda')
const table = at<HTMLTextAreaElement>('table')
const target = at<HTMLSelectElement>('target')

// What is shown: the points, whether they were drawn here, and the path as far as it is solved.
let sample: Sample = blank('regression')
let drawn = true
let view: View = viewOf(sample, drawn)
let colour: 1 | -1 = 1
let start: PathStart | undefined
let points: PathPoint[] = []
let ended = false
// The network of the points as they were a moment ago, shown while they are moved.
let before: PathPoint | undefined
let past: { sample: Sample; drawn: boolean }[] = []
let playing: ReturnType<typeof setInterval> | undefined

const solver = startSolver(hear, (reason) => tell(`The solver stopped (${reason}); reload the page.`))
const cursor = drawable(canvas, {
  sample: () => sample,
  view: () => view,
  colour: () => colour,
  change(changed, said) {
    if (said !== '') remember()
    setSample(changed, { drawn, follow: false })
    if (said !== '') announce(said)
  },
  switchColour: () => setColour(colour === 1 ? -1 : 1),
  redraw: draw,
})

/** The point of the path that is shown: where the slider stands, or as far as the path has come. */
function shown(): PathPoint | undefined {
  const wanted = points[Number(slider.value)]
  return wanted ?? (ended ? points.at(-1) : (before ?? points.at(-1)))
}

interface Change {
  readonly drawn: boolean
  /** Show the path as it is solved, rather than the network of a moment ago until the slider's lambda is. */
  readonly follow: boolean
  /** The text it was read from, which stays as it is. */
  readonly text?: string
}

function setSample(next: Sample, { drawn: isDrawn, follow, text = tableOf(next) }: Change): void {
  before = follow || kindOf(next) !== kindOf(sample) ? undefined : shown()
  const keepsView = isDrawn === drawn && !isDrawn && !follow
  sample = next
  drawn = isDrawn
  if (!keepsView) view = viewOf(sample, drawn)
  start = undefined
  points = []
  ended = false
  tell('')
  if (table.value !== text) table.value = text
  schedule()
  showTools()
  show()
}

let due: ReturnType<typeof setTimeout> | undefined

/** Many changes in a row, as of a point that is dragged, are one problem to solve. */
function schedule(): void {
  clearTimeout(due)
  due = setTimeout(() => {
    if (sample.rows.length > 1) solver.ask({ kind: 'solve', sample })
    else {
      before = undefined
      show()
    }
  }, 40)
}

function remember(): void {
  past = [...past.slice(-99), { sample, drawn }]
}

function hear(reply: Reply, asked: Request['kind']): void {
  if (reply.kind === 'start') {
    start = reply
    points = []
    ended = false
    slider.max = String(reply.lambdas.length - 1)
    hideResults()
  } else if (reply.kind === 'point') points = [...points, reply.point]
  else if (reply.kind === 'end') {
    ended = true
    before = undefined
  } else if (reply.kind === 'table') {
    remember()
    press('')
    setSample(reply.sample, { drawn: false, follow: true, text: table.value })
    target.replaceChildren(...reply.columns.map((name) => new Option(name, name, false, name === reply.sample.target)))
    at('predict').hidden = false
    document.querySelector('.stage')!.scrollIntoView({ block: 'nearest' })
  } else if (reply.kind === 'check') showCheck(reply)
  else if (reply.kind === 'duel') showDuel(reply)
  else {
    if (asked === 'solve') before = undefined
    tell(reply.sentence, asked === 'solve')
  }
  if (asked === 'solve') later(show)
}

let waiting: (() => void) | undefined

/** Once a frame at most. */
function later(what: () => void): void {
  if (!waiting)
    requestAnimationFrame(() => {
      const now = waiting!
      waiting = undefined
      now()
    })
  waiting = what
}

/** A sentence about what cannot be: beside the table, or on the sheet where it speaks of the points. */
function tell(sentence: string, onSheet = false): void {
  at('sentence').textContent = sentence
  at('sentence').hidden = sentence === '' || onSheet
  at('empty').textContent = onSheet ? sentence : ''
  at('empty').hidden = !onSheet || sentence === ''
}

function announce(said: string): void {
  at('taken').textContent = said
}

function draw(): void {
  const point = shown()
  const cross = cursor()
  drawPicture(canvas, { sample, view, ...(point && { network: point.network }), ...(cross && { cursor: cross }) })
}

/** Everything that depends on the point of the path. */
function show(): void {
  draw()
  const point = shown()
  const settled = point !== undefined && point !== before
  slider.disabled = !start
  for (const id of ['check', 'duel', 'download']) at<HTMLButtonElement>(id).disabled = !settled
  if (sample.rows.length < 2) {
    at('empty').hidden = false
    at('empty').textContent =
      sample.rows.length === 0 ? 'Click or tap to draw points.' : 'One more point, and there is something to learn.'
  }
  at('progress').textContent = start
    ? ended
      ? `${points.filter(({ status }) => status === 'solved').length} of ${points.length} proved`
      : `${points.length} of ${start.lambdas.length} \u2026`
    : '\u2013'
  if (!point || !settled || !start) {
    if (!point) clearNumbers()
    return
  }
  const { certificate, network, lambda, status } = point
  at('lambda-value').textContent = short(lambda)
  slider.setAttribute('aria-valuetext', `lambda ${short(lambda)}, ${plural(network.b1.length, 'neuron')}`)
  at('neurons').textContent = String(network.b1.length)
  at('score-name').textContent = sample.task === 'regression' ? `error of ${sample.target} (RMS)` : 'on the right side'
  at('score').textContent = sample.task === 'regression' ? short(point.score) : `${short(100 * point.score)} %`
  const pill = at('status')
  pill.textContent = statusWords(point)
  pill.className = `pill ${status === 'solved' ? 'solved' : 'open'}`
  at('claim').textContent = claim(point, start)
  const [same, upper, lower] = agreement(certificate.primal, certificate.dual)
  split('primal', same, upper)
  split('dual', same, lower)
  at('gap').textContent = certificate.relativeGap <= 0 ? '0' : certificate.relativeGap.toExponential(1)
  at('paid').textContent =
    `Paid is half the mean squared error${sample.task === 'regression' ? ', in standard deviations,' : ''} plus \u03bb/2 times the sum of squared weights.`
  showNumbers(point, start)
  drawClosing(at('gap-chart'), point)
  drawPath(at('path-chart'), start, points, point.index)
}

/** A number with its digits that are certain in bold. */
function split(id: string, same: string, rest: string): void {
  const bold = document.createElement('b')
  bold.textContent = same
  at(id).replaceChildren(bold, rest)
}

function clearNumbers(): void {
  for (const id of ['lambda-value', 'neurons', 'score', 'primal', 'dual', 'gap']) at(id).textContent = '\u2013'
  for (const id of ['claim', 'status', 'paid']) at(id).textContent = ''
  for (const id of ['gap-chart', 'path-chart', 'numbers']) at(id).replaceChildren()
  hideResults()
}

function showNumbers(
  { certificate, lambda, iterations, seconds }: PathPoint,
  { lambdas, patterns, scope }: PathStart,
): void {
  const rows: [string, string][] = [
    ['rows, features', `${sample.rows.length}, ${sample.features.length}`],
    ['activation patterns', `${patterns.toLocaleString('en')}${scope === 'network' ? ', all there are' : ', sampled'}`],
    ['the bound speaks of', bounded({ scope, patterns, lambdas }).replace(/^no/, 'every')],
    ['\u03bb / \u03bb max', short(lambda / lambdas[0]!)],
    ['primal', certificate.primal.toPrecision(12)],
    ['dual', certificate.dual.toPrecision(12)],
    ['stationarity', short(certificate.stationarity, 2)],
    ['primal feasibility', short(certificate.primalFeasibility, 2)],
    ['dual feasibility', short(certificate.dualFeasibility, 2)],
    ['complementarity', short(certificate.complementarity, 2)],
    ['iterations', iterations.toLocaleString('en')],
    ['time', `${Math.round(1000 * seconds)} ms`],
  ]
  at('numbers').replaceChildren(
    ...rows.map(([name, value]) => {
      const row = document.createElement('div')
      const term = document.createElement('dt')
      const description = document.createElement('dd')
      term.textContent = name
      description.textContent = value
      row.append(term, description)
      return row
    }),
  )
}

function hideResults(): void {
  at('check-result').hidden = true
  at('duel-result').hidden = true
}

function showCheck(check: Check): void {
  at('check-result').hidden = false
  at('check-result').textContent = checked(check, start!)
}

function showDuel(duel: Duel): void {
  const { certificate } = shown()!
  at('duel-result').hidden = false
  at('duel-result').querySelector('p')!.textContent = duelWords(duel, certificate.primal, certificate.dual)
  drawDuel(at('duel-chart'), duel, certificate.dual)
}

function setColour(next: 1 | -1): void {
  colour = next
  for (const button of at('classes').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.class) === colour))
  announce(`The next point is ${(sample.classes ?? ['', ''])[colour > 0 ? 1 : 0]}.`)
}

function showTools(): void {
  const kind = kindOf(sample)
  const classes = at('classes')
  classes.hidden = sample.task !== 'classification' || kind === 'truth'
  classes.querySelectorAll('span').forEach((span, k) => {
    span.textContent = sample.classes?.[k] ?? ''
  })
  at('keys').hidden = kind === 'truth'
  canvas.className = kind === 'truth' ? 'fixed' : ''
  canvas.setAttribute('aria-label', labelOf(sample))
  at('hint').textContent =
    kind === 'truth'
      ? `Predicted ${sample.target} (up) against the true one (across): on the line where they agree.`
      : 'Click to add a point, drag to move it, drag it out to remove it.'
  at<HTMLButtonElement>('undo').disabled = past.length === 0
  at<HTMLButtonElement>('clear').disabled = sample.rows.length === 0
}

function labelOf({ rows, features, target: predicted }: Sample): string {
  const count = plural(rows.length, 'point')
  return features.length === 1
    ? `Graph of ${predicted} over ${features[0]} with ${count} and the network's curve.`
    : features.length === 2
      ? `Map of ${features.join(' and ')} with ${count} coloured by ${predicted}, and the network's regions.`
      : `Predictions of ${predicted} against the truth, ${count}.`
}

function moveTo(index: number): void {
  const last = Math.max(0, (ended ? points.length : (start?.lambdas.length ?? 1)) - 1)
  slider.value = String(Math.min(last, Math.max(0, index)))
  hideResults()
  before = undefined
  later(show)
}

function stop(): void {
  clearInterval(playing)
  playing = undefined
  at('play').textContent = '\u25b6'
  at('play').setAttribute('aria-label', 'Play the path')
}

function play(): void {
  if (playing !== undefined) {
    stop()
    return
  }
  if (Number(slider.value) >= points.length - 1) moveTo(0)
  at('play').textContent = '\u275a\u275a'
  at('play').setAttribute('aria-label', 'Pause')
  playing = setInterval(() => {
    const next = Number(slider.value) + 1
    if (next > points.length - 1) {
      if (ended) stop()
      return
    }
    moveTo(next)
  }, 110)
}

function button(parent: HTMLElement, text: string, act: () => void): void {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = text
  made.addEventListener('click', act)
  parent.append(made)
}

function press(name: string): void {
  for (const one of document.querySelectorAll('#examples button, #own button'))
    one.setAttribute('aria-pressed', String(one.textContent === name))
}

function load(name: string, next: Sample, index: number): void {
  slider.value = String(index)
  if (sample.rows.length > 0) remember()
  at('predict').hidden = true
  setSample(next, { drawn: true, follow: true })
  press(name)
}

for (const [name, { make, index }] of Object.entries(examples))
  button(at('examples'), name, () => load(name, make(), index))
button(at('own'), 'My curve', () => load('My curve', blank('regression'), 32))
button(at('own'), 'My colours', () => load('My colours', blank('classification'), 40))
for (const one of at('classes').querySelectorAll('button'))
  one.addEventListener('click', () => setColour(Number(one.dataset.class) as 1 | -1))
at('undo').addEventListener('click', () => {
  const last = past.at(-1)
  if (!last) return
  past = past.slice(0, -1)
  setSample(last.sample, { drawn: last.drawn, follow: false })
})
at('clear').addEventListener('click', () => {
  remember()
  setSample(kindOf(sample) === 'truth' ? blank(sample.task) : { ...sample, rows: [], y: [] }, {
    drawn: drawn || kindOf(sample) === 'truth',
    follow: true,
  })
})
slider.addEventListener('input', () => {
  stop()
  moveTo(Number(slider.value))
})
at('play').addEventListener('click', play)
at('check').addEventListener('click', () => solver.ask({ kind: 'check', index: shown()!.index }))
at('duel').addEventListener('click', () => solver.ask({ kind: 'duel', index: shown()!.index }))
at('use').addEventListener('click', () => solver.ask({ kind: 'read', text: table.value }))
target.addEventListener('change', () => solver.ask({ kind: 'read', text: table.value, target: target.value }))
at<HTMLInputElement>('file').addEventListener('change', async ({ target: input }) => {
  const file = (input as HTMLInputElement).files?.[0]
  if (!file) return
  table.value = await file.text()
  solver.ask({ kind: 'read', text: table.value })
})
at('download').addEventListener('click', () => {
  const address = URL.createObjectURL(
    new Blob([JSON.stringify(shown()!.network, null, 2)], { type: 'application/json' }),
  )
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = 'network.json'
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(address), 1000)
  announce('network.json is saved.')
})
at('link').addEventListener('click', async () => {
  const hash = toHash({ sample, index: Number(slider.value) })
  if (hash === undefined) {
    announce('A link holds a drawing of up to 400 points in one or two colours; save the table instead.')
    return
  }
  history.replaceState(null, '', `#${hash}`)
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  )
  announce(copied ? 'The link is copied.' : 'The link is in the address bar.')
})
at('path-chart').classList.add('pointed')
for (const kind of ['pointerdown', 'pointermove'] as const)
  at('path-chart').addEventListener(kind, (event) => {
    if (!start || event.buttons !== 1) return
    stop()
    const wanted = pointedAt(at('path-chart'), event.clientX, lambdaAxis(start))
    const distances = start.lambdas.map((lambda) => Math.abs(Math.log10(lambda) - wanted))
    moveTo(distances.indexOf(Math.min(...distances)))
  })
canvas.addEventListener('blur', draw)
addEventListener('resize', () => later(show))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => later(show))
addEventListener('hashchange', open)

/** The drawing of the address, or else the first example. */
function open(): void {
  const linked = fromHash(location.hash)
  if (linked) {
    load('', linked.sample, linked.index)
  } else if (sample.rows.length === 0) load('Sine', examples.Sine!.make(), examples.Sine!.index)
}

open()
