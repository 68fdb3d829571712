export { type ActivationCones, type ActiveRows, activationCones, activeRows } from './activation-cones.ts'
export { nonnegative } from './nonnegative.ts'
export { nearestPoint } from './polyhedron.ts'
export { nuclearBall, operatorBall, type SpectralBall } from './spectral-balls.ts'
