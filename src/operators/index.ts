export { coneRows } from './cone-rows.ts'
export { denseOperator } from './dense.ts'
export { gatedOperator } from './gated.ts'
export { signedGatedOperator } from './signed-gated.ts'
