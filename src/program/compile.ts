/** `compile`: any jax-js function, run natively. */
import { checkArgument, checkOptions } from "./check-options.ts";
import { type Array as JaxArray, tree } from "@jax-js/jax";

import { type OptimizeOptions, Program } from "./program.ts";
import { type Built, ProgramCache } from "./program-cache.ts";
import type { SessionOptions } from "./hosts/host.ts";
import type { ArraySpec, JaxFunction } from "./trace/trace.ts";
import { specsOf } from "./trees.ts";
import { type Tensor, type TensorLike, toTensor, type Tree } from "./tensors/tensor.ts";

/**
 * A compiled function. Takes and returns trees of host arrays; traces once per shapes and types. Of the programs of all
 * functions and hypergradients the 32 that were used last are open, and the same program is open once.
 */
export interface CompiledFunction<R> {
  (...args: readonly Tree<TensorLike>[]): Promise<TensorsOf<R>>;
  /** Frees the sessions of this function; a later call opens them again. */
  dispose(): Promise<void>;
}

/** The tree of `T` with host tensors where jax-js arrays were. */
export type TensorsOf<T> =
  Tree<never> extends T
    ? Tree<Tensor>
    : T extends JaxArray | number
      ? Tensor
      : { [K in keyof T]: TensorsOf<T[K]> };

/**
 * Compiles a jax-js function to ONNX Runtime.
 *
 * Nobody needs `.ref` inside `fn`; derivatives (`grad`, `vjp`, `jvp`, `vmap`) may be used freely.
 *
 * @example
 * const norm = compile((x: np.Array) => np.sqrt(np.sum(np.square(x))));
 * (await norm(tensor([3, 4]))).item(); // 5
 */
export function compile<F extends JaxFunction>(
  fn: F,
  options: SessionOptions & OptimizeOptions = {},
): CompiledFunction<ReturnType<F>> {
  checkArgument("compile", "fn", fn, "function");
  checkOptions("compile", options, {
    device: "string",
    threads: "number",
    flushDenormals: "boolean",
    log: "boolean",
    graphOptimization: "string",
    optimize: "boolean",
    blockedKernels: "boolean",
  });
  const cache = new ProgramCache();
  const name = fn.name || "function";

  const run = async (...args: readonly Tree<TensorLike>[]): Promise<TensorsOf<ReturnType<F>>> => {
    const tensors = args.map((arg) => tree.map(toTensor, arg) as Tree<Tensor>);
    const specs = tensors.map(specsOf);
    const signature = specs
      .map((arg) => `${tree.structure(arg)} ${tree.leaves<ArraySpec>(arg).join()}`)
      .join("; ");
    const make = (): Built<undefined> => ({ program: build(fn, name, specs), about: undefined });
    const program = await cache.get(signature, make, options);
    const inputs = Object.fromEntries(tensors.map((arg, i) => [`argument${i}`, arg]));
    const { result } = await program.run(inputs);
    return result as TensorsOf<ReturnType<F>>;
  };

  return Object.assign(run, { dispose: () => cache.dispose() });
}

/**
 * A jax-js function as the bytes of an ONNX model, for arguments of the given shapes. Inputs are named
 * `in.argument0.0`, …, outputs `out.result.0`, …, leaves in tree order.
 */
export function toOnnx(
  fn: JaxFunction,
  args: readonly Tree<TensorLike | ArraySpec>[],
  options: OptimizeOptions = {},
): Uint8Array {
  checkArgument("toOnnx", "fn", fn, "function");
  checkArgument("toOnnx", "args", args, "list");
  checkOptions("toOnnx", options, { optimize: "boolean", blockedKernels: "boolean" });
  return build(fn, fn.name || "function", args).toOnnx(options);
}

function build(fn: JaxFunction, name: string, args: readonly Tree<unknown>[]): Program {
  const program = new Program(name);
  const values = args.map((arg, i) => program.input(`argument${i}`, arg));
  program.output("result", program.call(fn, ...(values as never[])));
  return program;
}
