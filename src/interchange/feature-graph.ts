import type { FeatureMapJson } from '../kernels/features.ts'
import { squaredLengths } from '../kernels/kernel-matrix.ts'
import type { PatchKernelJson } from '../kernels/kernels.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** phi of every patch, a patch a row. */
export function featureGraph(graph: GraphBuilder, patches: string, features: FeatureMapJson): string {
  switch (features.kind) {
    case 'pixels':
      return patches
    case 'kernel': {
      const { kernel, length, landmarks, mix } = features
      const values = kernelGraph(graph, patches, kernel, length, Float64Array.from(landmarks))
      if (!mix) return values
      const count = landmarks.length / length
      return graph.node('MatMul', [values, graph.numbers('mix', [count, mix.length / count], mix)])
    }
    case 'fourier': {
      const { length, directions, phases } = features
      const W = graph.numbers('directions', [length, phases.length], directions)
      const angles = graph.affine(patches, W, graph.numbers('phases', [phases.length], phases), { transposed: false })
      return graph.node('Mul', [graph.node('Cos', [angles]), graph.scalar('scale', Math.sqrt(2 / phases.length))])
    }
    case 'whitened': {
      const length = Math.sqrt(features.matrix.length)
      const turned = graph.node('MatMul', [patches, graph.numbers('whitening', [length, length], features.matrix)])
      return featureGraph(graph, features.unit ? unitRows(graph, turned) : turned, features.of)
    }
  }
}

/** Every row over its length plus `floor`; a row of zeros stays one. */
export function unitRows(graph: GraphBuilder, rows: string, floor = 0): string {
  const square = squares(graph, rows)
  const by = graph.node('Add', [graph.node('Sqrt', [square]), graph.scalar('floor', floor)])
  const some = graph.node('Greater', [square, graph.scalar('zero', 0)])
  return graph.node('Div', [rows, graph.node('Where', [some, by, graph.scalar('one', 1)])])
}

/** [k(z, l_1), k(z, l_2), ...] for every patch z. */
function kernelGraph(
  graph: GraphBuilder,
  patches: string,
  kernel: PatchKernelJson,
  length: number,
  landmarks: Float64Array,
): string {
  const count = landmarks.length / length
  const columns = new Float64Array(landmarks.length)
  for (let i = 0; i < count; i++) for (let j = 0; j < length; j++) columns[j * count + i] = landmarks[i * length + j]!
  const product = graph.node('MatMul', [patches, graph.numbers('landmarks', [length, count], columns)])
  switch (kernel.name) {
    case 'linear':
      return product
    case 'inverse-polynomial':
      return graph.node('Reciprocal', [graph.node('Sub', [graph.scalar('two', 2), product])])
    case 'rbf': {
      const right = graph.numbers('squares', [1, count], squaredLengths(landmarks, length))
      const both = graph.node('Add', [squares(graph, patches), right])
      const distance = graph.node('Sub', [both, graph.node('Mul', [product, graph.scalar('two', 2)])])
      const positive = graph.node('Relu', [distance])
      return graph.node('Exp', [graph.node('Mul', [positive, graph.scalar('gamma', -kernel.gamma)])])
    }
  }
}

/** The squared length of every row, one column. */
function squares(graph: GraphBuilder, rows: string): string {
  return graph.sum(graph.node('Mul', [rows, rows]), 1, true)
}
