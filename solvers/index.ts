/**
 * Solvers, the driver that walks them, and paths.
 *
 * @packageDocumentation
 * @module cvxnn/solvers
 */
export { type AugmentedLagrangianOptions, augmentedLagrangian } from './augmented-lagrangian.ts'
export type { CertifiedPoint } from './certified-point.ts'
export type { CheckpointOptions } from './checkpoint.ts'
export { chooseSolver } from './choose.ts'
export { type ColumnGenerationOptions, columnGeneration } from './column-generation.ts'
export { coneNewton } from './cone-newton.ts'
export { type DualAscentOptions, dualAscent } from './dual-ascent.ts'
export { etaNewton } from './eta-newton.ts'
export { explain } from './explain.ts'
export { type FullyCorrectiveOptions, fullyCorrective } from './fully-corrective.ts'
export {
  type GenerateGatesOptions,
  type GenerationRound,
  type GlobalSolution,
  generateGates,
  solveGlobal,
  solveGlobalSync,
} from './generate-gates.ts'
export { type InteriorPointOptions, interiorPoint } from './interior-point.ts'
export { leastSquares } from './least-squares.ts'
export { minimumNorm } from './minimum-norm.ts'
export { newtonCg } from './newton-cg.ts'
export { type NystromNewtonOptions, nystromNewton } from './nystrom-newton.ts'
export { type NystromNewtonCgOptions, nystromNewtonCg } from './nystrom-newton-cg.ts'
export { type OptimalPathOptions, optimalPath, optimalPathSync, type PathPoint } from './optimal-path.ts'
export { type OptimalFace, type OptimalSet, type OptimalSetOptions, optimalSet } from './optimal-set.ts'
export { type ProximalGradientOptions, proximalGradient } from './proximal-gradient.ts'
export { proximalNewton } from './proximal-newton.ts'
export { type PruneOptions, prune } from './prune.ts'
export { type Recovered, type RecoveryOptions, recoverWeights } from './recover-weights.ts'
export { screened } from './screening.ts'
export { type SolveOptions, solve, solveSync, steps, walk } from './solve.ts'
export { type KernelSolution, type SolveKernelOptions, solveKernel } from './solve-kernel.ts'
export { lambdaGrid, type SweepOptions, sweep, sweepSync } from './sweep.ts'
export {
  type BlockSolution,
  type SweepProgress,
  type TrainBlocksOptions,
  train,
  trainSteps,
  trainSync,
  trainWalk,
} from './train.ts'
export { type GlobalVerification, verifyGlobal } from './verify-global.ts'
export { type WorkingSetOptions, workingSet } from './working-set.ts'
