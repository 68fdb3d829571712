import * as ort from 'onnxruntime-web/wasm'
import type { Matrix } from '../../src/index.ts'

ort.env.wasm.numThreads = 1
ort.env.logLevel = 'error'

/** What onnxruntime answers for these rows: every output as plain values. */
export async function runOnnx(
  bytes: Uint8Array,
  X: Matrix,
  type: 'float64' | 'float32' = 'float64',
): Promise<Record<string, (number | string)[]>> {
  const session = await ort.InferenceSession.create(bytes)
  try {
    const rows =
      type === 'float64'
        ? new ort.Tensor('float64', X.data, [X.rows, X.columns])
        : new ort.Tensor('float32', Float32Array.from(X.data), [X.rows, X.columns])
    const answers = await session.run({ X: rows })
    return Object.fromEntries(
      Object.entries(answers).map(([name, { data }]) => [
        name,
        Array.from(data as ArrayLike<number | bigint | string>, (value) =>
          typeof value === 'bigint' ? Number(value) : value,
        ),
      ]),
    )
  } finally {
    await session.release()
  }
}
