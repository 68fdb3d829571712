import type { Check, Duel, PathPoint, PathStart } from './messages.ts'

/** A share in percent, rounded up to two digits: `0.00008\u00a0%`, never in scientific notation. */
export function percent(share: number): string {
  const value = Math.max(1e-7, 100 * share)
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value)))
  return `${(Math.ceil(value * 10 ** digits * (1 - 1e-12)) / 10 ** digits).toFixed(digits)}\u00a0%`
}

/** A number at so many significant digits, in scientific notation only where it is very small or large. */
export function short(value: number, digits = 3): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size < 1e-4 || size >= 1e6 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)))
}

/** Whom a bound speaks of. */
export function bounded({ scope, patterns }: PathStart): string {
  return scope === 'network'
    ? 'no ReLU network of any width'
    : `no ReLU network with these ${patterns.toLocaleString('en')} activation patterns`
}

/** What the certificate says, in a sentence. */
export function claim(point: PathPoint, start: PathStart): string {
  const { certificate, status } = point
  const said =
    certificate.relativeGap < 1e-14
      ? `${bounded(start)} is better, to the last digit.`
      : `${bounded(start)} can be more than ${percent(certificate.relativeGap)} better.`
  return status === 'solved' ? `Proved: ${said}` : `So far: ${said}`
}

export function statusWords({ status, iterations }: PathPoint): string {
  switch (status) {
    case 'solved':
      return 'solved'
    case 'iteration-limit':
      return `stopped after ${iterations.toLocaleString('en')} iterations`
    case 'time-limit':
      return 'stopped at its time limit'
    default:
      return status
  }
}

/** Two numbers that begin alike, split where they part: what they agree in, and the rest of each. */
export function agreement(a: number, b: number): readonly [string, string, string] {
  const digits = 10
  if (!(a > 0 && b > 0) || Math.floor(Math.log10(a)) !== Math.floor(Math.log10(b)) || a < 1e-6 || a >= 1e6)
    return ['', a.toPrecision(digits), b.toPrecision(digits)]
  const places = Math.min(20, Math.max(0, digits - 1 - Math.floor(Math.log10(a))))
  const [x, y] = [a.toFixed(places), b.toFixed(places)]
  let same = 0
  while (same < x.length && x[same] === y[same]) same++
  return [x.slice(0, same), x.slice(same), y.slice(same)]
}

export function checked({ network, lowerBound, scope, width }: Check, start: PathStart): string {
  return (
    `The network was written to JSON, read back and evaluated anew: its ${plural(width, 'neuron')} pay ${network.toPrecision(9)}. ` +
    `The lower bound, computed again from it alone: ${bounded({ ...start, scope })} can pay less than ${lowerBound.toPrecision(9)}.`
  )
}

export function duelWords({ best, steps, width, done }: Duel, primal: number, dual: number): string {
  const { objective } = best.at(-1)!
  const above = (objective - dual) / Math.max(dual, Number.MIN_VALUE)
  const excess = above >= 0.995 ? `${short(1 + above, 2)} times the bound` : `${percent(above)} above the bound`
  return (
    `Adam with ${width} neurons, ${plural(steps, 'step')}: it pays ${short(objective, 6)}, ${excess}; ` +
    `the certified network pays ${short(primal, 6)}.${done ? ' It may come near the bound, and cannot pass it.' : ''}`
  )
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
