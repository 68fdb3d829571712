import type { Task } from './dataset.ts'
import type { NumberFormat } from './number-format.ts'

/** How one column of a table becomes columns of X; `fill` stands in for a missing cell. */
export type ColumnSchema =
  | { readonly name: string; readonly kind: 'numeric'; readonly fill?: number }
  | {
      readonly name: string
      readonly kind: 'categorical'
      readonly categories: readonly string[]
      readonly fill?: string
    }

/** What a table must hold so that a model trained on another one can read it. Plain JSON. */
export interface DataSchema {
  /** The feature columns, in the order in which they enter X. */
  readonly columns: readonly ColumnSchema[]
  readonly target: readonly string[]
  readonly task: Task
  readonly classes?: readonly string[]
  /** Cells that stand for "no value". */
  readonly markers: readonly string[]
  /** How numbers are written, where it is not with a decimal point alone. */
  readonly numbers?: NumberFormat
}

/** The names of the columns of X: a numeric column's own, `column=value` for each category. */
export function featureNames(schema: DataSchema): string[] {
  return schema.columns.flatMap((column) =>
    column.kind === 'numeric' ? [column.name] : column.categories.map((value) => `${column.name}=${value}`),
  )
}
