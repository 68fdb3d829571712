import { isZeroBlock } from '../numerics/blocks.ts'
import { matrix } from '../numerics/matrix.ts'
import { product, rowProducts, transposeProduct } from '../numerics/products.ts'
import type { LinearOperator, Matrix, Vector } from '../types.ts'

/**
 * fit = sum_b Phi_b U_b' : n x outputs from feature matrices Phi_b (n x width) that all outputs share; U_b is
 * outputs x width. Coefficients are block-major: block, output, feature.
 *
 * One Phi of P' positions with m features each is a convolutional layer with its pooling done; U is then the matrix of a
 * nuclear norm, (outputs P') x m.
 *
 * @throws RangeError when there is no block, or two of them differ in size.
 */
export function sharedFeatures(blocks: readonly Matrix[], outputs = 1): LinearOperator {
  const first = blocks[0]
  if (!first) throw new RangeError('sharedFeatures: there is no block; pass at least one matrix of features.')
  const { rows: n, columns: width } = first
  for (const { rows, columns } of blocks)
    if (rows !== n || columns !== width)
      throw new RangeError(
        `sharedFeatures: one block is ${n} x ${width} and another ${rows} x ${columns}; pass blocks of one size.`,
      )
  return build(blocks, n, width, outputs)
}

function build(blocks: readonly Matrix[], n: number, width: number, outputs: number): LinearOperator {
  const size = outputs * width
  const image = new Float64Array(n * outputs)
  return {
    rows: n * outputs,
    columns: blocks.length * size,
    apply(u, out = new Float64Array(n * outputs)) {
      out.fill(0)
      blocks.forEach(({ data }, b) => {
        const U = u.subarray(b * size, (b + 1) * size)
        if (isZeroBlock(U, 0, size)) return
        rowProducts(data, n, U, outputs, width, image)
        for (let k = 0; k < image.length; k++) out[k]! += image[k]!
      })
      return out
    },
    adjoint(p, out = new Float64Array(blocks.length * size)) {
      blocks.forEach(({ data }, b) => {
        transposeProduct(p, outputs, data, width, n, out.subarray(b * size, (b + 1) * size))
      })
      return out
    },
    select: (chosen) =>
      build(
        Array.from(chosen, (b) => chosenBlock(blocks, b)),
        n,
        width,
        outputs,
      ),
  }
}

function chosenBlock(blocks: readonly Matrix[], b: number): Matrix {
  const block = blocks[b]
  if (!block)
    throw new RangeError(
      `sharedFeatures: block ${b} was chosen, expected numbers from 0 to ${blocks.length - 1}; pass blocks that exist.`,
    )
  return block
}

/** Phi F for filters F (m x r): the features (n rows of `positions` x m) seen through fewer filters, n x (positions r). */
export function throughFilters(Phi: Matrix, positions: number, F: Vector, m: number, r: number): Matrix {
  return matrix(Phi.rows, positions * r, product(Phi.data, Phi.rows * positions, F, m, r))
}
