// The trained representation as an ONNX model of its own: images in, features out, for any ONNX runtime.

import { numpy as np } from "@jax-js/jax";
import type { Block, Statistics } from "../encoder.ts";
import type { Learner, TaskShape } from "../learner.ts";
import { checkArgument, checkOptions } from "../../program/internal.ts";
import { Program, zeros, type Tensor, type Tree } from "../../program/index.ts";

/** The name of the file in the output folder of a training. */
export const representationName = "representation.onnx";

/**
 * The encoder with its weights and, for batch normalization, the statistics of training images, so that an image's
 * features do not depend on its company.
 *
 * Input `in.image.0` float32 [1, channels, height, width] with values in [0, 1], output `out.features.0` [1, size]. A learner whose follower adapts
 * the encoder is exported as it starts.
 *
 * @param model - as `readModel` gives it, or its λ, statistics and shape.
 */
export function exportRepresentation(
  learner: Learner,
  model: { lambda: Tree<Tensor>; statistics: readonly Statistics<Tensor>[]; shape: TaskShape },
): Uint8Array {
  checkArgument("exportRepresentation", "learner", learner, "object");
  checkArgument("exportRepresentation", "model", model, "object");
  const { lambda, statistics, shape } = model;
  const needed = { lambda: "object!", statistics: "object!", shape: "object!" } as const;
  checkOptions("exportRepresentation", { lambda, statistics, shape }, needed);
  const { channels, height, width } = shape.image;
  const embed = (value: Tensor): np.Array =>
    np.array(value.data as Float32Array<ArrayBuffer>).reshape([...value.shape]);
  const { encoder } = lambda as unknown as { encoder: Block<Tensor>[] };
  const params = encoder.map(({ kernel, bias }) => ({ kernel: embed(kernel), bias: embed(bias) }));
  const embedded = statistics.map(({ mean, variance }) => ({
    mean: embed(mean),
    variance: embed(variance),
  }));
  const program = new Program("representation");
  const image = program.input("image", zeros([1, channels, height, width]));
  const encode = (x: np.Array): np.Array => learner.encoder.encode(params, x, embedded);
  program.output("features", program.call(encode, image));
  return program.toOnnx();
}
