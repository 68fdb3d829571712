export { featureGroupL1 } from './feature-group-l1.ts'
export { type GroupChoice, groupL1 } from './group-l1.ts'
export { l1 } from './l1.ts'
export { ridge } from './ridge.ts'
