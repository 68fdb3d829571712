/**
 * The contracts everything hangs on: what a linear map, a loss, a penalty, a program, a solver, a certificate and a
 * model promise. No code lives here.
 *
 * @packageDocumentation
 */

/** A dense vector in float64. */
export type Vector = Float64Array

/** Row-major: element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Vector
}

/** A matrix that is held small, in memory or on disk, and read a few rows at a time. */
export interface CompactMatrix {
  readonly rows: number
  readonly columns: number
  /** Whether it stays on disk: then nothing keeps a copy of it. */
  readonly streamed: boolean
  /** Fills `out` with the rows from `from` on, out.length / columns of them, and returns it. */
  read<T extends Float64Array | Float32Array>(from: number, out: T): T
}

/**
 * A linear map A : R^columns -> R^rows.
 *
 * `out`, where given, is overwritten and returned; otherwise a new vector is. Inputs are never written to.
 */
export interface LinearOperator {
  readonly rows: number
  readonly columns: number
  /** A u */
  apply(u: Vector, out?: Vector): Vector
  /** A' p */
  adjoint(p: Vector, out?: Vector): Vector
  /** The map on some blocks of columns only, sharing the data. */
  select?(blocks: Int32Array): LinearOperator
  /** Present where rows of the data can be had by their numbers: the same map, onto the fits of these rows only. */
  onRows?(rows: Int32Array): LinearOperator
  /** Present when the columns fall into blocks whose products are cheaper than the whole: what second-order solvers need. */
  readonly blocks?: BlockMaps
  /** Present when the products are not those of float64: the same map in float64, which certificates are taken with. */
  readonly exact?: LinearOperator
  /** Present where products in float32 take less time: the same map by them, for searches whose points float64 measures. */
  readonly single?: LinearOperator | undefined
}

/**
 * A map by its blocks:  fit[:, k] = sum_b A_b u_{b,k}  with A_b of n x size, the same for each of the fit's `outputs`
 * columns (the fit is n x outputs, row-major).
 *
 * `chosen` lists m blocks; vectors of blocks are rows of m x size, images are rows of m x n. Nothing of n x (count size)
 * is ever formed.
 */
export interface BlockMaps {
  readonly count: number
  readonly size: number
  readonly outputs: number
  /** n */
  readonly rows: number
  /** Where the coefficients u_{b,k} start; they are `size` consecutive ones. */
  start(block: number, output: number): number
  /** Row i: A_{b_i} v_i. */
  images(chosen: Int32Array, vectors: Vector, out?: Vector): Vector
  /** Row i: A_{b_i}' p for one p of n entries. */
  correlations(chosen: Int32Array, p: Vector, out?: Vector): Vector
  /** sum_i weights_i A_{b_i} A_{b_i}': n x n, its lower triangle (the rest is not touched). */
  kernel(chosen: Int32Array, weights: Vector, out?: Vector): Vector
  /**
   * Factors of I + kernel that are kept where they are made, as many as there are outputs; of the blocks diag(rowScales) A_b
   * where those are given.
   */
  factor?(rowScales?: Vector): KernelFactor
  /** A_b' A_c: size x size. */
  gram(b: number, c: number, out?: Vector): Vector
  /** out (n) <- sum_i A_{b_i} v_i: the images' sum, where they are too many to be written down. */
  combination?(chosen: Int32Array, vectors: Vector, out?: Vector): Vector
  /** The map of blocks of one output each: `size` columns a pair, and fits of all outputs. */
  pairs?(blocks: Int32Array, outputs: Int32Array): LinearOperator
  /** Present where rows can be had by their numbers: the same blocks on these rows only. */
  onRows?(rows: Int32Array): BlockMaps
  /** Present where n x n matrices are too large: columns of them instead. */
  sketch?(rows: Int32Array): BlockSketch
}

/** M = I + sum_i weights_i A_{b_i} A_{b_i}' = L L', factored where it is made. */
export interface KernelFactor {
  /** Whether the last factor that was made still stands: a later `BlockMaps.factor` may have taken its place. */
  readonly stands: boolean
  /** Makes and factors M, in float32 at half the time and memory when `single`; false when rounding leaves it indefinite. */
  factor(chosen: Int32Array, weights: Vector, single: boolean): boolean
  /** x <- L^-1 x, or L'^-1 x when `transpose`. */
  solve(transpose: boolean, x: Vector): void
  /** The lower triangle of H (f x f) += Z'M^-1 Z for Z = [A_{b_1} v_1 ... A_{b_f} v_f], v_i in row i of `vectors`. */
  addProducts(chosen: Int32Array, vectors: Vector, H: Vector): void
}

/** Some columns, those of m chosen rows, of kernels sum_i weights_i A_{b_i} A_{b_i}'. */
export interface BlockSketch {
  /** m */
  readonly count: number
  /** The trace of A_b A_b' for every block b. */
  readonly traces: Vector
  /** The kernel's diagonal: n entries. */
  diagonal(chosen: Int32Array, weights: Vector): Vector
  /** out (n x m) <- the kernel's columns. */
  columns<T extends Float64Array | Float32Array>(chosen: Int32Array, weights: Vector, out: T): T
}

/** A smooth convex F with the targets inside; the fit z has one entry per row and output, row-major. */
export interface Loss {
  readonly name: string
  /** Number of entries of a fit. */
  readonly size: number
  /** Lipschitz constant of the gradient in the Euclidean norm. */
  readonly smoothness: number
  /** F(z) */
  value(fit: Vector): number
  /** dF(z) */
  gradient(fit: Vector, out?: Vector): Vector
  /** F*(p) = sup_z p'z - F(z); Infinity outside its domain. */
  conjugate(p: Vector): number
  /** Present where F*'s domain is not everything: a point of it near p. */
  intoDomain?(p: Vector, out?: Vector): Vector
  /** Bregman divergence F(to) - F(at) - dF(at)'(to - at), computed without cancellation where F allows it. */
  divergence(to: Vector, at: Vector): number
  /** Present when F is a sum over entries: the second derivative in each, one-sided where it jumps. */
  curvatures?(fit: Vector, out?: Vector): Vector
  /** Present when F couples the entries of a row and is twice differentiable: its second derivative at a fit. */
  hessian?(fit: Vector): LossHessian
  /**
   * Present when F is linear in some entries of some fits, which its gradient then does not determine: 1 for each entry that
   * is so at this fit or, with `slack`, may be so at one whose gradient is nowhere further than that from this one's. In the
   * other entries F is strictly convex, but for the shifts that `intercept` and `rowShifts` tell of.
   */
  flat?(fit: Vector, slack?: number): Uint8Array
  /** Present when only differences within a row of the fit count: F(Z + a1') = F(Z) for every a, as for log-odds. */
  readonly rowShifts?: true
  /** Present when F(z) = curvature/2 |z - target|^2: what a least-squares solver needs. */
  readonly quadratic?: { readonly curvature: number; readonly target: Vector }
  /** Present when an unpenalised intercept was minimised out: the optimal intercept, one per output, at a fit. */
  intercept?(fit: Vector): Vector
  /** Present when F*(-alpha) falls apart into rows whose domain has an interior: what solvers of the dual need. */
  readonly dual?: DualLoss
}

/** d2F(z) = S S' at a fit z. */
export interface LossHessian {
  /** Second derivatives entry by entry. */
  readonly diagonal: Vector
  /** S v */
  root(v: Vector, out?: Vector): Vector
  /** S'v */
  rootAdjoint(v: Vector, out?: Vector): Vector
  /** v <- its projection on the range of S'. */
  project(v: Vector): Vector
}

/** G(alpha) = F*(-alpha) in detail: a sum over groups of `group` consecutive entries. */
export interface DualLoss {
  readonly group: number
  /** How many logarithms its barrier is a sum of; 0 when G is finite everywhere. */
  readonly barriers: number
  /** A point strictly inside the domain; every point between it and zero is inside too. */
  inside(): Vector
  /**
   * G(alpha) + weight barrier(alpha), Infinity outside the domain (and on its boundary where the weight is positive).
   * Where given, `gradient` and `hessian` (a group x group block per group) are overwritten.
   */
  value(alpha: Vector, weight: number, gradient?: Vector, hessian?: Vector): number
  /** argmin_a step G(a) + |a - v|^2 / 2 */
  prox(v: Vector, step: number, out?: Vector): Vector
}

/** A loss before it has met its targets, as a program takes it: `loss: squared()`. */
export interface LossChoice {
  readonly name: string
  /** The loss on these targets (rows x outputs); with `intercept`, an unpenalised one per output is minimised out. */
  over(targets: Matrix, options?: { intercept?: boolean }): Loss
}

/** Consecutive blocks of equal size. */
export interface Blocks {
  readonly size: number
}

/** A convex R with an easy prox. */
export interface Penalty {
  readonly name: string
  /** Present when R is separable over consecutive blocks: what becomes zero, becomes zero as a block. */
  readonly blocks?: Blocks
  /** R(u) */
  value(u: Vector): number
  /** argmin_u step R(u) + |u - v|^2 / 2 */
  prox(v: Vector, step: number, out?: Vector): Vector
  /** sup { u'v : R(u) <= 1 }: the dual norm when R is a norm, Infinity (or 0 at v = 0) when R is not. */
  polar(v: Vector): number
  /** R*(v) = sup_u u'v - R(u) */
  conjugate(v: Vector): number
  /** Euclidean distance from v to the subdifferential of R at u. */
  subdifferentialDistance(u: Vector, v: Vector): number
  /**
   * Present when R is separable over its blocks and no block's polar changes by more than v does there, in the Euclidean
   * norm: the polar of each part of `size` consecutive entries (a multiple of the blocks'). A part whose polar is at most
   * `enough` (default 0) may get an upper bound instead, itself at most `enough`.
   */
  polars?(v: Vector, size: number, enough?: number): Vector
  /** Present when R(u) = sum_b |u_b|_2 over consecutive blocks of this size, and nothing else. */
  readonly groups?: Blocks
  /** Present when R(u) = sum_b |u_b|_2 over consecutive blocks that may have to lie in convex cones, and nothing else. */
  readonly blockNorms?: Blocks
  /** Present when R(u) = sum_b |u_b|_2 over consecutive blocks that must lie in polyhedral cones, and nothing else. */
  readonly cones?: BlockCones
  /** Present when R(u) = curvature/2 |u|^2. */
  readonly quadratic?: { readonly curvature: number }
  /** Present when calls start from what earlier ones have found, which can move the last bits of a result: takes that away. */
  forget?(): void
  /** Present when R is Infinity outside a closed convex set: that set. `value` is then R's value inside. */
  readonly domain?: ConvexSet
}

/** Polyhedral cones, one a block of `size` entries: what second-order solvers need of them. */
export interface BlockCones {
  readonly size: number
  /**
   * Writes the Euclidean projection of v[start ..] on the block's cone to out[outStart ..] and returns its norm. Where
   * that is at most `enough` (default 0) the return value may be an upper bound, itself at most `enough`, and out anything.
   */
  project(block: number, v: Vector, start: number, out: Vector, outStart: number, enough?: number): number
  /** The face the block's last projection fell in, or all of the space where there was none. */
  face(block: number): Face
}

/** A face of a cone, by its span. */
export interface Face {
  /** Orthonormal rows N: while the face stays the same, projection is multiplication with N'N. */
  readonly basis: Vector
  /** Tells the faces of one block apart. */
  readonly version: number
}

/** The sizes of a two-layer program: what a penalty needs to know to place its groups. */
export interface NetworkShape {
  /** Entries of one block: features, plus one with a penalised bias. */
  readonly features: number
  readonly gates: number
  readonly outputs: number
}

/** A penalty before it has met the sizes, as a program takes it: `penalty: groupL1()`. */
export interface PenaltyChoice {
  readonly name: string
  /** The penalty over blocks of these sizes. */
  over(shape: NetworkShape): Penalty
}

/** A convex set with an easy projection. */
export interface ConvexSet {
  readonly name: string
  /** The nearest point of the set. */
  project(s: Vector, out?: Vector): Vector
  /** sup { y's : s in the set } */
  support(y: Vector): number
  /** How far s is outside, 0 inside; each set says in which measure. */
  violation(s: Vector): number
}

/**
 * What a lower bound bounds: `network` the non-convex network's own optimum over every width (all activation patterns
 * are present), `program` the optimum over the patterns given, `block` one block with the others fixed.
 */
export type Scope = 'network' | 'program' | 'block'

/** A point of a program, with what is already known about it. */
export interface Iterate {
  readonly coefficients: Vector
  /** A u, when known. */
  readonly fit?: Vector
  readonly multipliers?: Vector
  /** A dual point r (in the convention r = -dF(fit)), when one is known: in a solution it is feasible, from a solver it may need scaling. */
  readonly dual?: Vector
}

/**
 * minimise F(A u) + lambda R(u), where R may carry a constraint in its domain.
 *
 * Plain and frozen: `{ ...program, lambda }` is the next point of a path.
 */
export interface ConvexProgram<M = unknown> {
  readonly name: string
  readonly loss: Loss
  readonly operator: LinearOperator
  readonly penalty: Penalty
  readonly lambda: number
  /** R's domain written out as G u in C, with the penalty that is left: what solvers of constraints work on. */
  readonly constraint?: { readonly operator: LinearOperator; readonly set: ConvexSet; readonly penalty: Penalty }
  readonly scope: Scope
  /**
   * What `restrict` chooses among: blocks of so many consecutive coefficients, each of one or more of the penalty's
   * blocks.
   */
  readonly blocks?: Blocks & {
    /** What safe screening needs: for each an upper bound of |A_p|_2 over the penalty's blocks p in it. */
    reach?(): Vector
  }
  /** The same program on some blocks only. */
  restrict?(blocks: Int32Array): ConvexProgram<M>
  /** The network this point stands for. */
  recover(at: Iterate): M
  /** The point this network stands for; throws when the network uses a pattern the program does not have. */
  embed(model: M, tolerance?: number): Iterate
  /**
   * The network's own objective, F(f(X)) + lambda/2 (|W1|^2 + |W2|^2): never below the program's optimum over its patterns.
   * Undefined for a network that the program does not bound, such as one whose neurons serve several outputs.
   */
  networkObjective?(model: M): number | undefined
  /** Present when the blocks are a choice of neurons: the family they are chosen from. */
  readonly neurons?: NeuronFamily
  /**
   * The same program with blocks for the patterns 1[Xu >= 0] of these neurons u (rows) that it lacks, after those it has.
   * What solves have found out about blocks is not handed on, so that the same neurons always give the same program.
   */
  extend?(neurons: Matrix): ConvexProgram<M>
}

/**
 * All neurons x -> (x'u)_+ that a program's blocks are a choice from, one block per activation pattern and sign.
 *
 * A residual r bounds networks of every width when r'(Xu)_+ <= lambda |u| for all u, and for -r: a u that violates it is a
 * neuron worth a block.
 */
export interface NeuronFamily {
  /** X, n x size: with a column of ones last when neurons have a bias. */
  readonly inputs: Matrix
  readonly outputs: number
}

/**
 * How close a point is to optimal.
 *
 * `primal` and `dual` are absolute, in the units of the objective: the optimum lies in [dual, primal] whenever
 * `primalFeasibility` is 0. The residuals are relative: see `certify`.
 */
export interface Certificate {
  /** F(Au) + lambda R(u): an upper bound of the optimum. */
  readonly primal: number
  /** Value of a dual feasible point: a lower bound of the optimum; `primal` itself where rounding puts it above that. */
  readonly dual: number
  /** primal - dual */
  readonly gap: number
  /** gap / max(|primal|, |dual|): the gap against the optimum; 0 when the gap is 0. */
  readonly relativeGap: number
  /** dist(-A'dF(Au), lambda dR(u)), relative to the gradient at zero. */
  readonly stationarity: number
  /** How far the point given was outside the penalty's domain, relative; `primal` is that of the nearest point inside. */
  readonly primalFeasibility: number
  /** Excess of the dual norm of the unscaled dual point over lambda, relative to the gradient at zero. */
  readonly dualFeasibility: number
  /** |lambda R(u) - u'A'r| at the unscaled dual point r, relative to F(0). */
  readonly complementarity: number
  readonly scope: Scope
}

/** One step of a solver's walk. */
export interface Step extends Iterate {
  /** Whether this step is worth a certificate: `true` now, `false` not yet; left out, the driver's interval decides. */
  readonly certify?: boolean
  /**
   * The relative gap that the solver itself reckons this point to have: within the tolerance a certificate is due in any case;
   * beyond it, where `certify` says nothing, only when somebody looks at the progress or there was none for long.
   */
  readonly gap?: number
}

/**
 * Matrices Z_i (size x m) of `count` points known only by their products Z_i Z_j' (size x size): a kernel. With it comes the
 * map M(alpha) = [sum_i alpha_ik Z_i']_k from count x outputs numbers to m x q matrices, q = outputs size.
 */
export interface KernelMap {
  readonly count: number
  readonly size: number
  readonly outputs: number
  /** M(alpha)' [Z_1' ... Z_n']: q x (count size), row k size + p. */
  images(alpha: Vector, out?: Vector): Vector
  /** [Z_i Z_j']_ij W for W of (count size) x width. */
  products(W: Vector, width: number, out?: Vector): Vector
  /** Z_i Z_j' */
  block(i: number, j: number, out?: Vector): Vector
}

/** A matrix W a' known by its kernel: filters w_j = sum_i Z_i' c_ij and the linear weights on what they see. */
export interface FilterPoint {
  /** (count size) x r: column j holds the c_ij of filter j. */
  readonly filters: Matrix
  /** r x q */
  readonly linear: Matrix
}

/**
 * minimise over A   F( [<Z_i, A_k>]_ik ) + lambda |A|_* ,  and its dual
 *
 *     maximise over alpha   -F*(-alpha)   subject to   |M(alpha)| <= lambda  in the operator norm,
 *
 * where Z is known by its kernel only.
 */
export interface KernelProgram<M = unknown> {
  readonly name: string
  readonly loss: Loss
  readonly kernel: KernelMap
  readonly lambda: number
  readonly scope: Scope
  /** The same program on filters with orthonormal columns: H (count rows of size x r) is what they see. */
  onFilters(H: Matrix): ConvexProgram
  /** The program over A = U B V' with B positive semidefinite (r x r): row (i, k) of G holds the symmetric <G_ik, B>. */
  onCore(G: Matrix): ConvexProgram
  /** The network of these filters and linear weights. */
  recover(at: FilterPoint): M
}

/** A point of a kernel program: what a solver knows of the dual, and of the primal where it has one. */
export interface KernelIterate {
  /** Any alpha inside the domain of F*(-alpha); it is scaled until it is feasible. */
  readonly dual: Vector
  /** |M(alpha)|, when known. */
  readonly dualNorm?: number
  /** [<Z_i, A_k>] and |A|_* of one matrix A, when known. */
  readonly fit?: Vector
  readonly norm?: number
  /** That matrix. */
  readonly filters?: FilterPoint
  /** True where weights recovered from the dual are likely to be better than that matrix. */
  readonly recover?: boolean
}

/** An endless walk through a kernel program. */
export interface KernelSolver {
  readonly name: string
  /** `true`, or the reason why not, as a sentence. */
  supports(program: KernelProgram): true | string
  /** Walks from nothing; yielded arrays are lent. */
  iterate(program: KernelProgram): Generator<KernelIterate, void>
}

/** An endless walk; the driver decides when to stop. */
export interface Solver {
  readonly name: string
  /** `true`, or the reason why not, as a sentence. */
  supports(program: ConvexProgram): true | string
  /** Yielded arrays are lent, not given: the driver copies what it keeps. `start` is never written to. */
  iterate(program: ConvexProgram, start?: Iterate): Generator<Step, void>
}

/** How a solve ended: at the tolerance, at a limit, by its signal, or in numbers that are not finite. */
export type Status = 'solved' | 'iteration-limit' | 'time-limit' | 'aborted' | 'diverged'

/** What the driver reports while a solver walks. */
export interface Progress {
  readonly iteration: number
  readonly seconds: number
  readonly certificate: Certificate
}

/** The answer of a solver, with its certificate. */
export interface Solution<M = unknown> extends Iterate {
  readonly program: ConvexProgram<M>
  readonly solver: string
  readonly status: Status
  readonly iterations: number
  readonly seconds: number
  readonly certificate: Certificate
  /** Recovered on first read. */
  readonly model: M
}

/**
 * A program that is convex in each block of its unknowns when the others are fixed, and in no more than that: what lifted
 * deep networks state. Its states are written to by sweeps.
 */
export interface MultiConvexProgram<M = unknown, S = unknown> {
  readonly name: string
  /** The blocks in the order of a sweep. */
  readonly blocks: readonly string[]
  /** A random start; the same seed gives the same one. */
  initial(seed: number): S
  /** The state of a network: where to start from weights. */
  embed(model: M): S
  /** The lifted objective: loss, couplings and ridge. */
  objective(state: S): number
  /** One block with the others fixed, as a convex program; the state is a point of it. */
  subproblem(block: number, state: S): { readonly program: ConvexProgram; readonly at: Iterate }
  /** Sweep number `sweep`, counted from 1: every block once, in place. Yields the block (or batch) that was just done. */
  sweep(state: S, sweep: number): Generator<string, void>
  /** How far the state is from a minimum of any one block, and what the network itself reaches. */
  measure(state: S): BlockMeasure
  /** The network of a state. */
  recover(state: S): M
}

/** What is known of a state of a multi-convex program. */
export interface BlockMeasure {
  /** Scope `block`: no single block, the others fixed, has an objective below `dual`. No bound of the network's optimum. */
  readonly certificate: Certificate
  /** The objective of the network itself, where every layer's output is what its input gives. */
  readonly networkLoss: number
  /** rms(x_k - phi(z_k)) of every node: how far the network is from its lifted form. */
  readonly gaps: readonly number[]
  /** Largest optimality residual of a node, and of a link's gradient. */
  readonly nodeResidual: number
  readonly linkResidual: number
}

/** A trained network as it is written to a file: a format name, a version, and the fields of its kind. */
export interface ModelJson {
  readonly format: 'cvxnn'
  readonly version: number
  readonly kind: string
}

/** A trained network. */
export interface Model {
  readonly kind: string
  /** Number of hidden neurons. */
  readonly width: number
  /** Raw rows in (rows x features), predictions out (rows x outputs). */
  predict(X: Matrix): Matrix
  /** What `loadModel` reads back. */
  toJSON(): ModelJson
}
