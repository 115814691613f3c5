/** The Gaussian directions that `pzobo` draws, which its theory is about. */
import { tree } from "@jax-js/jax";
import { drawDirections } from "../../src/bilevel/rules/stochastic/pzobo.ts";
import type { Value } from "../../src/program/ir.ts";
import { Program, tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import type { Vector } from "./model.ts";

/** u_1 … u_Q of the first outer step, each flattened like λ. */
export async function randomDirections(
  lambda: Tree<Tensor>,
  options: { readonly directions: number; readonly seed: number },
): Promise<Vector[]> {
  const program = new Program("directions");
  const like = program.input("lambda", lambda as never) as Tree<Value>;
  const step = program.constant(tensor(0, { dtype: "int32" }));
  program.output("u", drawDirections(program, like, options, step) as never);
  const executable = await program.compile();
  const { u } = await executable.run({ lambda: lambda as never });
  await executable.dispose();
  return Array.from({ length: options.directions }, (_, j) =>
    tree.leaves<Tensor>(u as Tree<Tensor>).flatMap(({ data, size }) => {
      const width = size / options.directions;
      return [...data.slice(j * width, (j + 1) * width)];
    }),
  );
}
