import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Backend, Floats } from '../../../src/numerics/backend.ts'
import { type BitColumns, bitColumns, countSet, isSet, setBit } from '../../../src/numerics/bits.ts'
import { cholesky, choleskySolve } from '../../../src/numerics/solve-symmetric.ts'
import { entry, vector } from '../../arbitraries.ts'

/** Sizes: none, one, around the tiles of a kernel, and now and then past a block of one. */
const size: fc.Arbitrary<number> = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 6, arbitrary: fc.integer({ min: 4, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60, max: 70 }) },
)
const scalar: fc.Arbitrary<number> = fc.constantFrom(0, 1, -1, 0.5, 2)

/** Entries from a seed: generating and shrinking thousands of independent ones would take longer than what is tested. */
const seed: fc.Arbitrary<number> = fc.integer({ min: 1, max: 2 ** 31 - 1 })

/** A stream of numbers in (-1, 1) that a seed determines. */
export function draws(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1
  }
}

/** How an array is made, and how close to exact its sums must be: relative to the sum of the absolute values of the terms. */
interface Kind {
  readonly name: string
  readonly tolerance: number
  make(length: number, of?: () => number): Floats
}

const kinds: readonly Kind[] = [
  { name: 'float64', tolerance: 1e-13, make: (length, of = () => 0) => Float64Array.from({ length }, of) },
  { name: 'float32', tolerance: 5e-6, make: (length, of = () => 0) => Float32Array.from({ length }, of) },
]

/** What every backend must satisfy. */
export function backendLaws(name: string, backend: Backend): void {
  for (const kind of kinds) {
    describe(`${name} in ${kind.name}`, () => productLaws(backend, kind))
    describe(`${name}: factorisations in ${kind.name}`, () => factorisationLaws(backend, kind))
  }
  gatedLaws(name, backend)
  describe(`${name}: eigenvalues`, () => eigenLaws(backend))
}

/** What the gated kernel of every backend must satisfy. */
export function gatedLaws(name: string, backend: Backend, numRuns = 60): void {
  for (const kind of kinds)
    describe(`${name}: the gated kernel in ${kind.name}`, () => kernelLaws(backend, kind, numRuns))
}

function productLaws(backend: Backend, { make, tolerance }: Kind): void {
  it('gemm is three loops, whatever the sizes, transpositions, strides and scalars', () => {
    const shape = fc.record({ m: size, n: size, k: size, tA: fc.boolean(), tB: fc.boolean(), pad: fc.nat({ max: 3 }) })
    fc.assert(
      fc.property(shape, scalar, scalar, seed, ({ m, n, k, tA, tB, pad }, alpha, beta, from) => {
        const next = draws(from)
        const lda = (tA ? m : k) + pad
        const ldb = (tB ? k : n) + pad
        const ldc = n + pad
        const A = make((tA ? k : m) * lda, next)
        const B = make((tB ? n : k) * ldb, next)
        // At beta = 0 what C holds is not read.
        const C = make(m * ldc, beta === 0 ? () => Number.NaN : next)
        const before = C.slice()
        backend.gemm(tA, tB, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < ldc; j++) {
            const at = i * ldc + j
            if (j >= n) expect(C[at]).toBe(before[at])
            else {
              const terms = Array.from(
                { length: k },
                (_, p) => alpha * A[tA ? p * lda + i : i * lda + p]! * B[tB ? j * ldb + p : p * ldb + j]!,
              )
              expectSum(C[at]!, beta === 0 ? terms : [...terms, beta * before[at]!], tolerance)
            }
          }
      }),
      { numRuns: 150 },
    )
  })

  it('gemm past every block of its own is three loops too', () => {
    for (const [m, n, k] of [
      [130, 70, 530],
      [67, 1030, 33],
      [300, 5, 257],
    ] as const)
      for (const tA of [false, true])
        for (const tB of [false, true]) {
          const next = draws(m + n + k)
          const A = make(m * k, next)
          const B = make(k * n, next)
          const C = make(m * n)
          backend.gemm(tA, tB, m, n, k, 1, A, tA ? m : k, B, tB ? k : n, 0, C, n)
          for (let q = 0; q < 200; q++) {
            const i = (q * 37) % m
            const j = (q * 101) % n
            const terms = Array.from(
              { length: k },
              (_, p) => A[tA ? p * m + i : i * k + p]! * B[tB ? j * k + p : p * n + j]!,
            )
            expectSum(C[i * n + j]!, terms, tolerance)
          }
        }
  })

  it('gemv is two loops', () => {
    fc.assert(
      fc.property(size, size, fc.boolean(), scalar, scalar, seed, (m, n, transpose, alpha, beta, from) => {
        const next = draws(from)
        const lda = n + 2
        const A = make(m * lda, next)
        const x = make(transpose ? m : n, next)
        const y = make(transpose ? n : m, beta === 0 ? () => Number.NaN : next)
        const before = y.slice()
        backend.gemv(transpose, m, n, alpha, A, lda, x, beta, y)
        for (let i = 0; i < y.length; i++) {
          const terms = Array.from(x, (value, p) => alpha * A[transpose ? p * lda + i : i * lda + p]! * value)
          expectSum(y[i]!, beta === 0 ? terms : [...terms, beta * before[i]!], tolerance)
        }
      }),
    )
  })

  it('dot and block norms are sums; shrinking a block shortens it and keeps its direction', () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 9 }), seed, (blocks, length, from) => {
        const next = draws(from)
        const [u, v] = [make(blocks * length, next), make(blocks * length, next)]
        expectSum(
          backend.dot(u, v),
          Array.from(u, (value, k) => value * v[k]!),
          tolerance,
        )
        const norms = make(blocks)
        backend.blockNorms(u, length, norms)
        const shrunk = make(u.length)
        const step = 0.4
        backend.shrinkBlocks(u, length, step, shrunk)
        const inPlace = u.slice()
        backend.shrinkBlocks(inPlace, length, step, inPlace)
        expect(inPlace).toEqual(shrunk)
        for (let b = 0; b < blocks; b++) {
          const block = u.subarray(b * length, (b + 1) * length)
          const norm = Math.hypot(...block)
          expect(Math.abs(norms[b]! - norm)).toBeLessThanOrEqual(tolerance * norm)
          const scale = Math.max(0, 1 - step / norm)
          block.forEach((value, j) => {
            expect(Math.abs(shrunk[b * length + j]! - scale * value)).toBeLessThanOrEqual(tolerance)
          })
        }
      }),
    )
  })
}

function factorisationLaws(backend: Backend, { make, tolerance }: Kind): void {
  it('syrk writes the lower triangle of the product, and nothing else', () => {
    fc.assert(
      fc.property(size, size, fc.boolean(), scalar, scalar, seed, (n, k, transpose, alpha, beta, from) => {
        const next = draws(from)
        const lda = (transpose ? n : k) + 1
        const ldc = n + 2
        const A = make((transpose ? k : n) * lda, next)
        const C = make(n * ldc, next)
        const before = C.slice()
        backend.syrk(transpose, n, k, alpha, A, lda, beta, C, ldc)
        const at = (i: number, p: number): number => A[transpose ? p * lda + i : i * lda + p]!
        for (let i = 0; i < n; i++)
          for (let j = 0; j < ldc; j++) {
            const c = i * ldc + j
            if (j > i) expect(C[c]).toBe(before[c])
            else
              expectSum(
                C[c]!,
                [beta * before[c]!, ...Array.from({ length: k }, (_, p) => alpha * at(i, p) * at(j, p))],
                tolerance,
              )
          }
      }),
    )
  })

  it.each([0, 1, 2, 5, 31, 48, 49, 100, 147])("cholesky: L L' = A at n = %i, and solves with L and L'", (n) => {
    const lda = n + 3
    const from = positiveDefinite(n, lda, 7 + n)
    const A = make(from.length)
    A.set(from)
    const L = A.slice()
    expect(backend.cholesky(n, L, lda)).toBe(n)
    let size = 0
    for (let i = 0; i < n; i++) size = Math.max(size, A[i * lda + i]!)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < lda; j++) {
        // What is not the lower triangle is neither read (it is NaN) nor written.
        if (j > i) expect(L[i * lda + j]).toBe(A[i * lda + j])
        else {
          let total = 0
          for (let p = 0; p <= j; p++) total += L[i * lda + p]! * L[j * lda + p]!
          expect(Math.abs(total - A[i * lda + j]!)).toBeLessThanOrEqual(tolerance * size)
        }
      }
    for (const m of [1, 3, 17]) {
      const ldb = m + 1
      const B = make(n * ldb, draws(n + m))
      for (const transpose of [false, true]) {
        const solved = B.slice()
        backend.triangularSolve(transpose, n, m, L, lda, solved, ldb)
        for (let i = 0; i < n; i++)
          for (let j = 0; j < ldb; j++) {
            if (j === m) {
              expect(solved[i * ldb + j]).toBe(B[i * ldb + j])
              continue
            }
            const terms: number[] = [-B[i * ldb + j]!]
            for (let p = 0; p < n; p++)
              if (transpose ? p >= i : p <= i)
                terms.push(L[transpose ? p * lda + i : i * lda + p]! * solved[p * ldb + j]!)
            expectSum(total(terms), terms, tolerance)
          }
      }
    }
  })

  it.each([1, 5, 49, 100])('cholesky refuses what is not positive definite, naming the pivot, at n = %i', (n) => {
    for (const pivot of new Set([0, Math.floor(n / 2), n - 1]))
      for (const wrong of [-1, 0, Number.NaN]) {
        const A = make(n * n)
        for (let i = 0; i < n; i++) A[i * n + i] = i === pivot ? wrong : 2
        expect(backend.cholesky(n, A, n)).toBe(pivot)
      }
    // Indefinite by what is beside the diagonal: [[1, 2], [2, 1]] in the last two rows.
    if (n < 2) return
    const A = make(n * n)
    for (let i = 0; i < n; i++) A[i * n + i] = 1
    A[(n - 1) * n + n - 2] = 2
    expect(backend.cholesky(n, A, n)).toBe(n - 1)
  })
}

function eigenLaws(backend: Backend): void {
  const make = kinds[0]!.make as (length: number, of?: () => number) => Float64Array

  it("symmetricEigen: A = V' diag(values) V, V orthogonal, values ascending", () => {
    const shape = fc.oneof(
      fc.integer({ min: 0, max: 12 }).chain((n) => fc.tuple(fc.constant(n), vector(n * n, entry))),
      fc.tuple(fc.constantFrom(33, 60), seed).map(([n, from]) => [n, make(n * n, draws(from))] as const),
    )
    fc.assert(
      fc.property(shape, ([n, A]) => expectEigen(backend, n, A)),
      { numRuns: 60 },
    )
  })

  it.each([70, 130])('symmetricEigen is as exact past blocks and panels, at n = %i', (n) => {
    expectEigen(backend, n, make(n * n, draws(n)))
    // Rows that hang together in blocks only, and one value many times.
    const blocks = make(n * n, draws(n)).map((value, k) =>
      Math.floor(k / n / 40) === Math.floor((k % n) / 40) ? value : 0,
    )
    expectEigen(backend, n, blocks)
    expectEigen(
      backend,
      n,
      blocks.map((_, k) => (k % (n + 1) === 0 ? 1 : 1e-3)),
    )
  })

  it('symmetricEigen takes what is hard: zero, diagonal, equal values, rank one, values over many decades', () => {
    const n = 20
    const of = (f: (i: number, j: number) => number): Float64Array =>
      make(n * n).map((_, k) => f(Math.floor(k / n), k % n))
    const next = draws(5)
    const a = make(n, next)
    for (const A of [
      of(() => 0),
      of((i, j) => (i === j ? (i * 7) % 5 : 0)),
      of((i, j) => (i === j ? 3 : 0)),
      of((i, j) => a[i]! * a[j]!),
      of((i, j) => 10 ** -(i + j)),
      of((i, j) => (i === j ? 1 : 1e-9 * a[i]! * a[j]!)),
      of((i, j) => (Math.abs(i - j) === 1 ? 1 : 0)),
      of((i, j) => 1e200 * a[i]! * a[j]!),
    ])
      expectEigen(backend, n, A)
  })
}

/** The gated kernel against its dense twin. */
function kernelLaws(backend: Backend, { make, tolerance }: Kind, numRuns: number): void {
  const shape = fc.record({
    n: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(31, 32, 33, 65, 100)),
    d: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(17, 35)),
    P: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(17, 40, 70)),
    outputs: fc.integer({ min: 1, max: 3 }),
    /** Of eight blocks so many are zero. */
    zeros: fc.nat({ max: 8 }),
    from: seed,
  })
  type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never

  const law = (title: string, check: (made: Made & Shape) => void): void =>
    it(title, () => {
      fc.assert(
        fc.property(shape, (at) => check({ ...at, ...gatedInstance(at, make) })),
        { numRuns },
      )
    })

  law(
    'apply is the sum over gates and features, zero blocks or not',
    ({ n, d, P, outputs, zeros, X, patterns, next }) => {
      const kernel = backend.gated(X, d, patterns)
      const u = make(P * outputs * d, next)
      for (let b = 0; b < P * outputs; b++) if (b % 8 < zeros) u.fill(0, b * d, (b + 1) * d)
      const out = make(n * outputs, () => Number.NaN)
      kernel.apply(u, outputs, out)
      for (let r = 0; r < n; r++)
        for (let k = 0; k < outputs; k++) {
          const terms: number[] = []
          for (let i = 0; i < P; i++)
            for (let j = 0; isSet(patterns, r, i) && j < d; j++)
              terms.push(X[r * d + j]! * u[(i * outputs + k) * d + j]!)
          expectSum(out[r * outputs + k]!, terms, tolerance)
        }
    },
  )

  law('adjoint is the sum over rows, and correlations those of the blocks chosen', (at) => {
    const { n, d, P, outputs, X, patterns, next } = at
    const kernel = backend.gated(X, d, patterns)
    const p = make(n * outputs, next)
    const out = make(P * outputs * d, () => Number.NaN)
    kernel.adjoint(p, outputs, out)
    for (let i = 0; i < P; i++)
      for (let k = 0; k < outputs; k++)
        for (let j = 0; j < d; j++)
          expectSum(
            out[(i * outputs + k) * d + j]!,
            Array.from({ length: n }, (_, r) => (isSet(patterns, r, i) ? X[r * d + j]! * p[r * outputs + k]! : 0)),
            tolerance,
          )
    const chosen = choose(at)
    const one = make(n, next)
    const some = make(chosen.length * d, () => Number.NaN)
    kernel.correlations(chosen, one, some)
    for (let i = 0; i < chosen.length; i++)
      for (let j = 0; j < d; j++)
        expectSum(
          some[i * d + j]!,
          Array.from({ length: n }, (_, r) => (isSet(patterns, r, chosen[i]!) ? X[r * d + j]! * one[r]! : 0)),
          tolerance,
        )
  })

  law("<A u, p> = <u, A'p>", ({ n, d, P, outputs, X, patterns, next }) => {
    const kernel = backend.gated(X, d, patterns)
    const u = make(P * outputs * d, next)
    const p = make(n * outputs, next)
    const fit = make(p.length)
    const correlation = make(u.length)
    kernel.apply(u, outputs, fit)
    kernel.adjoint(p, outputs, correlation)
    const left = total(Array.from(fit, (value, k) => value * p[k]!))
    const right = total(Array.from(u, (value, k) => value * correlation[k]!))
    expect(Math.abs(left - right)).toBeLessThanOrEqual(tolerance * n * d * (1 + P) * outputs)
  })

  law('images, kernel and gram are those of the dense blocks', (at) => {
    const { n, d, X, patterns, next } = at
    const kernel = backend.gated(X, d, patterns)
    const chosen = choose(at)
    const m = chosen.length
    const on = (r: number, i: number): boolean => isSet(patterns, r, chosen[i]!)
    const vectors = make(m * d, next)
    const images = make(m * n, () => Number.NaN)
    kernel.images(chosen, vectors, images)
    for (let i = 0; i < m; i++)
      for (let r = 0; r < n; r++)
        expectSum(
          images[i * n + r]!,
          on(r, i) ? Array.from({ length: d }, (_, j) => X[r * d + j]! * vectors[i * d + j]!) : [],
          tolerance,
        )
    const weights = make(m, () => Math.abs(next()))
    const H = make(n * n, () => Number.NaN)
    kernel.kernel(chosen, weights, H)
    for (let r = 0; r < n; r++)
      for (let s = 0; s < n; s++) {
        if (s > r) {
          expect(H[r * n + s]).toBeNaN()
          continue
        }
        const inner = Array.from({ length: d }, (_, j) => X[r * d + j]! * X[s * d + j]!)
        const weight = total(Array.from(weights, (w, i) => (on(r, i) && on(s, i) ? w : 0)))
        expectSum(
          H[r * n + s]!,
          inner.map((value) => value * weight),
          2 * tolerance,
        )
      }
    if (m < 2) return
    const gram = make(d * d, () => Number.NaN)
    kernel.gram(chosen[0]!, chosen[1]!, gram)
    for (let a = 0; a < d; a++)
      for (let b = 0; b < d; b++)
        expectSum(
          gram[a * d + b]!,
          Array.from({ length: n }, (_, r) => (on(r, 0) && on(r, 1) ? X[r * d + a]! * X[r * d + b]! : 0)),
          tolerance,
        )
  })

  law('factors of I + kernel, of rows scaled or not, solve with it', (at) => {
    const { n, d, X, patterns, next } = at
    const chosen = choose(at)
    const f = chosen.length
    const kernel = backend.gated(X, d, patterns)
    if (!kernel.factor || X instanceof Float32Array || f === 0) return
    const scales = Float64Array.from({ length: n }, () => 1 + next() / 2)
    const weights = Float64Array.from({ length: f }, () => Math.abs(next()))
    const vectors = Float64Array.from({ length: f * d }, next)
    for (const [rowScales, single] of [
      [undefined, false],
      [undefined, true],
      [scales, true],
    ] as const) {
      const one = kernel.factor(1, rowScales)
      expect(one.stands).toBe(false)
      expect(one.factor(chosen, weights, single)).toBe(true)
      expect(one.stands).toBe(true)
      const s = (r: number): number => rowScales?.[r] ?? 1
      const M = new Float64Array(n * n)
      kernel.kernel(chosen, weights as typeof X, M as typeof X)
      for (let r = 0; r < n; r++)
        for (let q = 0; q <= r; q++) M[r * n + q] = s(r) * s(q) * M[r * n + q]! + (r === q ? 1 : 0)
      const L = cholesky(M, n)!
      const size = M.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 1)
      const close = (single ? 1e-5 : 1e-12) * size * n
      // M^-1 b by the factor's two halves, and by the plain one.
      const b = Float64Array.from({ length: n }, next)
      const x = b.slice()
      one.solve(false, x)
      one.solve(true, x)
      const solved = choleskySolve(L, n, b)
      for (let r = 0; r < n; r++) expect(Math.abs(x[r]! - solved[r]!)).toBeLessThanOrEqual(close)
      const images = new Float64Array(f * n)
      kernel.images(chosen, vectors as typeof X, images as typeof X)
      for (let k = 0; k < images.length; k++) images[k]! *= s(k % n)
      const H = new Float64Array(f * f).fill(1)
      one.addProducts(chosen, vectors, H)
      for (let i = 0; i < f; i++) {
        const solution = choleskySolve(L, n, images.subarray(i * n, (i + 1) * n))
        for (let j = 0; j < f; j++) {
          if (j > i) expect(H[i * f + j]).toBe(1)
          else
            expect(
              Math.abs(H[i * f + j]! - 1 - total(Array.from(solution, (value, r) => value * images[j * n + r]!))),
            ).toBeLessThanOrEqual(close * n * d)
        }
      }
      // The next one takes its place, even where it fails: there is no factor of NaN.
      const another = kernel.factor(1)
      expect(one.stands).toBe(true)
      const nothing = chosen.every((i) => countSet(patterns, i) === 0)
      expect(
        another.factor(
          chosen,
          weights.map(() => Number.NaN),
          single,
        ),
      ).toBe(nothing)
      expect([one.stands, another.stands]).toEqual([false, nothing])
    }
  })

  it('passes over more rows and gates than any batch of tables holds are sums too', () => {
    const [n, d, P] = [700, 9, 600]
    const { X, patterns, next } = gatedInstance({ n, d, P, from: 11 }, make)
    const kernel = backend.gated(X, d, patterns)
    const u = make(P * d, next)
    const p = make(n, next)
    const [fit, correlation] = [make(n), make(P * d)]
    kernel.apply(u, 1, fit)
    kernel.adjoint(p, 1, correlation)
    const every = Int32Array.from({ length: P }, (_, i) => i)
    const weights = make(P, () => Math.abs(next()))
    const H = make(n * n)
    kernel.kernel(every, weights, H)
    for (let r = 0; r < n; r += 7) {
      const on = Array.from(every.filter((i) => isSet(patterns, r, i)))
      const products = on.flatMap((i) => Array.from({ length: d }, (_, j) => X[r * d + j]! * u[i * d + j]!))
      expectSum(fit[r]!, products, tolerance)
      for (let s = 0; s <= r; s += 5) {
        const weight = total(on.filter((i) => isSet(patterns, s, i)).map((i) => weights[i]!))
        const inner = Array.from({ length: d }, (_, j) => weight * X[r * d + j]! * X[s * d + j]!)
        expectSum(H[r * n + s]!, inner, 2 * tolerance)
      }
    }
    for (let i = 0; i < P; i += 7)
      for (let j = 0; j < d; j++)
        expectSum(
          correlation[i * d + j]!,
          Array.from(p, (value, r) => (isSet(patterns, r, i) ? X[r * d + j]! * value : 0)),
          tolerance,
        )
  })

  law('select is the kernel of the patterns chosen, and the same call gives the same bits again', (at) => {
    const { n, d, X, patterns, next } = at
    const chosen = choose(at)
    const whole = backend.gated(X, d, patterns)
    const p = make(n, next)
    const [some, again, direct] = [0, 0, 0].map(() => make(chosen.length * d)) as [Floats, Floats, Floats]
    const selected = whole.select(chosen)
    selected.adjoint(p, 1, some)
    selected.adjoint(p, 1, again)
    whole.correlations(chosen, p, direct)
    expect(some).toEqual(again)
    expect(some).toEqual(direct)
  })

  law(
    'passes over other gates in between change nothing: what is kept from pass to pass is of the same gates',
    (at) => {
      const { n, d, P, X, patterns, next } = at
      const whole = backend.gated(X, d, patterns)
      const p = make(n, next)
      const u = make(P * d, next)
      // Blocks of zeros cost nothing, and are left out of what is kept.
      const fewer = u.slice() as Floats
      for (let i = 0; i < P; i += 2) fewer.fill(0, i * d, (i + 1) * d)
      const chosen = choose(at)
      const passes = (): Floats[] => {
        const outs = [make(n), make(n), make(P * d), make(chosen.length * d)]
        whole.apply(u as typeof X, 1, outs[0] as typeof X)
        whole.apply(fewer as typeof X, 1, outs[1] as typeof X)
        whole.adjoint(p as typeof X, 1, outs[2] as typeof X)
        whole.correlations(chosen, p as typeof X, outs[3] as typeof X)
        return outs
      }
      expect(passes()).toEqual(passes())
      const fresh = backend.gated(X, d, patterns)
      const fit = make(n)
      fresh.apply(fewer as typeof X, 1, fit as typeof X)
      expect(passes()[1]).toEqual(fit)
      const correlations = make(P * d)
      fresh.adjoint(p as typeof X, 1, correlations as typeof X)
      expect(passes()[2]).toEqual(correlations)
    },
  )

  it('keeps NaN to the rows and gates that read it', () => {
    for (const [n, P] of [
      [3, 2],
      [40, 40],
    ] as const) {
      const patterns = bitColumns(n, P)
      for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if ((r + i) % 2 === 0) setBit(patterns, r, i)
      const kernel = backend.gated(
        make(n, () => 1),
        1,
        patterns,
      )
      const u = make(P, () => 1)
      u[1] = Number.NaN
      const fit = make(n)
      kernel.apply(u, 1, fit)
      expect(Array.from(fit, Number.isNaN)).toEqual(Array.from(fit, (_, r) => r % 2 === 1))
      const p = make(n, () => 1)
      p[2] = Number.NaN
      const correlation = make(P)
      kernel.adjoint(p, 1, correlation)
      expect(Array.from(correlation, Number.isNaN)).toEqual(Array.from(correlation, (_, i) => i % 2 === 0))
    }
  })
}

interface Made {
  readonly X: Floats
  readonly patterns: BitColumns
  readonly next: () => number
}

function gatedInstance({ n, d, P, from }: { n: number; d: number; P: number; from: number }, make: Kind['make']): Made {
  const next = draws(from)
  const patterns = bitColumns(n, P)
  for (let i = 0; i < P; i++) for (let r = 0; r < n; r++) if (next() > 0) setBit(patterns, r, i)
  return { X: make(n * d, next), patterns, next }
}

/** Some gates, in no order, repeats included. */
function choose({ P, from }: { P: number; from: number }): Int32Array {
  const next = draws(from ^ 0x5bd1e995)
  const length = P === 0 ? 0 : Math.floor(Math.abs(next()) * 2 * P)
  return Int32Array.from({ length }, () => Math.floor(Math.abs(next()) * P))
}

/** A positive definite matrix, its upper triangle and what is beyond n NaN. */
function positiveDefinite(n: number, lda: number, from: number): Float64Array {
  const next = draws(from)
  const B = Float64Array.from({ length: n * n }, next)
  const A = new Float64Array(n * lda).fill(Number.NaN)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0
      for (let p = 0; p < n; p++) sum += B[i * n + p]! * B[j * n + p]!
      A[i * lda + j] = sum
    }
  return A
}

function expectEigen(backend: Backend, n: number, A: Float64Array): void {
  const { values, vectors } = backend.symmetricEigen(n, A, n)
  expect([values.length, vectors.length]).toEqual([n, n * n])
  let size = 0
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) size = Math.max(size, Math.abs(A[i * n + j]!))
  for (let i = 1; i < n; i++) expect(values[i]!).toBeGreaterThanOrEqual(values[i - 1]!)
  const off = { matrix: 0, inner: 0 }
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let entry = 0
      let inner = 0
      for (let p = 0; p < n; p++) {
        entry += vectors[p * n + i]! * values[p]! * vectors[p * n + j]!
        inner += vectors[i * n + p]! * vectors[j * n + p]!
      }
      off.matrix = Math.max(off.matrix, Math.abs(entry - A[i * n + j]!))
      off.inner = Math.max(off.inner, Math.abs(inner - (i === j ? 1 : 0)))
    }
  expect(off.matrix).toBeLessThanOrEqual(1e-13 * (1 + n) * size)
  expect(off.inner).toBeLessThanOrEqual(1e-13 * (1 + n))
}

function total(terms: readonly number[]): number {
  return terms.reduce((sum, term) => sum + term, 0)
}

/** The sum of the terms, to within a tolerance relative to the sum of their absolute values. */
function expectSum(actual: number, terms: readonly number[], tolerance: number): void {
  const size = terms.reduce((sum, term) => sum + Math.abs(term), 0)
  const off = Math.abs(actual - total(terms))
  // Asked by hand: `expect` would take longer than the kernels do.
  if (!(off <= tolerance * size)) expect.fail(`${actual} is off by ${off} where the terms are ${size} together`)
}
