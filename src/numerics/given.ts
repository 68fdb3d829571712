/** What was given, as an error's sentence says it: numbers as they are, texts in quotes, functions by name, objects by kind. */
export function given(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object (${value.constructor?.name ?? 'no prototype'})`
}

/** What to pass where a function was given uncalled, or something else altogether: its call, or for example this one. */
export function callOf(value: unknown, example: string): string {
  return typeof value === 'function' && value.name ? `what it returns, ${value.name}()` : `for example ${example}`
}
