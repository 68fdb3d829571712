import type { CircularCnn } from '../models/circular-cnn.ts'
import type { ConvexCnn } from '../models/convex-cnn.ts'
import type { RectifiedCnn } from '../models/rectified-cnn.ts'
import type { StackedCnn } from '../models/stacked-cnn.ts'
import { matrix } from '../numerics/matrix.ts'
import { norm } from '../numerics/vectors.ts'
import { CONTRAST_FLOOR, type PatchGrid, patchGrid } from '../operators/patches.ts'
import { averagePooling, keepsAll, type Pooling } from '../operators/pooling.ts'
import type { Matrix, Vector } from '../types.ts'
import { featureGraph, unitRows } from './feature-graph.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { constantGraph, gated } from './two-layer-graph.ts'

/** Patches, features, filters, averages, a linear layer. */
export function convexCnnGraph(graph: GraphBuilder, x: string, network: ConvexCnn): string {
  const { linear, intercept, width } = network
  if (width === 0) return constantGraph(graph, x, pixelsOf(network), intercept)
  return linearLayer(graph, convolved(graph, x, network, network.filters), linear, intercept)
}

/** Each network but the last as images for the next, its filters over the lengths of their linear weights. */
export function stackedCnnGraph(graph: GraphBuilder, x: string, { layers }: StackedCnn): string {
  let images = x
  for (const layer of layers.slice(0, -1)) {
    const { rows, columns, data } = layer.filters
    const filters = matrix(rows, columns, data.slice())
    const { linear } = layer
    for (let j = 0; j < columns; j++) {
      const length = norm(linear.data.subarray(j * linear.columns, (j + 1) * linear.columns)) || 1
      for (let f = 0; f < rows; f++) filters.data[f * columns + j]! /= length
    }
    images = convolved(graph, images, layer, filters)
  }
  return convexCnnGraph(graph, images, layers.at(-1)!)
}

/** Patches, rectified or gated filters, averages, a linear layer. */
export function rectifiedCnnGraph(graph: GraphBuilder, x: string, network: RectifiedCnn): string {
  const { filters, gates, linear, intercept, width } = network
  if (width === 0) return constantGraph(graph, x, pixelsOf(network), intercept)
  const grid = patchGrid(network.shape, network.patch)
  const patches = patchRows(graph, x, grid)
  const times = (name: string, M: Matrix): string => graph.node('MatMul', [patches, graph.matrix(name, transposed(M))])
  const seen = times('filters', filters)
  const hidden = gates ? gated(graph, seen, times('gates', gates)) : graph.node('Relu', [seen])
  const pooling = averagePooling(grid.rows, grid.columns, network.pool)
  return linearLayer(graph, pooled(graph, hidden, pooling, width), linear, intercept)
}

/** A row times circ(u) w. */
export function circularCnnGraph(graph: GraphBuilder, x: string, { filter, linear, intercept }: CircularCnn): string {
  const d = filter.length
  const z = new Float64Array(d)
  for (let t = 0; t < d; t++) for (let s = 0; s < d; s++) z[t]! += filter[(t - s + d) % d]! * linear[s]!
  return graph.affine(x, graph.numbers('weights', [1, d], z), graph.numbers('intercept', [1], [intercept]))
}

/** What the filters see, averaged: an image a row, position by position, a channel a filter. */
function convolved(graph: GraphBuilder, x: string, network: ConvexCnn, filters: Matrix): string {
  const grid = patchGrid(network.shape, network.patch)
  const features = featureGraph(graph, patchRows(graph, x, grid), network.features.toJSON())
  const seen = graph.node('MatMul', [features, graph.matrix('filters', filters)])
  return pooled(graph, seen, averagePooling(grid.rows, grid.columns, network.pool), filters.columns)
}

/** All patches of all images, normalised, one a row. */
function patchRows(graph: GraphBuilder, x: string, grid: PatchGrid): string {
  const { shape, size, stride, padding, rows, columns, length, normalize } = grid
  const { height, width, channels } = shape
  const outside = height * width * channels
  const places: number[] = []
  for (let py = 0; py < rows; py++)
    for (let px = 0; px < columns; px++)
      for (let dy = 0; dy < size; dy++)
        for (let dx = 0; dx < size; dx++) {
          const [y, z] = [py * stride + dy - padding, px * stride + dx - padding]
          const inside = y >= 0 && y < height && z >= 0 && z < width
          for (let c = 0; c < channels; c++) places.push(inside ? (y * width + z) * channels + c : outside)
        }
  // One more column, of zeros, is what lies outside.
  const images = padding === 0 ? x : graph.node('Pad', [x, graph.constant('border', [4], 'int64', [0, 0, 0, 1])])
  const gathered = graph.node('Gather', [images, graph.constant('patches', [places.length], 'int32', places)], {
    axis: 1,
  })
  const patches = graph.reshape(gathered, [-1, length])
  if (normalize === 'none') return patches
  if (normalize === 'l2') return unitRows(graph, patches)
  const means = graph.node('Div', [graph.sum(patches, 1, true), graph.scalar('entries', length)])
  return unitRows(graph, graph.node('Sub', [patches, means]), CONTRAST_FLOOR)
}

/** Averages over the windows of every image: positions x width, then one image a row. */
function pooled(graph: GraphBuilder, seen: string, pooling: Pooling, width: number): string {
  const { positions, count, starts, members } = pooling
  if (keepsAll(pooling)) return graph.reshape(seen, [-1, positions * width])
  // Windows that the border cuts off are filled up with positions of no weight.
  const most = starts.reduce((size, end, w) => (w === 0 ? 0 : Math.max(size, end - starts[w - 1]!)), 0)
  const places = new Int32Array(count * most)
  const weights = new Float64Array(count * most)
  for (let w = 0; w < count; w++)
    for (let m = starts[w]!; m < starts[w + 1]!; m++) {
      places[w * most + m - starts[w]!] = members[m]!
      weights[w * most + m - starts[w]!] = 1 / (starts[w + 1]! - starts[w]!)
    }
  const grid = graph.reshape(seen, [-1, positions, width])
  const windows = graph.node('Gather', [grid, graph.constant('pool', [count, most], 'int32', places)], { axis: 1 })
  const weighted = graph.node('Mul', [windows, graph.numbers('shares', [count, most, 1], weights)])
  return graph.reshape(graph.sum(weighted, 2), [-1, count * width])
}

/** h(x) times the linear weights (r x (c P')) plus the intercept. */
function linearLayer(graph: GraphBuilder, h: string, linear: Matrix, intercept: Vector): string {
  const outputs = intercept.length
  const r = linear.rows
  const positions = linear.columns / outputs
  const W = matrix(outputs, positions * r)
  for (let j = 0; j < r; j++)
    for (let kp = 0; kp < linear.columns; kp++) W.data[kp * r + j] = linear.data[j * linear.columns + kp]!
  return graph.affine(h, graph.matrix('linear', W), graph.numbers('intercept', [outputs], intercept))
}

function pixelsOf({ shape }: { shape: { height: number; width: number; channels: number } }): number {
  return shape.height * shape.width * shape.channels
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const M = matrix(columns, rows)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) M.data[j * rows + i] = data[i * columns + j]!
  return M
}
