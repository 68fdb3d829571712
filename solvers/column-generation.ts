import { feasibleDual } from '../src/certificates/certify-kernel.ts'
import { kernelSpectrum } from '../src/numerics/kernel-spectrum.ts'
import { matrix } from '../src/numerics/matrix.ts'
import { requireOptions } from '../src/numerics/options.ts'
import { product, transpose, transposeProduct } from '../src/numerics/products.ts'
import { svd } from '../src/numerics/svd.ts'
import type { KernelProgram, KernelSolver, Vector } from '../src/types.ts'
import { byPoint, singularFilters } from './kernel-solution.ts'
import { proximalGradient } from './proximal-gradient.ts'
import { solveSync } from './solve.ts'

/** Settings of `columnGeneration`. */
export interface ColumnGenerationOptions {
  /** Filters that are kept, used or not (default 100); above, only those with a weight stay. */
  maxFilters?: number
}

/**
 * Column generation with memory, one kernel pass an iterate: the singular vectors of M(-dF(fit)) above lambda are the filters
 * that the current ones lack; with them the small problem min_C F + lambda |C|_* is solved again by proximal gradient, to a
 * share of the gap. Filters that are not used stay: without them the walk goes round in circles.
 *
 * For smooth losses, with an intercept or without. Its iterates have a primal point and a bound each.
 */
export function columnGeneration(options: ColumnGenerationOptions = {}): KernelSolver {
  requireOptions(options, { maxFilters: 'number' }, 'columnGeneration')
  const { maxFilters = 100 } = options
  if (!Number.isInteger(maxFilters) || maxFilters < 1)
    throw new RangeError(`columnGeneration: maxFilters is ${maxFilters}, expected a positive whole number.`)
  return {
    name: 'column-generation',
    supports: ({ name, loss }) =>
      Number.isFinite(loss.smoothness) ||
      `column-generation needs a smooth loss and ${name} has ${loss.name}; use interiorPoint() or dualAscent().`,
    *iterate(program) {
      const { kernel, loss, lambda } = program
      const rows = kernel.count * kernel.size
      const q = kernel.outputs * kernel.size
      // filters, seen: orthonormal filters and what they see (rows x r) · C: q x r · fit, norm: of the primal point
      let r = 0
      let filters: Vector = new Float64Array(0)
      let seen: Vector = new Float64Array(0)
      let C: Vector = new Float64Array(0)
      let fit: Vector = new Float64Array(loss.size)
      let norm = 0
      for (;;) {
        const alpha = loss.gradient(fit).map((value) => -value)
        const spectrum = kernelSpectrum(kernel, alpha)
        yield {
          dual: alpha,
          dualNorm: spectrum.values[0]!,
          fit,
          norm,
          filters: { filters: matrix(rows, r, filters), linear: matrix(r, q, transpose(C, q, r)) },
        }
        if (!(spectrum.values[0]! > 0)) continue
        const gap = relativeGap(program, alpha, spectrum.values[0]!, fit, norm)
        let count = 0
        while (count < q && spectrum.values[count]! > 0.999 * lambda) count++
        const fresh = singularFilters(kernel, alpha, spectrum, Math.max(1, count))
        const basis = extended({ filters, seen, count: r }, fresh, rows)
        C = beside(C, r, new Float64Array(q * (basis.count - r)), basis.count - r, q)
        ;({ filters, seen, count: r } = basis)
        const small = program.onFilters(byPoint(kernel, seen, r))
        const found = solveSync(small, {
          solver: proximalGradient(),
          start: { coefficients: C },
          tolerance: Math.max(1e-14, gap * SHARE),
          maxIterations: 20_000,
        })
        C = found.coefficients
        fit = found.fit ?? small.operator.apply(C)
        norm = small.penalty.value(C)
        if (r > maxFilters) {
          const parts = svd(C, q, r)
          let kept = 0
          while (kept < parts.count && parts.values[kept]! > 1e-12 * parts.values[0]!) kept++
          const V = transpose(parts.right.subarray(0, kept * r), kept, r)
          filters = product(filters, rows, V, r, kept)
          seen = product(seen, rows, V, r, kept)
          C = product(C, q, V, r, kept)
          r = kept
        }
      }
    },
  }
}

/** How much closer than the whole the small problem is solved. */
const SHARE = 1e-4

/** The gap of the current point, relative to its objective. */
function relativeGap(program: KernelProgram, alpha: Vector, largest: number, fit: Vector, norm: number): number {
  const primal = program.loss.value(fit) + program.lambda * norm
  return Math.max(0, primal - feasibleDual(program, alpha, largest).value) / (Math.abs(primal) || 1)
}

/** [A B], rows of a and b entries. */
function beside(A: Vector, a: number, B: Vector, b: number, rows: number): Vector {
  const out = new Float64Array(rows * (a + b))
  for (let i = 0; i < rows; i++) {
    out.set(A.subarray(i * a, (i + 1) * a), i * (a + b))
    out.set(B.subarray(i * b, (i + 1) * b), i * (a + b) + a)
  }
  return out
}

/** Filters and what they see, (n size) x count each. */
interface Basis {
  readonly filters: Vector
  readonly seen: Vector
  readonly count: number
}

/**
 * An orthonormal basis with more directions, by Gram and Schmidt twice over; <w_j, w_k> is the product of the coefficients of
 * one and what the other sees. What is left of a filter that lies in the span already is dropped.
 */
function extended(basis: Basis, fresh: Basis, rows: number): Basis {
  let { filters, seen, count } = basis
  for (let j = 0; j < fresh.count; j++) {
    const w = columnOf(fresh.filters, fresh.count, j, rows)
    const h = columnOf(fresh.seen, fresh.count, j, rows)
    let length = 1
    for (let pass = 0; pass < 2 && length > 0; pass++) {
      const along = transposeProduct(filters, count, h, 1, rows)
      const inSpan = product(filters, rows, along, count, 1)
      const seenInSpan = product(seen, rows, along, count, 1)
      for (let i = 0; i < rows; i++) {
        w[i]! -= inSpan[i]!
        h[i]! -= seenInSpan[i]!
      }
      let square = 0
      for (let i = 0; i < rows; i++) square += w[i]! * h[i]!
      length = square > DEPENDENT ? Math.sqrt(square) : 0
      for (let i = 0; i < rows; i++) {
        w[i]! /= length
        h[i]! /= length
      }
    }
    if (length === 0) continue
    filters = beside(filters, count, w, 1, rows)
    seen = beside(seen, count, h, 1, rows)
    count++
  }
  return { filters, seen, count }
}

/** The squared length of a unit filter's part outside the span below which there is none. */
const DEPENDENT = 1e-14

function columnOf(M: Vector, columns: number, j: number, rows: number): Vector {
  return Float64Array.from({ length: rows }, (_, i) => M[i * columns + j]!)
}
