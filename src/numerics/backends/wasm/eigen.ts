import type { Backend } from '../../backend.ts'
import { ascending, diagonalize, scaled } from '../js/symmetric-eigen.ts'
import { js } from '../js.ts'
import type { Address, Engine } from './engine.ts'
import { evenBounds, multiplyAdd } from './parallel.ts'

/** Below this order it is done where the arrays are. */
const SMALL = 48

/** Columns of a panel of eigenvectors: see assembly/eigen.as. */
const PANEL = 16

/** Reflections that are taken together. */
const BLOCK = 32

/** Sweeps' worth of rotations between two looks at a panel. */
const SWEEPS = 16

/**
 * A = V' diag(values) V: Householder reflections to a tridiagonal T, implicit QL steps on T with the rotations of many sweeps done
 * at once on panels of columns that stay in the first-level cache, and the reflections on the result as products, 32 at a time:
 * H_k ... H_1 = I - Y'T'Y with the reflections' vectors in the rows of Y.
 * Golub and Van Loan, Matrix Computations, 8.3; Schreiber and Van Loan 1989, SIAM J. Sci. Stat. Comput. 10(1).
 */
export function eigen(engineOf: () => Engine, everything: boolean): Pick<Backend, 'symmetricEigen'> {
  return {
    symmetricEigen(n, A, lda) {
      if (n < (everything ? 3 : SMALL)) return js.symmetricEigen(n, A, lda)
      const engine = engineOf()
      const line = 8 * n
      const matrix = engine.room('C', n * line)
      const numbers = engine.room('fit', 7 * line)
      const [diagonalAt, offAt, betasAt, work] = [0, 1, 2, 3].map((k) => numbers + k * line) as [
        number,
        number,
        number,
        number,
      ]
      const square = new Float64Array(engine.memory.buffer, matrix, n * n)
      const scale = scaled(n, A, lda, n, square)
      engine.clear(numbers, 3 * line)
      engine.kernels.tridiagonalize(n, matrix, line, diagonalAt, offAt, betasAt, work)
      const list = (address: Address): Float64Array => new Float64Array(engine.memory.buffer, address, n).slice()
      const [diagonal, betas] = [list(diagonalAt), list(betasAt)]
      const rows = rotated(engine, n, diagonal, list(offAt))
      reflect(engine, n, matrix, betas, rows)
      const vectors = new Float64Array(n * n)
      engine.take(rows, vectors, n, n, n)
      return ascending(
        n,
        diagonal.map((value) => value / scale),
        vectors,
      )
    },
  }
}

/** The eigenvectors of T as rows, at an address; its diagonal becomes the eigenvalues. */
function rotated(engine: Engine, n: number, diagonal: Float64Array, off: Float64Array): Address {
  const panels = Math.ceil(n / PANEL)
  const most = SWEEPS * n
  const held = engine.room('B', panels * PANEL * n * 8)
  const rotations = engine.room('rotations', 16 * (most + n))
  const sweeps = engine.room('sweeps', 8 * (most + n))
  engine.clear(held, panels * PANEL * n * 8)
  const identity = new Float64Array(engine.memory.buffer, held, panels * PANEL * n)
  for (let j = 0; j < n; j++) identity[(Math.floor(j / PANEL) * n + j) * PANEL + (j % PANEL)] = 1
  diagonalize(n, diagonal, off, most, (batch) => {
    engine.put(rotations, batch.rotations, 1, 2 * batch.count, 0)
    engine.putWords(sweeps, batch.sweeps.subarray(0, 2 * batch.sweepCount))
    const bounds = evenBounds(panels, engine.threads(), 1)
    engine.run(
      bounds
        .slice(1)
        .map((end, part) => [
          { name: 'rotateRows', values: [held, n, bounds[part]!, end, sweeps, batch.sweepCount, rotations] },
        ]),
    )
  })
  const rows = engine.room('A', n * n * 8)
  for (let panel = 0; panel < panels; panel++) {
    const width = Math.min(PANEL, n - panel * PANEL)
    engine.kernels.copyColumns(rows + panel * PANEL * 8, n * 8, held + panel * n * PANEL * 8, PANEL * 8, width * 8, n)
  }
  return rows
}

/** rows <- rows H_{n-3} ... H_0, from blocks of reflections whose vectors are in the rows of the matrix. */
function reflect(engine: Engine, n: number, matrix: Address, betas: Float64Array, rows: Address): void {
  const line = 8 * n
  const Y = engine.room('strip', BLOCK * line)
  const W = engine.room('coefficients', n * BLOCK * 8)
  const WT = engine.room('places', n * BLOCK * 8)
  const T = engine.room('columns', BLOCK * BLOCK * 8)
  const G = engine.room('codes', BLOCK * BLOCK * 8)
  for (let first = BLOCK * Math.floor(Math.max(0, n - 3) / BLOCK); first >= 0; first -= BLOCK) {
    const b = Math.min(BLOCK, n - 1 - first)
    // Vectors begin right of the diagonal.
    const width = n - first - 1
    engine.clear(Y, b * width * 8)
    for (let k = 0; k < b; k++)
      engine.kernels.copyColumns(
        Y + (k * width + k) * 8,
        line,
        matrix + (first + k) * line + (first + k + 1) * 8,
        line,
        (width - k) * 8,
        1,
      )
    engine.clear(G, b * b * 8)
    multiplyAdd(engine, 8, 0, 1, b, b, width, 1, Y, width * 8, Y, width * 8, G, b * 8, 1)
    const gram = new Float64Array(engine.memory.buffer, G, b * b)
    engine.put(T, triangle(b, gram, betas.subarray(first)), b, b, b)
    const part = rows + (first + 1) * 8
    engine.clear(W, n * b * 8)
    engine.clear(WT, n * b * 8)
    multiplyAdd(engine, 8, 0, 1, n, b, width, 1, part, line, Y, width * 8, W, b * 8, 0)
    multiplyAdd(engine, 8, 0, 1, n, b, b, 1, W, b * 8, T, b * 8, WT, b * 8, 0)
    multiplyAdd(engine, 8, 0, 0, n, width, b, -1, WT, b * 8, Y, width * 8, part, line, 0)
  }
}

/** Upper T with H_0 H_1 ... = I - Y'T Y, from the products of the vectors (lower triangle). */
function triangle(b: number, gram: Float64Array, betas: Float64Array): Float64Array {
  const T = new Float64Array(b * b)
  for (let j = 0; j < b; j++) {
    T[j * b + j] = betas[j]!
    for (let i = 0; i < j; i++) {
      let total = 0
      for (let k = i; k < j; k++) total += T[i * b + k]! * gram[j * b + k]!
      T[i * b + j] = -betas[j]! * total
    }
  }
  return T
}
