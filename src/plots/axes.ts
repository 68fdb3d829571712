/** A number as a person reads it: three significant digits, an exponent only when it must be. */
export function short(value: number): string {
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '–'
  const size = Math.abs(value)
  const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : scientific(value)
  return text.replace('-', '−')
}

/** 1.2 × 10⁻⁷ */
function scientific(value: number): string {
  const [digits, exponent] = value.toExponential(1).split('e') as [string, string]
  const power = `10${raised(Number(exponent))}`
  return Number(digits) === 1 ? power : `${String(Number(digits))} × ${power}`
}

function raised(exponent: number): string {
  return [...String(exponent)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!)).join('')
}

/** The ticks of a logarithmic axis: powers of ten, at most about `most` of them; 3 times, or 2 and 5 times, where there are few. */
export function logTicks([low, high]: readonly [number, number], most = 7): number[] {
  const first = Math.floor(Math.log10(low))
  const last = Math.ceil(Math.log10(high))
  const within = (value: number): boolean => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)
  const powers: number[] = []
  for (let k = first; k <= last; k++) if (within(tenTo(k))) powers.push(k)
  if (powers.length >= 3) {
    const every = Math.ceil(powers.length / most)
    return powers.filter((k) => (k - powers.at(-1)!) % every === 0).map(tenTo)
  }
  const finer: number[] = []
  for (let k = first; k <= last; k++)
    for (const digit of powers.length === 2 ? [1, 3] : [1, 2, 5]) {
      const value = Number(`${digit}e${k}`)
      if (within(value)) finer.push(value)
    }
  return finer.length > 0 ? finer : [Number(low.toPrecision(2))]
}

function tenTo(power: number): number {
  return Number(`1e${power}`)
}

/** A label for a tick of a logarithmic axis. */
export function logTick(value: number): string {
  const power = Math.log10(value)
  if (Math.abs(power - Math.round(power)) > 1e-9 || (value >= 0.01 && value <= 1000)) return short(value)
  return `10${raised(Math.round(power))}`
}

/** Where numbers stand on a logarithmic axis that has no place for zero. */
export interface LogPlaces {
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
  /** The value, the bottom of the axis for what is not above zero, NaN (which is not drawn) for what is not finite. */
  place(value: number): number
  /** A tick's label; the bottom is labelled as zero where something stands there for want of a place. */
  label(tick: number): string
}

/** A logarithmic axis for these numbers: zeros and below stand a decade under the least positive one. */
export function logPlaces(values: Iterable<number>, also: readonly number[] = []): LogPlaces {
  const all = [...values].filter(Number.isFinite)
  const positive = [...all, ...also].filter((value) => value > 0)
  const hasZero = all.some((value) => value <= 0)
  let low = positive.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  let high = positive.reduce((a, b) => Math.max(a, b), 0)
  if (positive.length === 0) [low, high] = [0.01, 1]
  // A power of ten, for its label.
  low = Math.max(hasZero ? tenTo(Math.floor(Math.log10(low)) - 1) : low, LEAST)
  high = Math.min(Math.max(high, low), LARGEST)
  // One number alone still needs a length of axis around it.
  if (high / low < 1.5) [low, high] = [low / 2, high * 2]
  const ticks = logTicks([low, high])
  return {
    domain: [low, high],
    ticks: hasZero ? [low, ...ticks.filter((tick) => tick > low * 3)] : ticks,
    place: (value) => (Number.isFinite(value) ? Math.min(Math.max(value, low), high) : Number.NaN),
    label: (tick) => (hasZero && tick === low ? '≤ 0' : logTick(tick)),
  }
}

/** Beyond these a scale has no room for its ticks. */
const LARGEST = 1e300
const LEAST = 1e-290

/** The range of numbers with some air around it. */
export function padded(values: Iterable<number>, air = 0.05): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values)
    if (Number.isFinite(value)) {
      if (value < low) low = value
      if (value > high) high = value
    }
  if (low > high) return [0, 1]
  const within = (value: number): number => Math.min(Math.max(value, -LARGEST), LARGEST)
  low = within(low)
  high = within(high)
  const range = high - low || Math.abs(high)
  const size = range > LEAST ? range : 1
  return [low - air * size, high + air * size]
}
