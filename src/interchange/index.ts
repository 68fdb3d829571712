export { fromOnnx } from './from-onnx.ts'
export type { FloatType } from './graph-builder.ts'
export { type Exportable, type ToOnnxOptions, toOnnx } from './to-onnx.ts'
