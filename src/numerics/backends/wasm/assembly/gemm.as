// C += alpha op(A) op(B), rows of C in row-major order, in tiles of 4 rows x 2 vectors: 8 sums in registers, which every
// engine keeps there. Addresses and strides are in bytes, sizes in entries. `work` has room for PACKED bytes.

/** Rows, columns and depth of the packed pieces: a piece of A and one of B stay in the second-level cache together. */
const ROWS: i32 = 96
const COLUMNS: i32 = 256
const DEPTH: i32 = 256

/** Bytes that packed pieces of either precision and one tile take. */
export const PACKED: i32 = (ROWS + COLUMNS) * DEPTH * 8 + 512

/** With `lower`, only entries of C whose column is not beyond their row are touched. */
export function multiplyAdd<T>(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: T,
  A: usize,
  lda: usize,
  B: usize,
  ldb: usize,
  C: usize,
  ldc: usize,
  lower: bool,
  work: usize,
): void {
  const entry = sizeof<T>()
  const width = <i32>(32 / entry)
  const packedB = work
  const packedA = packedB + <usize>(COLUMNS * DEPTH) * entry
  const tile = packedA + <usize>(ROWS * DEPTH) * entry
  const alphas = v128.splat<T>(alpha)
  for (let j0 = 0; j0 < n; j0 += COLUMNS) {
    const columns = min(COLUMNS, n - j0)
    for (let p0 = 0; p0 < k; p0 += DEPTH) {
      const depth = min(DEPTH, k - p0)
      if (transposeB) packLines<T>(packedB, B + <usize>j0 * ldb + <usize>p0 * entry, ldb, columns, depth, width)
      else packColumns<T>(packedB, B + <usize>p0 * ldb + <usize>j0 * entry, ldb, columns, depth, width)
      const panelA = <usize>(4 * depth) * entry
      const panelB = <usize>(width * depth) * entry
      for (let i0 = lower ? j0 - (j0 % 4) : 0; i0 < m; i0 += ROWS) {
        const rows = min(ROWS, m - i0)
        if (transposeA) packColumns<T>(packedA, A + <usize>p0 * lda + <usize>i0 * entry, lda, rows, depth, 4)
        else packLines<T>(packedA, A + <usize>i0 * lda + <usize>p0 * entry, lda, rows, depth, 4)
        let b = packedB
        for (let j = 0; j < columns; j += width, b += panelB) {
          const tileColumns = min(width, columns - j)
          let a = packedA
          for (let i = 0; i < rows; i += 4, a += panelA) {
            const row = i0 + i
            const column = j0 + j
            if (lower && column > row + 3) continue
            const to = C + <usize>row * ldc + <usize>column * entry
            if (rows - i >= 4 && tileColumns == width && !(lower && column + width > row + 1)) {
              multiplyTile<T>(depth, a, b, alphas, to, ldc)
              continue
            }
            memory.fill(tile, 0, 128)
            multiplyTile<T>(depth, a, b, alphas, tile, 32)
            const tileRows = min(4, rows - i)
            for (let r = 0; r < tileRows; r++) {
              const count = lower ? min(tileColumns, row + r + 1 - column) : tileColumns
              for (let c = 0; c < count; c++) {
                const at = to + <usize>r * ldc + <usize>c * entry
                store<T>(at, <T>(load<T>(at) + load<T>(tile + <usize>r * 32 + <usize>c * entry)))
              }
            }
          }
        }
      }
    }
  }
}

/** Panels of `width` lines that lie along rows: entry (line, p) next to the same p of the panel's other lines; zeros fill the last. */
function packLines<T>(to: usize, from: usize, stride: usize, lines: i32, depth: i32, width: i32): void {
  const entry = sizeof<T>()
  const step = <usize>width * entry
  for (let l = 0; l < lines; l += width) {
    const panel = to + <usize>(l * depth) * entry
    for (let q = 0; q < width; q++) {
      let at = panel + <usize>q * entry
      if (l + q < lines) {
        let source = from + <usize>(l + q) * stride
        for (let p = 0; p < depth; p++, at += step, source += entry) store<T>(at, load<T>(source))
      } else for (let p = 0; p < depth; p++, at += step) store<T>(at, 0)
    }
  }
}

/** The same panels from lines that lie along columns: `width` entries of a row at a time. */
function packColumns<T>(to: usize, from: usize, stride: usize, lines: i32, depth: i32, width: i32): void {
  const entry = sizeof<T>()
  const step = <usize>width * entry
  for (let l = 0; l < lines; l += width) {
    let at = to + <usize>(l * depth) * entry
    let source = from + <usize>l * entry
    const count = <usize>min(width, lines - l) * entry
    if (count == 32)
      for (let p = 0; p < depth; p++, at += 32, source += stride) {
        v128.store(at, v128.load(source))
        v128.store(at, v128.load(source, 16), 16)
      }
    else if (count == 16 && step == 16)
      for (let p = 0; p < depth; p++, at += 16, source += stride) v128.store(at, v128.load(source))
    else
      for (let p = 0; p < depth; p++, at += step, source += stride)
        for (let q: usize = 0; q < step; q += entry) store<T>(at + q, q < count ? load<T>(source + q) : 0)
  }
}

/** The 4 x 2 vectors at `to` += alpha times the product of two packed panels. */
function multiplyTile<T>(depth: i32, a: usize, b: usize, alpha: v128, to: usize, stride: usize): void {
  const entry = sizeof<T>()
  let c00 = v128.splat<T>(0)
  let c01 = v128.splat<T>(0)
  let c10 = v128.splat<T>(0)
  let c11 = v128.splat<T>(0)
  let c20 = v128.splat<T>(0)
  let c21 = v128.splat<T>(0)
  let c30 = v128.splat<T>(0)
  let c31 = v128.splat<T>(0)
  const end = b + <usize>depth * 32
  for (; b < end; b += 32, a += 4 * entry) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let s = v128.load_splat<T>(a)
    c00 = v128.add<T>(c00, v128.mul<T>(s, b0))
    c01 = v128.add<T>(c01, v128.mul<T>(s, b1))
    s = v128.load_splat<T>(a + entry)
    c10 = v128.add<T>(c10, v128.mul<T>(s, b0))
    c11 = v128.add<T>(c11, v128.mul<T>(s, b1))
    s = v128.load_splat<T>(a + 2 * entry)
    c20 = v128.add<T>(c20, v128.mul<T>(s, b0))
    c21 = v128.add<T>(c21, v128.mul<T>(s, b1))
    s = v128.load_splat<T>(a + 3 * entry)
    c30 = v128.add<T>(c30, v128.mul<T>(s, b0))
    c31 = v128.add<T>(c31, v128.mul<T>(s, b1))
  }
  addRow<T>(to, alpha, c00, c01)
  addRow<T>(to + stride, alpha, c10, c11)
  addRow<T>(to + 2 * stride, alpha, c20, c21)
  addRow<T>(to + 3 * stride, alpha, c30, c31)
}

// @ts-ignore: decorator
@inline
function addRow<T>(to: usize, alpha: v128, c0: v128, c1: v128): void {
  v128.store(to, v128.add<T>(v128.load(to), v128.mul<T>(alpha, c0)))
  v128.store(to, v128.add<T>(v128.load(to, 16), v128.mul<T>(alpha, c1)), 16)
}
