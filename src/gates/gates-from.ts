import { isCompact } from '../numerics/compact-matrix.ts'
import { asMatrix, type MatrixLike } from '../numerics/interchange.ts'
import { requireFinite } from '../numerics/matrix.ts'
import type { CompactMatrix } from '../types.ts'
import { type Gates, patternsOf } from './gates.ts'

/**
 * Gates from vectors at hand, one per row, kept in the order given with nothing dropped.
 *
 * Rows have d entries, or d + 1 with an offset last: 1[x'g + g_0 >= 0]. A row of X on the boundary (x'g = 0) is on.
 *
 * @param options - `exhaustive`: say `true` only when these are all patterns of X; a bound then speaks for every network.
 * @throws RangeError when a vector has another length or an entry is not finite.
 */
export function gatesFrom(
  vectors: MatrixLike,
  X: MatrixLike | CompactMatrix,
  options: { exhaustive?: boolean } = {},
): Gates {
  const G = asMatrix(vectors, 'gatesFrom', 'vectors')
  const rows = isCompact(X) ? X : asMatrix(X, 'gatesFrom', 'X')
  if (G.columns !== rows.columns && G.columns !== rows.columns + 1)
    throw new RangeError(
      `gatesFrom: a gate has ${G.columns} entries and X has ${rows.columns} columns; pass one gate per row with ${rows.columns} entries, or ${rows.columns + 1} with an offset last.`,
    )
  if (G.rows === 0)
    throw new RangeError('gatesFrom: vectors is empty, expected at least one gate; pass one gate per row.')
  requireFinite(G, 'gatesFrom', 'vectors')
  if (!isCompact(rows)) requireFinite(rows, 'gatesFrom', 'X')
  return {
    vectors: G,
    patterns: patternsOf(G, rows),
    count: G.rows,
    bias: G.columns === rows.columns + 1,
    exhaustive: options.exhaustive ?? false,
  }
}
