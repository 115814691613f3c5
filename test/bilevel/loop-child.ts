/**
 * Programs made in a loop, as a process of its own: `loop-child.ts <what> <turns before> <turns after>` makes what it is
 * told anew in every turn and prints the memory in use before and after, garbage collected, in bytes.
 */
import { numpy as np } from "@jax-js/jax";
import {
  adam,
  advise,
  bilevel,
  checkHypergradient,
  compile,
  disposePrograms,
  gradientDescent,
  hypergradient,
  type Problem,
  reverse,
  type Rule,
  solve,
  tensor,
  zeros,
} from "../../src/index.ts";

const fit = (w: np.Array, { x, y }: { x: np.Array; y: np.Array }): np.Array =>
  np.sum(np.square(np.dot(x, w).sub(y))).mul(0.5);
const decay = (w: np.Array, lambda: np.Array): np.Array =>
  np.sum(np.exp(lambda).mul(np.square(w))).mul(0.5);
const ridge = (): Problem =>
  bilevel({ inner: (w, lambda, d) => fit(w, d).add(decay(w, lambda)), outer: (w, _, d) => fit(w, d) }); // prettier-ignore
/** jax-js jits `tanh`, and frees an array made in an objective only when somebody tells it to. */
const network = (): Problem =>
  bilevel({
    inner: (w, lambda, d) => {
      const table = np.array(Float32Array.from({ length: 5000 }, (_, i) => i / 1e4));
      return fit(np.tanh(w), d).add(decay(w, lambda).mul(np.mean(table)));
    },
    outer: (w, _, d) => fit(np.tanh(w), d),
  });
const rule = (learningRate = 0.04): Rule =>
  reverse({ steps: 5, dynamics: gradientDescent({ learningRate }) });

const data = (features = 1, rows = 3) => ({
  inner: { x: tensor(new Float32Array(rows * features).fill(0.5), { shape: [rows, features] }), y: zeros([rows]) }, // prettier-ignore
  outer: { x: zeros([2, features]), y: zeros([2]) },
});
const point = (features = 1, rows = 3) => ({
  lambda: zeros([features]),
  w: tensor(new Float32Array(features).fill(1)),
  data: data(features, rows),
});

const kept = { ridge: ridge(), network: network(), rule: rule() };
const squares = (x: np.Array): np.Array => np.sum(np.square(x));
const compiled = compile(squares);

const turns: Record<string, (i: number) => PromiseLike<unknown>> = {
  "the same rule": () => hypergradient(kept.ridge, { rule: rule(), ...point() }),
  "another rule": (i) => hypergradient(kept.ridge, { rule: rule(0.04 + i * 1e-5), ...point() }),
  "a problem": () => hypergradient(ridge(), { rule: kept.rule, ...point() }),
  "a problem, disposed of": async () => {
    const problem = ridge();
    await hypergradient(problem, { rule: kept.rule, ...point() });
    await disposePrograms(problem);
  },
  "a network": () => hypergradient(kept.network, { rule: rule(), ...point() }),
  "data of other shapes": (i) => hypergradient(kept.network, { rule: kept.rule, ...point(1 + i) }),
  "a solve": () =>
    solve(ridge(), { rule: rule(), optimizer: adam({ learningRate: 0.1 }), budget: { steps: 2 }, ...point() }), // prettier-ignore
  "a check": () =>
    checkHypergradient(ridge(), { rule: rule(), directions: 1, steps: [0.1, 0.01, 0.001], ...point() }), // prettier-ignore
  advice: () =>
    advise(ridge(), { steps: 5, dynamics: gradientDescent({ learningRate: 0.04 }), starts: 2, ...point() }), // prettier-ignore
  "a compiled function": () => compile((x: np.Array) => squares(x))(zeros([3])),
  "a compiled function, disposed of": async () => {
    const compiled = compile((x: np.Array) => squares(x));
    await compiled(zeros([3]));
    await compiled.dispose();
  },
  "a compiled function's shapes": (i) => compiled(zeros([1 + i])),
};

const [what, before, after] = process.argv.slice(2);
const turn = turns[what!]!;
let done = 0;

async function memoryAfter(count: number): Promise<Record<string, number>> {
  for (let i = 0; i < count; i++) await turn(done++);
  // Finalizers run after the collection that finds them.
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss };
}

const first = await memoryAfter(Number(before));
console.log(JSON.stringify([first, await memoryAfter(Number(after))]));
