// What the module offers. f64 and f32 name the kind of entries; see the files for what each does.

import { factor, solveLower, solveUpper } from './cholesky'
import { complementOfSpan, coneWorkBytes, projectOnCone, spanBytes, spanRows } from './cones'
import { rotateRows, tridiagonalize } from './eigen'
import { activeBlocks, clearColumns, clearRows, copyColumns, copyRows, gatherRows, multiplyLower, passes, TABLES } from './gated'
import { multiplyAdd, PACKED } from './gemm'
import { codesOfColumns, codesOfRows } from './subset-sums'
import { backward, forward } from './triangle'

export {
  codesOfColumns,
  codesOfRows,
  complementOfSpan,
  coneWorkBytes,
  copyColumns,
  copyRows,
  gatherRows,
  projectOnCone,
  rotateRows,
  spanBytes,
  spanRows,
  tridiagonalize,
}

export function allocate(bytes: usize): usize {
  return heap.alloc(bytes)
}

export function release(address: usize): void {
  heap.free(address)
}

/** Bytes of workspace that a product needs, and that tables of subset sums need. */
export function packedBytes(): i32 {
  return PACKED
}

export function tableBytes(): i32 {
  return TABLES
}

export function multiplyAdd64(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f64,
  A: usize,
  lda: usize,
  B: usize,
  ldb: usize,
  C: usize,
  ldc: usize,
  lower: bool,
  work: usize,
): void {
  multiplyAdd<f64>(transposeA, transposeB, m, n, k, alpha, A, lda, B, ldb, C, ldc, lower, work)
}

export function multiplyAdd32(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f64,
  A: usize,
  lda: usize,
  B: usize,
  ldb: usize,
  C: usize,
  ldc: usize,
  lower: bool,
  work: usize,
): void {
  multiplyAdd<f32>(transposeA, transposeB, m, n, k, <f32>alpha, A, lda, B, ldb, C, ldc, lower, work)
}

export function factor64(n: i32, A: usize, lda: usize, work: usize): i32 {
  return factor<f64>(n, A, lda, work)
}

export function solveLower64(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  solveLower<f64>(n, m, L, ldl, B, ldb, work)
}

export function solveUpper64(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  solveUpper<f64>(n, m, L, ldl, B, ldb, work)
}

export function forward64(n: i32, L: usize, ldl: usize, x: usize): void {
  forward<f64>(n, L, ldl, x)
}

export function backward64(n: i32, L: usize, ldl: usize, x: usize): void {
  backward<f64>(n, L, ldl, x)
}

export function passes64(
  source: i32,
  mode: i32,
  size: i32,
  count: i32,
  vectors: usize,
  vectorStride: usize,
  weights: usize,
  weightStride: usize,
  chosen: usize,
  words: usize,
  wordStride: usize,
  codes: usize,
  lineCount: i32,
  from: i32,
  to: i32,
  c0: usize,
  c1: usize,
  lower: bool,
  out: usize,
  outStride: usize,
  X: usize,
  ldx: usize,
  tables: usize,
): void {
  passes<f64>(
    source,
    mode,
    size,
    count,
    vectors,
    vectorStride,
    weights,
    weightStride,
    chosen,
    words,
    wordStride,
    codes,
    lineCount,
    from,
    to,
    c0,
    c1,
    lower,
    out,
    outStride,
    X,
    ldx,
    tables,
  )
}

export function activeBlocks64(u: usize, count: i32, stride: usize, bytes: usize, places: usize): i32 {
  return activeBlocks<f64>(u, count, stride, bytes, places)
}

export function multiplyLower64(a: usize, stride: usize, b: usize, strideOfB: usize, first: i32, last: i32): void {
  multiplyLower<f64>(a, stride, b, strideOfB, first, last)
}

export function clearRows64(
  out: usize,
  stride: usize,
  n: i32,
  words: usize,
  wordStride: usize,
  chosen: usize,
  m: i32,
): void {
  clearRows<f64>(out, stride, n, words, wordStride, chosen, m)
}

export function factor32(n: i32, A: usize, lda: usize, work: usize): i32 {
  return factor<f32>(n, A, lda, work)
}

export function solveLower32(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  solveLower<f32>(n, m, L, ldl, B, ldb, work)
}

export function solveUpper32(n: i32, m: i32, L: usize, ldl: usize, B: usize, ldb: usize, work: usize): void {
  solveUpper<f32>(n, m, L, ldl, B, ldb, work)
}

export function forward32(n: i32, L: usize, ldl: usize, x: usize): void {
  forward<f32>(n, L, ldl, x)
}

export function backward32(n: i32, L: usize, ldl: usize, x: usize): void {
  backward<f32>(n, L, ldl, x)
}

export function passes32(
  source: i32,
  mode: i32,
  size: i32,
  count: i32,
  vectors: usize,
  vectorStride: usize,
  weights: usize,
  weightStride: usize,
  chosen: usize,
  words: usize,
  wordStride: usize,
  codes: usize,
  lineCount: i32,
  from: i32,
  to: i32,
  c0: usize,
  c1: usize,
  lower: bool,
  out: usize,
  outStride: usize,
  X: usize,
  ldx: usize,
  tables: usize,
): void {
  passes<f32>(
    source,
    mode,
    size,
    count,
    vectors,
    vectorStride,
    weights,
    weightStride,
    chosen,
    words,
    wordStride,
    codes,
    lineCount,
    from,
    to,
    c0,
    c1,
    lower,
    out,
    outStride,
    X,
    ldx,
    tables,
  )
}

export function activeBlocks32(u: usize, count: i32, stride: usize, bytes: usize, places: usize): i32 {
  return activeBlocks<f32>(u, count, stride, bytes, places)
}

export function multiplyLower32(a: usize, stride: usize, b: usize, strideOfB: usize, first: i32, last: i32): void {
  multiplyLower<f32>(a, stride, b, strideOfB, first, last)
}

export function clearRows32(
  out: usize,
  stride: usize,
  n: i32,
  words: usize,
  wordStride: usize,
  chosen: usize,
  m: i32,
): void {
  clearRows<f32>(out, stride, n, words, wordStride, chosen, m)
}

export function clearColumns64(
  out: usize,
  stride: usize,
  n: i32,
  words: usize,
  wordStride: usize,
  chosen: usize,
  m: i32,
): void {
  clearColumns<f64>(out, stride, n, words, wordStride, chosen, m)
}

export function clearColumns32(
  out: usize,
  stride: usize,
  n: i32,
  words: usize,
  wordStride: usize,
  chosen: usize,
  m: i32,
): void {
  clearColumns<f32>(out, stride, n, words, wordStride, chosen, m)
}
