import type { Floats } from '../../backend.ts'

/** Rows, columns and depth of the pieces of A, B and C that stay in cache. */
const ROWS = 64
const COLUMNS = 512
const DEPTH = 256

// Packed pieces, padded with zeros to whole tiles. Float64 for either kind of input: in JavaScript float32 is no faster.
const packedA = new Float64Array(ROWS * DEPTH)
const packedB = new Float64Array(COLUMNS * DEPTH)
const tile = new Float64Array(16)

/** C <- alpha op(A) op(B) + beta C in tiles of 4 x 4 held in registers, over packed pieces. */
export function gemm<T extends Floats>(
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  alpha: number,
  A: T,
  lda: number,
  B: T,
  ldb: number,
  beta: number,
  C: T,
  ldc: number,
): void {
  scaleRows(m, n, beta, C, ldc)
  if (alpha === 0) return
  for (let j0 = 0; j0 < n; j0 += COLUMNS) {
    const columns = Math.min(COLUMNS, n - j0)
    for (let p0 = 0; p0 < k; p0 += DEPTH) {
      const depth = Math.min(DEPTH, k - p0)
      pack(
        packedB,
        B,
        transposeB ? j0 * ldb + p0 : p0 * ldb + j0,
        transposeB ? ldb : 1,
        transposeB ? 1 : ldb,
        columns,
        depth,
      )
      for (let i0 = 0; i0 < m; i0 += ROWS) {
        const rows = Math.min(ROWS, m - i0)
        pack(
          packedA,
          A,
          transposeA ? p0 * lda + i0 : i0 * lda + p0,
          transposeA ? 1 : lda,
          transposeA ? lda : 1,
          rows,
          depth,
        )
        for (let j = 0; j < columns; j += 4)
          for (let i = 0; i < rows; i += 4) {
            multiplyTile(depth, i * depth, j * depth)
            addTile(Math.min(4, rows - i), Math.min(4, columns - j), alpha, C, (i0 + i) * ldc + j0 + j, ldc)
          }
      }
    }
  }
}

/** C <- beta C; at beta = 0 whatever was there is gone, NaN included. */
export function scaleRows(m: number, n: number, beta: number, C: Floats, ldc: number): void {
  if (beta === 1) return
  for (let i = 0; i < m; i++)
    if (beta === 0) C.fill(0, i * ldc, i * ldc + n)
    else for (let j = i * ldc; j < i * ldc + n; j++) C[j]! *= beta
}

/** `lines` lines of `depth` entries, four lines side by side: entry (line l, p) goes to (l >> 2) 4 depth + 4 p + (l & 3). */
function pack(
  packed: Float64Array,
  from: Floats,
  start: number,
  lineStride: number,
  stride: number,
  lines: number,
  depth: number,
): void {
  for (let l = 0; l < lines; l += 4) {
    const to = l * depth
    const whole = l + 4 <= lines
    for (let q = 0; q < 4; q++) {
      if (!whole && l + q >= lines) {
        for (let p = 0; p < depth; p++) packed[to + 4 * p + q] = 0
        continue
      }
      const line = start + (l + q) * lineStride
      for (let p = 0; p < depth; p++) packed[to + 4 * p + q] = from[line + p * stride]!
    }
  }
}

/** tile <- the 4 x 4 product of the packed lines at a and b. */
function multiplyTile(depth: number, a: number, b: number): void {
  let c00 = 0
  let c01 = 0
  let c02 = 0
  let c03 = 0
  let c10 = 0
  let c11 = 0
  let c12 = 0
  let c13 = 0
  let c20 = 0
  let c21 = 0
  let c22 = 0
  let c23 = 0
  let c30 = 0
  let c31 = 0
  let c32 = 0
  let c33 = 0
  for (let p = 0; p < 4 * depth; p += 4) {
    const b0 = packedB[b + p]!
    const b1 = packedB[b + p + 1]!
    const b2 = packedB[b + p + 2]!
    const b3 = packedB[b + p + 3]!
    const a0 = packedA[a + p]!
    c00 += a0 * b0
    c01 += a0 * b1
    c02 += a0 * b2
    c03 += a0 * b3
    const a1 = packedA[a + p + 1]!
    c10 += a1 * b0
    c11 += a1 * b1
    c12 += a1 * b2
    c13 += a1 * b3
    const a2 = packedA[a + p + 2]!
    c20 += a2 * b0
    c21 += a2 * b1
    c22 += a2 * b2
    c23 += a2 * b3
    const a3 = packedA[a + p + 3]!
    c30 += a3 * b0
    c31 += a3 * b1
    c32 += a3 * b2
    c33 += a3 * b3
  }
  tile[0] = c00
  tile[1] = c01
  tile[2] = c02
  tile[3] = c03
  tile[4] = c10
  tile[5] = c11
  tile[6] = c12
  tile[7] = c13
  tile[8] = c20
  tile[9] = c21
  tile[10] = c22
  tile[11] = c23
  tile[12] = c30
  tile[13] = c31
  tile[14] = c32
  tile[15] = c33
}

/** C += alpha tile, the rows and columns that C has. */
function addTile(rows: number, columns: number, alpha: number, C: Floats, start: number, ldc: number): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) C[start + i * ldc + j]! += alpha * tile[4 * i + j]!
}
