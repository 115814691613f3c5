/** Running a compiled program: checks what goes in, names what comes out. */
import { tree } from "@jax-js/jax";

import { type IndexRange, outsideOf } from "./index-ranges.ts";
import { sameShape, type Value } from "./ir.ts";
import { leafNames } from "./lower/index.ts";
import type { Binding } from "./binding.ts";
import type { Device } from "./hosts/host.ts";
import { Resident, type Session } from "./session.ts";
import {
  type DType,
  Tensor,
  tensor,
  type TensorLike,
  toTensor,
  type Tree,
} from "./tensors/tensor.ts";
import { leafPaths } from "./trees.ts";

/** Inputs by name: trees of arrays, on the host or left where an earlier run made them. */
export type Inputs = Readonly<Record<string, Tree<TensorLike | Resident>>>;

/** The inputs given do not fit the program. */
export class InputError extends TypeError {
  readonly code = "INPUT";
}

/** A compiled program: named trees of arrays in, named trees of arrays out. */
export class Executable {
  readonly name: string;
  readonly #session: Session;
  readonly #inputs: readonly Binding[];
  readonly #outputs: readonly Binding[];
  readonly #ranges: ReadonlyMap<Value, IndexRange>;

  /** @internal */
  constructor(
    name: string,
    session: Session,
    inputs: readonly Binding[],
    outputs: readonly Binding[],
    ranges: ReadonlyMap<Value, IndexRange> = new Map(),
  ) {
    this.name = name;
    this.#session = session;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#ranges = ranges;
  }

  /** Where it runs. */
  get device(): Device {
    return this.#session.device;
  }

  /**
   * Runs the program and brings every output to the host.
   *
   * @throws {@link InputError} naming the input and the leaf that does not fit.
   */
  async run(inputs: Inputs): Promise<Record<string, Tree<Tensor>>> {
    const resident = await this.runResident(inputs);
    const results: Record<string, Tree<Tensor>> = {};
    for (const [name, value] of Object.entries(resident)) {
      const [leaves, structure] = tree.flatten<Resident>(value);
      const read = await Promise.all(leaves.map((leaf) => leaf.read()));
      results[name] = tree.unflatten(structure, read) as Tree<Tensor>;
      for (const leaf of leaves) if (this.#session.device === "webgpu") leaf.dispose();
    }
    return results;
  }

  /** Runs the program and leaves the outputs on the device; dispose of them when done. */
  async runResident(inputs: Inputs): Promise<Record<string, Tree<Resident>>> {
    const unknown = Object.keys(inputs).find(
      (key) => !this.#inputs.some(({ name }) => name === key),
    );
    if (unknown !== undefined) {
      throw new InputError(
        `${this.name}: has no input "${unknown}"; its inputs are ${this.#inputs.map(({ name }) => name).join(", ")}.`,
      );
    }
    const feeds = new Map<string, Tensor | Resident>();
    for (const binding of this.#inputs) this.#feed(binding, inputs[binding.name], feeds);
    const leaves = await this.#session.run(feeds, leafNames("out", this.#outputs));
    const results: Record<string, Tree<Resident>> = {};
    let next = 0;
    for (const { name, structure, leaves: values } of this.#outputs) {
      results[name] = tree.unflatten(structure, leaves.slice(next, next + values.length));
      next += values.length;
    }
    return results;
  }

  /** Frees the runtime's session. */
  async dispose(): Promise<void> {
    await this.#session.dispose();
  }

  #feed(
    binding: Binding,
    given: Tree<TensorLike | Resident> | undefined,
    feeds: Map<string, Tensor | Resident>,
  ): void {
    if (given === undefined)
      throw new InputError(`${this.name}: input "${binding.name}" is missing.`);
    const [leaves, structure] = tree.flatten<TensorLike | Resident>(given);
    if (!structure.equals(binding.structure)) {
      throw new InputError(
        `${this.name}: input "${binding.name}" must be a tree like ${binding.structure}, got ${structure}.`,
      );
    }
    const names = leafNames("in", [binding]);
    leaves.forEach((leaf, i) => {
      const wanted = binding.leaves[i]!;
      const value = leaf instanceof Resident ? leaf : asTensor(leaf, wanted.dtype);
      if (!sameShape(value.shape, wanted.shape) || value.dtype !== wanted.dtype) {
        throw new InputError(
          `${this.name}: input "${binding.name}" leaf ${i} must be ${wanted}, got ${value.dtype}[${value.shape.join(", ")}].`,
        );
      }
      const range = this.#ranges.get(wanted);
      const outside = range && value instanceof Tensor && outsideOf(range, value);
      if (outside) {
        throw new InputError(`${this.name}: input ${pathsOf(binding)[i]!}: ${outside}.`);
      }
      feeds.set(names[i]!, value);
    });
  }
}

/** The path of each leaf of an input. */
function pathsOf({ name, structure, leaves }: Binding): string[] {
  return leafPaths(name, tree.unflatten(structure, leaves));
}

/** A bare number means itself in any type; arrays keep theirs. */
function asTensor(leaf: TensorLike, dtype: DType): Tensor {
  return typeof leaf === "number" ? tensor(leaf, { dtype }) : toTensor(leaf);
}
