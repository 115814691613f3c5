/** Programs that must give the same numbers in every host. */
import {
  type Array as JaxArray,
  grad,
  nn,
  numpy as np,
  random,
  tree,
  vjp,
  vmap,
} from "@jax-js/jax";

import {
  type DType,
  type Executable,
  Program,
  type SessionOptions,
  type Tensor,
  tensor,
  type Tree,
  type Value,
} from "../../src/program/index.ts";

export const dtypes: readonly DType[] = ["float32", "float64"];

interface Case {
  readonly inputs: (dtype: DType) => Record<string, Tensor>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly build: (program: Program, inputs: any) => Tree<Value>;
}

/** Compiles and runs a case; leaves in tree order. */
export async function evaluate(
  name: string,
  dtype: DType,
  options: SessionOptions = {},
): Promise<Tensor[]> {
  const { inputs, build } = cases[name]!;
  const feeds = inputs(dtype);
  const program = new Program(name);
  const result = build(program, program.input("in", feeds));
  program.output("out", { result });
  const executable: Executable = await program.compile(options);
  const { out } = await executable.run({ in: feeds });
  await executable.dispose();
  return tree.leaves<Tensor>(out!);
}

/** Numbers without a generator: samples of a sine. */
function wave(shape: number[], dtype: DType, phase = 0): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase));
  return tensor(values, { dtype, shape });
}

export const cases: Readonly<Record<string, Case>> = {
  "softmax regression, loss and gradient": {
    inputs: (dtype) => ({ w: wave([4, 3], dtype), x: wave([6, 4], dtype, 1) }),
    build(program, { w, x }) {
      const labels = program.constant(Int32Array.of(0, 2, 1, 1, 0, 2));
      return program.call(
        (w: JaxArray, x: JaxArray, labels: JaxArray) => {
          const loss = (w: JaxArray): JaxArray =>
            np.mean(np.sum(nn.logSoftmax(np.dot(x, w)).mul(nn.oneHot(labels, 3)), 1)).neg();
          return [loss(w), grad(loss)(w)];
        },
        w,
        x,
        labels,
      );
    },
  },

  "gradient descent and its adjoint, two scans": {
    inputs: (dtype) => ({
      x: wave([8, 3], dtype),
      y: wave([8], dtype, 2),
      w0: wave([3], dtype, 3),
      lambda: wave([3], dtype, 4),
    }),
    build(program, { x, y, w0, lambda }) {
      const step = (w: JaxArray, lambda: JaxArray, x: JaxArray, y: JaxArray): JaxArray => {
        const inner = (w: JaxArray): JaxArray =>
          np.mean(np.square(np.dot(x, w).sub(y))).add(np.sum(np.exp(lambda).mul(np.square(w))));
        return w.sub(grad(inner)(w).mul(0.1));
      };
      const [w, path] = program.scan(
        { length: 20 },
        (w: Value) => [program.call(step, w, lambda, x, y), w],
        w0,
      );
      const start = program.call((w: JaxArray) => w.mul(2), w);
      const zero = program.call((l: JaxArray) => np.zerosLike(l), lambda);
      const [[, h]] = program.scan(
        { length: 20, reverse: true },
        ([a, h]: [Value, Value], w: Value) => {
          const adjoint = program.call(
            (a: JaxArray, h: JaxArray, w: JaxArray, l: JaxArray, x: JaxArray, y: JaxArray) => {
              const [, pull] = vjp((w: JaxArray, l: JaxArray) => step(w, l, x, y), [w, l]);
              const [next, direct] = pull(a) as [JaxArray, JaxArray];
              return [next, h.add(direct)];
            },
            a,
            h,
            w,
            lambda,
            x,
            y,
          );
          return [adjoint as [Value, Value], []];
        },
        [start, zero] as [Value, Value],
        path,
      );
      return [w, h];
    },
  },

  "Newton's square root, a while loop": {
    inputs: (dtype) => ({ a: tensor(7, { dtype }) }),
    build(program, { a }) {
      const { carry, steps } = program.while(
        { limit: 50 },
        (x: Value) =>
          program.call((x: JaxArray, a: JaxArray) => np.abs(x.mul(x).sub(a)).greater(1e-4), x, a),
        (x: Value) => program.call((x: JaxArray, a: JaxArray) => x.add(a.div(x)).mul(0.5), x, a),
        a,
      );
      return [carry, steps];
    },
  },

  "gradients of a batch, by vmap": {
    inputs: (dtype) => ({ w: wave([5], dtype), x: wave([4, 5], dtype, 1) }),
    build(program, { w, x }) {
      return program.call(
        (w: JaxArray, x: JaxArray) =>
          vmap((row: JaxArray) => grad((w: JaxArray) => np.sum(np.tanh(w.mul(row))))(w))(x),
        w,
        x,
      );
    },
  },

  "random bits and uniforms from a key": {
    inputs: () => ({ key: tensor(Uint32Array.of(0, 42)) }),
    build(program, { key }) {
      return program.call((key: JaxArray) => random.uniform(key, [7]), key);
    },
  },
};
