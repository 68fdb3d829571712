export { denseOperator } from './dense.ts'
export { gatedOperator } from './gated.ts'
