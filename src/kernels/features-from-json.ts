import { cosines, type FeatureMap, type FeatureMapJson, kernelFeatures, pixels } from './features.ts'
import { kernelFromJson } from './kernels.ts'
import { whitenedFeatures } from './whitening.ts'

/** The feature map that `toJSON` wrote. */
export function featureMapFromJson(json: FeatureMapJson): FeatureMap {
  switch (json.kind) {
    case 'pixels':
      return pixels(json.length)
    case 'kernel':
      return kernelFeatures(
        kernelFromJson(json.kernel),
        Float64Array.from(json.landmarks),
        json.length,
        json.mix && Float64Array.from(json.mix),
      )
    case 'fourier':
      return cosines(json.length, Float64Array.from(json.directions), Float64Array.from(json.phases))
    case 'whitened':
      return whitenedFeatures(featureMapFromJson(json.of), Float64Array.from(json.matrix), json.unit)
  }
}
