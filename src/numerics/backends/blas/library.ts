import type { Floats } from '../../backend.ts'

/** A function of a foreign library; arrays are passed as they are, from where a view begins. */
// biome-ignore lint/suspicious/noExplicitAny: numbers, strings and arrays, as the prototype says
type Foreign = (...args: any[]) => any

/** What is used of koffi. */
interface Koffi {
  load(path: string): { func(prototype: string): Foreign }
}

/** The routines of a BLAS and, where it has them, of LAPACK. */
export interface Library {
  /** The file it came from. */
  readonly path: string
  readonly gemm: { readonly double: Foreign; readonly single: Foreign }
  readonly gemv: { readonly double: Foreign; readonly single: Foreign }
  readonly syrk: { readonly double: Foreign; readonly single: Foreign }
  readonly trsm: { readonly double: Foreign; readonly single: Foreign }
  readonly potrf?: { readonly double: Foreign; readonly single: Foreign }
  readonly syevd?: Foreign
}

/** Where a BLAS usually is; a second file is where its LAPACK is. */
const USUAL: Readonly<Record<string, readonly (readonly string[])[]>> = {
  linux: [
    ['libopenblas.so.0'],
    ['libblas.so.3', 'liblapack.so.3'],
    ['libmkl_rt.so.2'],
    ['libmkl_rt.so'],
    ['libblis.so.4'],
    ['libblis.so'],
  ],
  darwin: [['/System/Library/Frameworks/Accelerate.framework/Accelerate'], ['libopenblas.dylib']],
  win32: [['libopenblas.dll'], ['mkl_rt.2.dll']],
}

const MATRIX = 'const void*, int'

/**
 * The first library that multiplies two matrices as it should: the one that CVXNN_BLAS names, or else one of the usual.
 *
 * @returns the library, or why there is none.
 */
export function findLibrary(threads: number): Library | string {
  const koffi = loadKoffi()
  if (!koffi) return 'the package koffi is not installed; npm install koffi'
  const named = process.env.CVXNN_BLAS
  const places = named ? [[named]] : (USUAL[process.platform] ?? [])
  for (const files of places) {
    const library = open(koffi, files, threads)
    if (library && multiplies(library)) return library
  }
  return named
    ? `CVXNN_BLAS names ${named}, which is no BLAS that can be loaded`
    : `no BLAS was found among ${places.map(([file]) => file).join(', ')}; install one or name it in CVXNN_BLAS`
}

function loadKoffi(): Koffi | undefined {
  // Not imported: a browser has neither, and everything here is without waiting.
  const { createRequire } = globalThis.process?.getBuiltinModule?.('node:module') ?? {}
  try {
    return createRequire?.(import.meta.url)('koffi') as Koffi | undefined
  } catch {
    return undefined
  }
}

function open(koffi: Koffi, files: readonly string[], threads: number): Library | undefined {
  const loaded = files.flatMap((file) => {
    try {
      return [koffi.load(file)]
    } catch {
      return []
    }
  })
  const find = (prototype: string): Foreign | undefined => {
    for (const library of loaded)
      try {
        return library.func(prototype)
      } catch {
        // The next file may have it.
      }
    return undefined
  }
  const both = (name: string, args: (scalar: string) => string): { double: Foreign; single: Foreign } | undefined => {
    const double = find(`void cblas_d${name}(${args('double')})`)
    const single = find(`void cblas_s${name}(${args('float')})`)
    return double && single && { double, single }
  }
  const gemm = both('gemm', (s) => `int, int, int, int, int, int, ${s}, ${MATRIX}, ${MATRIX}, ${s}, void*, int`)
  const gemv = both('gemv', (s) => `int, int, int, int, ${s}, ${MATRIX}, ${MATRIX}, ${s}, void*, int`)
  const syrk = both('syrk', (s) => `int, int, int, int, int, ${s}, ${MATRIX}, ${s}, void*, int`)
  const trsm = both('trsm', (s) => `int, int, int, int, int, int, int, ${s}, ${MATRIX}, void*, int`)
  if (!gemm || !gemv || !syrk || !trsm) return undefined
  for (const name of ['openblas_set_num_threads', 'MKL_Set_Num_Threads', 'bli_thread_set_num_threads'])
    find(`void ${name}(${name.startsWith('bli') ? 'int64_t' : 'int'})`)?.(threads)
  const [double, single] = ['d', 's'].map((kind) =>
    find(`void ${kind}potrf_(const char*, int*, void*, int*, _Out_ int*, size_t)`),
  )
  const potrf = double && single && { double, single }
  const syevd = find(
    'void dsyevd_(const char*, const char*, int*, void*, int*, void*, void*, int*, void*, int*, _Out_ int*, size_t, size_t)',
  )
  return { path: files[0]!, gemm, gemv, syrk, trsm, ...(potrf && { potrf }), ...(syevd && { syevd }) }
}

/** Whether [1 2; 3 4]^2 is [7 10; 15 22] in both precisions. */
function multiplies({ gemm }: Library): boolean {
  const right = (product: Foreign, A: Floats, C: Floats): boolean => {
    product(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, 2, 2, 2, 1, A, 2, A, 2, 0, C, 2)
    return C.join() === '7,10,15,22'
  }
  return (
    right(gemm.double, Float64Array.of(1, 2, 3, 4), new Float64Array(4)) &&
    right(gemm.single, Float32Array.of(1, 2, 3, 4), new Float32Array(4))
  )
}

// As cblas.h numbers them.
export const ROW_MAJOR = 101
export const NO_TRANSPOSE = 111
export const TRANSPOSE = 112
export const LOWER = 122
export const NON_UNIT = 131
export const LEFT = 141
