/**
 * Any jax-js function, natively: `compile` traces it once per shapes and runs it on ONNX Runtime. Here
 * the gradient of a small network, and the same function as an ONNX file's bytes.
 *
 *   node --import tsx examples/02-native-function.ts
 */
import assert from "node:assert/strict";
import { type Array as JaxArray, grad, nn, numpy as np } from "@jax-js/jax";

import { ArraySpec, toOnnx } from "../src/program/index.ts";
import { compile, tensor } from "../src/index.ts";

interface Layers {
  readonly hidden: JaxArray;
  readonly out: JaxArray;
}

const network = (w: Layers, x: JaxArray): JaxArray => np.dot(nn.relu(np.dot(x, w.hidden)), w.out);

function lossAndGradient(
  w: Layers,
  x: JaxArray,
  y: JaxArray,
): { loss: JaxArray; gradient: Layers } {
  const loss = (w: Layers): JaxArray => np.mean(np.square(network(w, x).sub(y)));
  return { loss: loss(w), gradient: grad(loss)(w) };
}

const wave = (shape: number[], phase: number): ReturnType<typeof tensor> =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.sin(1.3 * i + phase),
    ),
    { shape },
  );

const native = compile(lossAndGradient);
const w = { hidden: wave([4, 8], 0), out: wave([8], 1) };
const [x, y] = [wave([16, 4], 2), wave([16], 3)];
const { loss, gradient } = await native(w, x, y);
console.log(`loss ${loss.item().toFixed(6)}`);

// One number of the gradient against a central difference.
const h = 1e-5;
const shifted = async (by: number): Promise<number> => {
  const out = tensor(w.out.data.slice(), { shape: [8] });
  out.data[3]! += by;
  return (await native({ ...w, out }, x, y)).loss.item();
};
const difference = ((await shifted(h)) - (await shifted(-h))) / (2 * h);
console.log(
  `∂loss/∂out₃: ${gradient.out.data[3]!.toFixed(9)}, difference ${difference.toFixed(9)}`,
);
assert.ok(Math.abs(gradient.out.data[3]! - difference) < 1e-8);
await native.dispose();

const specs = { hidden: new ArraySpec([4, 8], "float32"), out: new ArraySpec([8], "float32") };
const bytes = toOnnx(lossAndGradient, [
  specs,
  new ArraySpec([16, 4], "float32"),
  new ArraySpec([16], "float32"),
]);
console.log(`as ONNX: ${bytes.length} bytes`);
assert.ok(bytes.length > 500);
