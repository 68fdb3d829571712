export {
  type Dataset,
  decodeLabels,
  type EncodedLabels,
  encodeLabels,
  type Task,
} from './dataset.ts'
export type { NumberFormat } from './number-format.ts'
export { type OpenedRows, type OpenOptions, openIdx, openNpy } from './open-rows.ts'
export { type CifarImages, readCifar } from './read-cifar.ts'
export { readCsv, type TableDataset } from './read-csv.ts'
export type { MissingPolicy, ReadCsvOptions } from './read-csv-options.ts'
export { readHeader } from './read-header.ts'
export { readIdx } from './read-idx.ts'
export { readNpy, type ShapedMatrix } from './read-npy.ts'
export { type ReadRowsOptions, type Rows, readRows } from './read-rows.ts'
export { type ColumnSchema, type DataSchema, featureNames } from './schema.ts'
export type { ByteSource, TextSource } from './source.ts'
export {
  type Fold,
  type FoldOptions,
  kFolds,
  type Part,
  type SplitOptions,
  type Splittable,
  type Stratify,
  trainTestSplit,
} from './split.ts'
export {
  applyStandardization,
  type Standardization,
  type Standardized,
  standardize,
  undoStandardization,
} from './standardize.ts'
export type { TableOptions } from './table.ts'
export { type NpyOptions, toNpy, writeNpy } from './write-npy.ts'
