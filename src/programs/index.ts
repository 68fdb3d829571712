export { type GatedReluOptions, gatedReluProgram } from './gated-relu.ts'
