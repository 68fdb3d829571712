export { type Gates, gateValue, patternKey, patternsOf } from './gates.ts'
export { gatesFrom } from './gates-from.ts'
export { gatesOf } from './gates-of.ts'
export { type SampleGatesOptions, sampleGates } from './sample-gates.ts'
