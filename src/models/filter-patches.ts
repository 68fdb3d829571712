import type { FeatureMap, FeatureMapJson } from '../kernels/features.ts'
import { featureMapFromJson } from '../kernels/features-from-json.ts'
import { matrix } from '../numerics/matrix.ts'
import { product } from '../numerics/products.ts'
import type { Matrix } from '../types.ts'
import type { ConvexCnn } from './convex-cnn.ts'

/**
 * A picture of every filter, r x (entries of a patch): of a linear network the filter itself; of another the landmark patch
 * that it answers to most strongly, with the sign of the answer, as the kernel's filters are no patches themselves.
 *
 * @throws RangeError for random Fourier features, which have no landmarks.
 */
export function filterPatches({ features, filters }: ConvexCnn): Matrix {
  const { rows: m, columns: r, data } = filters
  const json = plainest(features.toJSON())
  const h = features.length
  const pictures = matrix(r, h)
  if (json.kind === 'pixels') {
    for (let j = 0; j < r; j++) for (let f = 0; f < h; f++) pictures.data[j * h + f] = data[f * r + j]!
    return pictures
  }
  if (json.kind !== 'kernel')
    throw new RangeError(
      `filterPatches: the network has ${features.name}, which have no patches to show; train with nystrom() or linearKernel().`,
    )
  const landmarks = Float64Array.from(json.landmarks)
  const map: FeatureMap = featureMapFromJson(json)
  const answers = product(map.map(landmarks), landmarks.length / h, data, m, r)
  for (let j = 0; j < r; j++) {
    let best = 0
    for (let l = 0; l < landmarks.length / h; l++)
      if (Math.abs(answers[l * r + j]!) > Math.abs(answers[best * r + j]!)) best = l
    const sign = answers[best * r + j]! < 0 ? -1 : 1
    for (let f = 0; f < h; f++) pictures.data[j * h + f] = sign * landmarks[best * h + f]!
  }
  return pictures
}

function plainest(json: FeatureMapJson): FeatureMapJson {
  return json.kind === 'whitened' ? plainest(json.of) : json
}
