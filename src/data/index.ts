/** Tables of real data: reading, targets, splits, encoding, metrics and random numbers. */
export { alignTable, type AlignedTable, type UnseenLevels } from "./align-table.ts";
export type {
  CellFormat,
  DateFormat,
  DateOrder,
  Decimal,
  NumberFormat,
  Thousands,
} from "./cells/cell-format.ts";
export type { ImageOptions, LoadProgress } from "./decode-classes.ts";
export type { CategoricalInput, EncodedInput, Encoder, NumericInput } from "./encoded-input.ts";
export { encode, fitEncoder, inputTypes, readingOf, type EncoderOptions } from "./encoder.ts";
export {
  drawEpisode,
  type Episode,
  type EpisodeBatch,
  type EpisodeSet,
  type EpisodeShape,
  listEpisodes,
  stackEpisodes,
} from "./episodes.ts";
export { readImageFolder, readImages } from "./image-folder.ts";
export {
  type ImageSet,
  type ImageSplits,
  imageTensor,
  rotations,
  selectClasses,
} from "./image-set.ts";
export { parseIdx, readIdx, type IdxArray } from "./idx.ts";
export {
  accuracy,
  balancedAccuracy,
  logLoss,
  mae,
  meanInterval,
  r2,
  rmse,
  rocAuc,
  type MeanInterval,
} from "./metrics.ts";
export { type MiniImageNetOptions, readMiniImageNet } from "./mini-imagenet.ts";
export { type OmniglotOptions, readOmniglot, readOmniglotCharacters } from "./omniglot.ts";
export { type OmniglotSplit, type OmniglotSplitOptions, splitOmniglot } from "./omniglot-splits.ts";
export { normalQuantile, studentQuantile } from "./quantiles.ts";
export { randomKey, randomStream, type RandomKey, type RandomStream } from "./random.ts";
export {
  defaultMissing,
  type LearnedColumns,
  parseTable,
  readTable,
  type ReadTableOptions,
  type ReadTableResult,
} from "./read-table.ts";
export type { Resampling } from "./resize-image.ts";
export { type UnusedColumn, withoutColumns } from "./select-columns.ts";
export { split, splitTarget, type Split, type SplitOptions } from "./split.ts";
export {
  DataError,
  findColumn,
  type CategoricalColumn,
  type Column,
  type ColumnKind,
  type NumericColumn,
  type Table,
  type Written,
} from "./table.ts";
export {
  inferTarget,
  standardizeTarget,
  type InferredTarget,
  type LeftOutRows,
  type Target,
  type TargetOptions,
  type Task,
} from "./target.ts";
export { formatTable } from "./write-table.ts";
