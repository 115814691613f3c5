import { expect, test } from "vitest";
import { tensor, type TensorLike, type Tree } from "./tensor.ts";
import { describeTree, fingerprintOfText, fingerprintOfTree } from "./fingerprint-tree.ts";

test.each([
  ["", "cbf29ce484222325"],
  ["a", "af63dc4c8601ec8c"],
  ["foobar", "85944171f73967e8"],
])("FNV-1a of %j is the published value", (text, value) => {
  expect(fingerprintOfText(text)).toBe(value);
});

test("a value, a shape, a dtype or a name changes a tree's fingerprint", () => {
  const trees: Tree<TensorLike>[] = [
    { a: tensor([1, 2, 3, 4]) },
    { a: tensor([1, 2, 3, 5]) },
    { a: tensor([1, 2, 3, 4], { shape: [2, 2] }) },
    { a: tensor([1, 2, 3, 4], { dtype: "int32" }) },
    { b: tensor([1, 2, 3, 4]) },
    [tensor([1, 2, 3, 4])],
  ];
  expect(new Set(trees.map(fingerprintOfTree)).size).toBe(trees.length);
  expect(fingerprintOfTree({ a: tensor([1, 2, 3, 4]) })).toBe(fingerprintOfTree(trees[0]!));
});

test("a tree is described by its dtypes and shapes", () => {
  expect(describeTree({ w: tensor([1, 2]), rest: [tensor(3, { dtype: "float64" })] })).toBe(
    "{w: float32[2], rest: [float64[]]}",
  );
});
