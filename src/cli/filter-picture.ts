import type { Matrix } from '../types.ts'

/** Pixels of the page for one of a filter. */
const PIXEL = 12

/** Filters of side x side x channels numbers as one SVG picture, each in its own range of grey, or of colour with three. */
export function filterPicture(filters: Matrix, side: number, channels: number): string {
  const across = Math.ceil(Math.sqrt(filters.rows)) || 1
  const cell = (side + 1) * PIXEL
  const squares: string[] = []
  for (let j = 0; j < filters.rows; j++) {
    const patch = filters.data.subarray(j * filters.columns, (j + 1) * filters.columns)
    const low = patch.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
    const high = patch.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    const shade = (k: number): number => Math.round((255 * (patch[k]! - low)) / (high - low || 1))
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = (y * side + x) * channels
        const mean = Math.round(
          Array.from({ length: channels }, (_, c) => shade(at + c)).reduce((a, b) => a + b, 0) / channels,
        )
        const colour = channels === 3 ? [shade(at), shade(at + 1), shade(at + 2)] : [mean, mean, mean]
        const left = (j % across) * cell + x * PIXEL
        const top = Math.floor(j / across) * cell + y * PIXEL
        squares.push(`<rect x="${left}" y="${top}" width="${PIXEL}" height="${PIXEL}" fill="rgb(${colour.join()})"/>`)
      }
  }
  const [width, height] = [across * cell, (Math.ceil(filters.rows / across) || 1) * cell]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${squares.join('')}</svg>\n`
}
