/** Tables of real data: reading, targets, splits, encoding, metrics and random numbers. */
export { alignTable, type AlignedTable, type UnseenLevels } from "./tables/align-table.ts";
export type {
  CellFormat,
  DateChoice,
  DateFormat,
  DateOrder,
  Decimal,
  LearnedFormat,
  NumberFormat,
  Thousands,
} from "./tables/cells/cell-format.ts";
export type { ImageOptions, LoadProgress } from "./images/decode-classes.ts";
export type {
  CategoricalInput,
  EncodedInput,
  Encoder,
  NumericInput,
} from "./tables/encoded-input.ts";
export {
  encode,
  fitEncoder,
  inputTypes,
  readingOf,
  type EncoderOptions,
} from "./tables/encoder.ts";
export {
  drawEpisode,
  type Episode,
  type EpisodeBatch,
  type EpisodeSet,
  type EpisodeShape,
  listEpisodes,
  stackEpisodes,
} from "./images/episodes.ts";
export { readImageFolder, readImages } from "./images/image-folder.ts";
export {
  type ImageSet,
  type ImageSplits,
  imageTensor,
  rotations,
  selectClasses,
} from "./images/image-set.ts";
export { parseIdx, readIdx, type IdxArray } from "./images/idx.ts";
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
export { type MiniImageNetOptions, readMiniImageNet } from "./images/mini-imagenet.ts";
export { type OmniglotOptions, readOmniglot, readOmniglotCharacters } from "./images/omniglot.ts";
export {
  type OmniglotSplit,
  type OmniglotSplitOptions,
  splitOmniglot,
} from "./images/omniglot-splits.ts";
export { normalQuantile, studentQuantile } from "../random/index.ts";
export { type RandomKey, randomKey, type RandomStream, randomStream } from "../random/index.ts";
export {
  defaultMissing,
  parseTable,
  readTable,
  type ReadTableResult,
} from "./tables/reading/read-table.ts";
export type { LearnedColumns, ReadTableOptions } from "./tables/reading/options.ts";
export type { Resampling } from "./images/resize-image.ts";
export type { UnusedColumn } from "./tables/table.ts";
export { withoutColumns } from "./tables/select-columns.ts";
export { split, splitTarget, type Split, type SplitOptions } from "./split.ts";
export { DataError } from "./data-error.ts";
export {
  type CategoricalColumn,
  type Column,
  findColumn,
  type NumericColumn,
  type Table,
  type Written,
} from "./tables/table.ts";
export type { ColumnKind } from "./tables/cells/cell-format.ts";
export {
  type InferredTarget,
  inferTarget,
  standardizeTarget,
  type Target,
  type TargetOptions,
  type Task,
} from "./tables/target.ts";
export type { LeftOutRows } from "./tables/target-classes.ts";
export { formatTable } from "./tables/write-table.ts";
