/** The runtime's blocked convolution kernels compute what its plain ones do, where the processor has them. */
import { jvp, lax, numpy as np, vjp, vmap } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { compile, type JaxFunction, Program, type Tensor } from "../../src/program/index.ts";
import { findKernels } from "../../src/program/kernels.ts";
import { blockedDomain } from "../../src/program/lower/conv/blocked.ts";
import { encodeProgram } from "../../src/program/lower/index.ts";
import { distance, seed, wave } from "./convolution-cases.ts";

const convolve = (x: np.Array, w: np.Array): np.Array => lax.conv(x, w, [1, 1], "SAME");

function program(): Program {
  const p = new Program("convolution");
  const { x, w } = p.input("in", {
    x: wave([2, 32, 5, 4], 0, "float32"),
    w: wave([16, 32, 3, 3], 1, "float32"),
  });
  p.output("y", p.call(convolve, x, w));
  return p;
}

const { convolutionBlock } = await findKernels(program().block(), {});
const title = convolutionBlock
  ? `blocks of ${convolutionBlock} channels`
  : "blocked kernels (skipped: this processor or runtime has none)";

async function both(fn: JaxFunction, args: Tensor[]): Promise<[Tensor[], Tensor[]]> {
  const results = [false, true].map(async (blockedKernels) => {
    const compiled = compile(fn, { blockedKernels });
    const result = (await compiled(...args)) as unknown as Tensor | Tensor[];
    await compiled.dispose();
    return Array.isArray(result) ? result : [result];
  });
  return Promise.all(results) as Promise<[Tensor[], Tensor[]]>;
}

test("a model for other runtimes has ONNX's operators only", () => {
  expect(Buffer.from(program().toOnnx()).includes("nchwc")).toBe(false);
});

test("another device is left alone", async () => {
  expect(await findKernels(program().block(), { device: "webgpu" })).toEqual({});
});

describe.skipIf(!convolutionBlock)(title, () => {
  const channels = fc.integer({ min: 1, max: 3 }).map((n) => 16 * n);
  const spatial = fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }));
  const pair = fc.tuple(fc.integer({ min: -1, max: 2 }), fc.integer({ min: -1, max: 2 }));
  const options = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.tuple(channels, channels),
    spatial,
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(pair, pair),
    mapped: fc.boolean(),
  });

  test("values and gradients are those of the plain kernels", async () => {
    await fc.assert(
      fc.asyncProperty(options, async (o) => {
        const [inChannels, outChannels] = o.channels;
        const x = wave([2, o.batch, inChannels, ...o.spatial], 0, "float32");
        const w = wave([2, outChannels, inChannels, ...o.kernel], 1, "float32");
        const conv = (x: np.Array, w: np.Array): np.Array =>
          lax.convWithGeneralPadding(x, w, o.strides, o.padding);
        // Tasks with their own filters become the groups of one convolution.
        const fn = (x: np.Array, w: np.Array): np.Array =>
          o.mapped ? (vmap(conv)(x, w) as np.Array) : conv(x.slice(0), w.slice(1));
        const gradients = (x: np.Array, w: np.Array): np.Array[] => {
          const [y, pull] = vjp(fn, [x, w]);
          return [y, ...(pull(np.sin(y)) as np.Array[])];
        };
        const [plain, blocked] = await both(gradients, [x, w]);
        // Sums of so many products of numbers up to 1, in another order.
        const terms = inChannels * outChannels * o.spatial[0] * o.spatial[1];
        plain.forEach((array, i) => {
          expect(distance(blocked[i]!, array)).toBeLessThan(terms * 2 ** -20);
        });
      }),
      { seed, numRuns: 25 },
    );
  });

  test("second derivatives are those of the plain kernels", async () => {
    const gradients = (x: np.Array, w: np.Array): np.Array[] => {
      const [y, pull] = vjp((a: np.Array, b: np.Array) => np.sin(convolve(a, b)), [x, w]);
      return pull(y) as np.Array[];
    };
    const second = (x: np.Array, w: np.Array): np.Array[] =>
      jvp(gradients, [x, w], [x, w])[1] as unknown as np.Array[];
    const args = [wave([2, 16, 5, 4], 0, "float32"), wave([32, 16, 3, 3], 1, "float32")];
    const [plain, blocked] = await both(second, args);
    plain.forEach((array, i) => {
      const scale = Math.max(...Array.from(array.data, (v) => Math.abs(Number(v))));
      expect(distance(blocked[i]!, array)).toBeLessThan(1e-4 * scale);
    });
  });

  test("whole blocks of channels are written for them, others are not", () => {
    const write = (channels: number): string => {
      const p = new Program("convolution");
      const x = p.input("x", wave([2, channels, 5, 4], 0, "float32"));
      const w = p.input("w", wave([16, channels, 3, 3], 1, "float32"));
      p.output("y", p.call(convolve, x, w));
      const bytes = encodeProgram(p.name, p.block(), p.inputs, p.outputs, {
        kernels: { convolutionBlock },
      });
      return Buffer.from(bytes).toString("latin1");
    };
    expect(write(32)).toContain(blockedDomain);
    expect(write(12)).not.toContain(blockedDomain);
  });
});
