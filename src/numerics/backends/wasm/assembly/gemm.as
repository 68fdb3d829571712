// C += alpha op(A) op(B), rows of C in row-major order, in tiles of 2 rows x 4 vectors: 8 sums in registers, which every
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
  const width = <i32>(64 / entry)
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
      const panelA = <usize>(2 * depth) * entry
      const panelB = <usize>(width * depth) * entry
      for (let i0 = lower ? j0 - (j0 % 2) : 0; i0 < m; i0 += ROWS) {
        const rows = min(ROWS, m - i0)
        if (transposeA) packColumns<T>(packedA, A + <usize>p0 * lda + <usize>i0 * entry, lda, rows, depth, 2)
        else packLines<T>(packedA, A + <usize>i0 * lda + <usize>p0 * entry, lda, rows, depth, 2)
        let b = packedB
        for (let j = 0; j < columns; j += width, b += panelB) {
          const tileColumns = min(width, columns - j)
          let a = packedA
          for (let i = 0; i < rows; i += 2, a += panelA) {
            const row = i0 + i
            const column = j0 + j
            if (lower && column > row + 1) continue
            const to = C + <usize>row * ldc + <usize>column * entry
            if (rows - i >= 2 && tileColumns == width && !(lower && column + width > row + 1)) {
              multiplyTile<T>(depth, a, b, alphas, to, ldc)
              continue
            }
            memory.fill(tile, 0, 128)
            multiplyTile<T>(depth, a, b, alphas, tile, 64)
            const tileRows = min(2, rows - i)
            for (let r = 0; r < tileRows; r++) {
              const count = lower ? min(tileColumns, row + r + 1 - column) : tileColumns
              for (let c = 0; c < count; c++) {
                const at = to + <usize>r * ldc + <usize>c * entry
                store<T>(at, <T>(load<T>(at) + load<T>(tile + <usize>r * 64 + <usize>c * entry)))
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
    if (count == 64)
      for (let p = 0; p < depth; p++, at += 64, source += stride) {
        v128.store(at, v128.load(source))
        v128.store(at, v128.load(source, 16), 16)
        v128.store(at, v128.load(source, 32), 32)
        v128.store(at, v128.load(source, 48), 48)
      }
    else if (count == 32 && step == 32)
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

/**
 * The 2 x 4 vectors at `to` += alpha times the product of two packed panels.
 *
 * Eight steps a round, with a way out between two: what leaves there must have been added up, so that the compiler cannot
 * load all operands first, for which there are not enough registers.
 */
function multiplyTile<T>(depth: i32, a: usize, b: usize, alpha: v128, to: usize, stride: usize): void {
  let c00 = v128.splat<T>(0)
  let c01 = v128.splat<T>(0)
  let c02 = v128.splat<T>(0)
  let c03 = v128.splat<T>(0)
  let c10 = v128.splat<T>(0)
  let c11 = v128.splat<T>(0)
  let c12 = v128.splat<T>(0)
  let c13 = v128.splat<T>(0)
  const end = b + <usize>depth * 64
  const end1 = end - 64
  const end2 = end - 128
  const end3 = end - 192
  const end4 = end - 256
  const end5 = end - 320
  const end6 = end - 384
  const end7 = end - 448
  while (true) {
    const b0_0 = v128.load(b)
    const b1_0 = v128.load(b, 16)
    const b2_0 = v128.load(b, 32)
    const b3_0 = v128.load(b, 48)
    const s0_0 = v128.load_splat<T>(a)
    c00 = v128.add<T>(c00, v128.mul<T>(s0_0, b0_0))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_0, b1_0))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_0, b2_0))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_0, b3_0))
    const s1_0 = v128.load_splat<T>(a, 1 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_0, b0_0))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_0, b1_0))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_0, b2_0))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_0, b3_0))
    if (b == end1) break
    const b0_1 = v128.load(b, 64)
    const b1_1 = v128.load(b, 80)
    const b2_1 = v128.load(b, 96)
    const b3_1 = v128.load(b, 112)
    const s0_1 = v128.load_splat<T>(a, 2 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_1, b0_1))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_1, b1_1))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_1, b2_1))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_1, b3_1))
    const s1_1 = v128.load_splat<T>(a, 3 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_1, b0_1))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_1, b1_1))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_1, b2_1))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_1, b3_1))
    if (b == end2) break
    const b0_2 = v128.load(b, 128)
    const b1_2 = v128.load(b, 144)
    const b2_2 = v128.load(b, 160)
    const b3_2 = v128.load(b, 176)
    const s0_2 = v128.load_splat<T>(a, 4 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_2, b0_2))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_2, b1_2))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_2, b2_2))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_2, b3_2))
    const s1_2 = v128.load_splat<T>(a, 5 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_2, b0_2))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_2, b1_2))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_2, b2_2))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_2, b3_2))
    if (b == end3) break
    const b0_3 = v128.load(b, 192)
    const b1_3 = v128.load(b, 208)
    const b2_3 = v128.load(b, 224)
    const b3_3 = v128.load(b, 240)
    const s0_3 = v128.load_splat<T>(a, 6 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_3, b0_3))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_3, b1_3))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_3, b2_3))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_3, b3_3))
    const s1_3 = v128.load_splat<T>(a, 7 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_3, b0_3))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_3, b1_3))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_3, b2_3))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_3, b3_3))
    if (b == end4) break
    const b0_4 = v128.load(b, 256)
    const b1_4 = v128.load(b, 272)
    const b2_4 = v128.load(b, 288)
    const b3_4 = v128.load(b, 304)
    const s0_4 = v128.load_splat<T>(a, 8 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_4, b0_4))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_4, b1_4))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_4, b2_4))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_4, b3_4))
    const s1_4 = v128.load_splat<T>(a, 9 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_4, b0_4))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_4, b1_4))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_4, b2_4))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_4, b3_4))
    if (b == end5) break
    const b0_5 = v128.load(b, 320)
    const b1_5 = v128.load(b, 336)
    const b2_5 = v128.load(b, 352)
    const b3_5 = v128.load(b, 368)
    const s0_5 = v128.load_splat<T>(a, 10 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_5, b0_5))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_5, b1_5))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_5, b2_5))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_5, b3_5))
    const s1_5 = v128.load_splat<T>(a, 11 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_5, b0_5))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_5, b1_5))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_5, b2_5))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_5, b3_5))
    if (b == end6) break
    const b0_6 = v128.load(b, 384)
    const b1_6 = v128.load(b, 400)
    const b2_6 = v128.load(b, 416)
    const b3_6 = v128.load(b, 432)
    const s0_6 = v128.load_splat<T>(a, 12 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_6, b0_6))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_6, b1_6))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_6, b2_6))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_6, b3_6))
    const s1_6 = v128.load_splat<T>(a, 13 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_6, b0_6))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_6, b1_6))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_6, b2_6))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_6, b3_6))
    if (b == end7) break
    const b0_7 = v128.load(b, 448)
    const b1_7 = v128.load(b, 464)
    const b2_7 = v128.load(b, 480)
    const b3_7 = v128.load(b, 496)
    const s0_7 = v128.load_splat<T>(a, 14 * sizeof<T>())
    c00 = v128.add<T>(c00, v128.mul<T>(s0_7, b0_7))
    c01 = v128.add<T>(c01, v128.mul<T>(s0_7, b1_7))
    c02 = v128.add<T>(c02, v128.mul<T>(s0_7, b2_7))
    c03 = v128.add<T>(c03, v128.mul<T>(s0_7, b3_7))
    const s1_7 = v128.load_splat<T>(a, 15 * sizeof<T>())
    c10 = v128.add<T>(c10, v128.mul<T>(s1_7, b0_7))
    c11 = v128.add<T>(c11, v128.mul<T>(s1_7, b1_7))
    c12 = v128.add<T>(c12, v128.mul<T>(s1_7, b2_7))
    c13 = v128.add<T>(c13, v128.mul<T>(s1_7, b3_7))
    b += 512
    a += 16 * sizeof<T>()
    if (b == end) break
  }
  v128.store(to, v128.add<T>(v128.load(to), v128.mul<T>(alpha, c00)))
  v128.store(to, v128.add<T>(v128.load(to, 16), v128.mul<T>(alpha, c01)), 16)
  v128.store(to, v128.add<T>(v128.load(to, 32), v128.mul<T>(alpha, c02)), 32)
  v128.store(to, v128.add<T>(v128.load(to, 48), v128.mul<T>(alpha, c03)), 48)
  to += stride
  v128.store(to, v128.add<T>(v128.load(to), v128.mul<T>(alpha, c10)))
  v128.store(to, v128.add<T>(v128.load(to, 16), v128.mul<T>(alpha, c11)), 16)
  v128.store(to, v128.add<T>(v128.load(to, 32), v128.mul<T>(alpha, c12)), 32)
  v128.store(to, v128.add<T>(v128.load(to, 48), v128.mul<T>(alpha, c13)), 48)
}
