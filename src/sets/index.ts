export { type ActiveRows, activeRows } from '../numerics/cone-projection.ts'
export { type ActivationCones, activationCones } from './activation-cones.ts'
export {
  type BlockedCones,
  blockedCones,
  type ConePoint,
  conePoint,
  type HeldRows,
  stacked,
} from './blocked-cones.ts'
export { nonnegative } from './nonnegative.ts'
export { nearestPoint } from './polyhedron.ts'
export { nuclearBall, operatorBall, type SpectralBall } from './spectral-balls.ts'
