/** A model's input inside an ONNX graph: the rows as the encoder makes them, before any family has touched them. */
import type { OnnxGraph } from "../../program/index.ts";

/** Encoded rows as values of a graph, float64. */
export interface OnnxRows {
  readonly graph: OnnxGraph;
  /** Standardized numbers, then indicators of missing ones; absent when no input is numeric. */
  readonly numeric?: {
    /** [rows, columns] */
    readonly value: string;
    /** The encoded column of each. */
    readonly columns: readonly number[];
  };
  /** Inputs whose encoded columns are one-hot, in the encoder's order. */
  readonly categorical: readonly OnnxLevels[];
  /** All encoded columns in the encoder's order, [rows, encoder.width]; written when it is asked for. */
  matrix(): string;
}

/** A categorical input: which of its encoded columns is 1, without a one-hot matrix. */
export interface OnnxLevels {
  /** The graph's input. */
  readonly input: string;
  /** int64 [rows], a place in `columns`. */
  readonly code: string;
  /** The encoded column that is 1 at each code; undefined where none is. */
  readonly columns: readonly (number | undefined)[];
}
