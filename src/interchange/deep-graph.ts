import { outputsOf } from '../layers/layer.ts'
import type { LayerMapJson } from '../layers/layer-map.ts'
import type { DeepNetwork } from '../models/deep-network.ts'
import { activationGraph } from './activation-graph.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** Layer after layer: windows gathered, one Gemm, the activation. */
export function deepGraph(graph: GraphBuilder, x: string, { layers }: DeepNetwork): string {
  let rows = x
  for (const layer of layers) {
    const { map, W, b, activation } = layer
    const windows = map.json.kind === 'dense' ? rows : unfolded(graph, rows, map.json, map.fanIn)
    const Z = graph.affine(windows, graph.matrix('W', W), graph.numbers('b', [b.length], b))
    const activated = activationGraph(graph, Z, activation)
    rows = map.json.kind === 'dense' ? activated : graph.reshape(activated, [-1, outputsOf(layer)])
  }
  return rows
}

/** Rows of images to one row a window, after averages over the tiles. */
function unfolded(
  graph: GraphBuilder,
  x: string,
  { height, width, channels, size, pool }: Extract<LayerMapJson, { kind: 'convolution' }>,
  fanIn: number,
): string {
  const [down, across] = [height / pool, width / pool]
  let image = x
  if (pool > 1) {
    const members: number[] = []
    for (let i = 0; i < down; i++)
      for (let j = 0; j < across; j++)
        for (let c = 0; c < channels; c++)
          for (let y = i * pool; y < (i + 1) * pool; y++)
            for (let z = j * pool; z < (j + 1) * pool; z++) members.push((y * width + z) * channels + c)
    const tiles = graph.constant('tiles', [down * across * channels, pool * pool], 'int32', members)
    const sums = graph.sum(graph.node('Gather', [x, tiles], { axis: 1 }), 2)
    image = graph.node('Div', [sums, graph.scalar('tile', pool * pool)])
  }
  const windows: number[] = []
  for (let p = 0; p + size <= down; p++)
    for (let q = 0; q + size <= across; q++)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size * channels; j++) windows.push(((p + i) * across + q) * channels + j)
  const places = graph.constant('windows', [windows.length], 'int32', windows)
  return graph.reshape(graph.node('Gather', [image, places], { axis: 1 }), [-1, fanIn])
}
