const NAMES = ['NaN', 'Infinity', '-Infinity', '-0']

/** JSON that keeps every float64: those that JSON has no number for go by their names. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0)) ? nameOf(part) : part,
  )
}

/** What `exactJson` wrote. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_, part: unknown) =>
    typeof part === 'string' && NAMES.includes(part) ? Number(part) : part,
  )
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}
