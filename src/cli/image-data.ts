import { readCifar } from '../data/read-cifar.ts'
import { readIdx } from '../data/read-idx.ts'
import { matrix } from '../numerics/matrix.ts'
import type { ImageShape } from '../operators/patches.ts'
import type { Matrix } from '../types.ts'

/** Images with their classes. */
export interface ImageData {
  readonly X: Matrix
  readonly labels: readonly number[]
  readonly shape: ImageShape
}

/** The first `count` images of an IDX file and its labels, or of a CIFAR-10 binary file, which has them inside. */
export async function readImages(
  path: string,
  labelsPath: string | undefined,
  count: number = Number.POSITIVE_INFINITY,
): Promise<ImageData> {
  if (labelsPath === undefined) {
    const { X, labels, shape } = await readCifar(path)
    return first({ X, labels, shape }, count)
  }
  const images = await readIdx(path)
  const labels = await readIdx(labelsPath)
  const [, height, width, channels = 1] = images.shape
  if (height === undefined || width === undefined)
    throw new RangeError(
      `${path} has ${images.shape.length} dimensions, expected images; pass a file such as train-images-idx3-ubyte.gz.`,
    )
  if (labels.rows !== images.rows || labels.columns !== 1)
    throw new RangeError(
      `${labelsPath} is ${labels.rows} x ${labels.columns} and ${path} has ${images.rows} images; pass the labels of these images.`,
    )
  return first({ X: images, labels: Array.from(labels.data), shape: { height, width, channels } }, count)
}

function first({ X, labels, shape }: ImageData, count: number): ImageData {
  const n = Math.min(count, X.rows)
  return { X: matrix(n, X.columns, X.data.subarray(0, n * X.columns)), labels: labels.slice(0, n), shape }
}
