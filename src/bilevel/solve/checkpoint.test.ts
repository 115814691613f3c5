import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { tensor, zeros, type Tensor, type Tree } from "../../program/tensors/tensor.ts";
import {
  CheckpointError,
  checkIdentity,
  decodeCheckpoint,
  encodeCheckpoint,
  type SolveState,
} from "./checkpoint.ts";
import type { StepRecord } from "./history.ts";
import { decodeSafetensors, encodeSafetensors } from "../../program/tensors/safetensors.ts";

/** Trees with empty nodes and keys that look like paths, indices or prototypes. */
const keys = fc.constantFrom("a", "a/b", "a~1b", "~", "/", "", "0", "b\\", "constructor");
const { trees } = fc.letrec<{ trees: Tree<Tensor> }>((tie) => ({
  trees: fc.oneof(
    { maxDepth: 3 },
    fc.float().map((value) => tensor(value)),
    fc.array(tie("trees"), { maxLength: 3 }),
    fc.dictionary(keys, tie("trees"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const records = fc.array(
  fc.record({ value: fc.double(), gradientNorm: fc.double(), residual: fc.double() }),
  { minLength: 1, maxLength: 5 },
);

function stateOf(node: Tree<Tensor>, numbers: { value: number }[] = [{ value: 1 }]): SolveState {
  const history = numbers.map((given, step): StepRecord => {
    const { value, gradientNorm = 0, residual = 0 } = given as Record<string, number>;
    return {
      step,
      value: value!,
      innerValue: Number.NaN,
      gradientNorm,
      projectedGradientNorm: gradientNorm,
      innerGradientNorm: -0,
      initialInnerGradientNorm: Infinity,
      measured: { residual },
    };
  });
  const trees = {
    lambda: node,
    w: [node],
    nextLambda: { node },
    follower: node,
    optimizer: [],
    bestLambda: node,
    bestW: zeros([2, 0]),
  };
  return { trees, history, bestStep: history.length - 1 };
}

property.prop([trees, records])("decode(encode(state)) is the state", (node, numbers) => {
  const state = stateOf(node, numbers);
  const read = decodeCheckpoint(encodeCheckpoint(state, { rule: "r" }));
  expect(read.state).toEqual(state);
  expect(read.identity).toEqual({ rule: "r" });
});

test("wall-clock times do not enter the bytes", () => {
  const state = stateOf(tensor(1));
  const timed = { ...state, history: state.history.map((r) => ({ ...r, seconds: 1.5 })) };
  expect(encodeCheckpoint(timed, {})).toEqual(encodeCheckpoint(state, {}));
});

describe("what is not a checkpoint is refused", () => {
  const good = encodeCheckpoint(stateOf(tensor(1)), {});
  const changed = (change: (file: ReturnType<typeof decodeSafetensors>) => void): Uint8Array => {
    const file = decodeSafetensors(good);
    change(file);
    return encodeSafetensors(file);
  };
  test.each([
    ["a cut file", good.subarray(0, good.length - 1), /truncated/],
    ["another safetensors file", encodeSafetensors({ tensors: {} }), /format is not given/],
    ["a future format", changed((f) => (f.metadata["format"] = "stackelberg-solve/9")), /solve\/9/],
    ["a lost tensor", changed((f) => delete f.tensors["lambda"]), /tensor "lambda" is missing/],
    ["a lost tree", changed((f) => (f.metadata["structure"] = `{"w":[]}`)), /lacks lambda, next/],
    ["no structure", changed((f) => delete f.metadata["structure"]), /cannot be read/],
    ["no history", changed((f) => delete f.tensors["history/value"]), /history is empty/],
    ["a wrong best step", changed((f) => (f.metadata["bestStep"] = "7")), /best step/],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeCheckpoint(bytes)).toThrow(message);
    expect(() => decodeCheckpoint(bytes)).toThrow(CheckpointError);
  });
});

test("another run's checkpoint is refused with what differs", () => {
  checkIdentity({ rule: "a", seed: "1" }, { seed: "1", rule: "a" });
  expect(() => checkIdentity({ rule: "a", seed: "1" }, { rule: "b", seed: "1" })).toThrow(
    /differs in rule \(saved: a; now: b\)\. Give solve the same/,
  );
  expect(() => checkIdentity({ rule: "a" }, { rule: "a", seed: "1" })).toThrow(
    /seed \(saved: none; now: 1\)/,
  );
});
