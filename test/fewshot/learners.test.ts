/** Learners that follow a formula of their own: iMAML, Reptile, prototypical and matching networks, the joint baseline. */
import { grad, jvp, numpy as np, tree } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import {
  bilevel,
  conjugateGradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  implicit,
} from "../../src/index.ts";
import { type Dynamics } from "../../src/bilevel/index.ts";
import {
  imaml,
  joint,
  matching,
  prototypical,
  reptile,
  type Block,
  type Labelled,
} from "../../src/fewshot/index.ts";
import { perTask, stackTasks } from "../../src/bilevel/index.ts";
import { closedForm } from "../../src/bilevel/rules/index.ts";
import { weightsOf } from "../../src/bilevel/estimate/follower.ts";
import { crossEntropy, linear, type Head } from "../../src/fewshot/logits.ts";
import { onShots } from "../../src/fewshot/on-shots.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import * as tiny from "./tiny.ts";

type Tasks = Labelled<np.Array>;
type Weights = { encoder: Block<np.Array>[]; head: Head<np.Array> };
const { distance, encoder, flat, gradientOf, lambdaOf, query, run, support } = tiny;
const take = (all: Tasks, task: number): Tasks => ({ x: all.x.slice(task), y: all.y.slice(task) });
const network = (w: Weights, { x, y }: Tasks): np.Array =>
  crossEntropy(linear(w.head, encoder.encode(w.encoder, x)), y);
const half = (a: unknown, b: unknown): unknown =>
  tree.map((x: np.Array, y: np.Array) => x.add(y).mul(0.5), a as never, b as never);
const f64 = (values: number[] | number[][] | number[][][]): Tensor =>
  tensor(values as number[], { dtype: "float64" });

describe("iMAML", () => {
  // Task ½wᵀA w − bᵀw: w* = (A + ρI)⁻¹(b + ρλ), meta-gradient ρ(A + ρI)⁻¹∇ℓ_query(w*); A and ℓ_query are diagonal here.
  test("quadratic tasks: the closed form, whatever the number of tasks", async () => {
    const rho = 2;
    const [A, b, c] = [
      [
        [1, 3],
        [0.5, 2],
      ],
      [
        [1, -1],
        [2, 0.5],
      ],
      [
        [0, 1],
        [-1, 2],
      ],
    ];
    const lambda = [0.3, -0.7];
    type Data = { A: np.Array; b: np.Array };
    const problem = bilevel({
      init: (lambda: np.Array) => lambda,
      inner: (w: np.Array, lambda: np.Array, { A, b }: Data) =>
        np
          .sum(A.mul(w).mul(w).mul(0.5).sub(b.mul(w)))
          .add(np.sum(np.square(w.sub(lambda))).mul(rho / 2)),
      outer: (w: np.Array, _lambda: np.Array, { c }: { c: np.Array }) =>
        np.sum(np.square(w.sub(c))).mul(0.5),
    } as never);
    const rule = implicit({
      steps: 200,
      dynamics: gradientDescent({ learningRate: 0.3 }),
      solver: conjugateGradient({ maxSteps: 10, rtol: 1e-14 }),
    });
    const { gradient } = await hypergradient(problem, {
      rule: perTask(rule),
      lambda: f64(lambda),
      data: { inner: { A: f64(A), b: f64(b) }, outer: { c: f64(c) } },
    });
    const wanted = lambda.map((l, i) => {
      const each = A.map((a, j) => {
        const w = (b[j]![i]! + rho * l) / (a[i]! + rho);
        return (rho / (a[i]! + rho)) * (w - c[j]![i]!);
      });
      return (each[0]! + each[1]!) / 2;
    });
    flat(gradient).forEach((g, i) => expect(g).toBeCloseTo(wanted[i]!, 10));
    await disposePrograms(problem);
  });

  test("the network: (I + ∇²ℓ_support(w)/ρ) h = ∇ℓ_query(w) at the follower's answer", async () => {
    const rho = 30;
    const solver = conjugateGradient({ maxSteps: 200, rtol: 1e-13 });
    const learner = imaml({ encoder, proximity: rho, solver, steps: 5, learningRate: 0.02 });
    // h is the mean over the tasks, so two equal ones are taken.
    const equal = (all: Labelled<Tensor>): Labelled<Tensor> =>
      tree.map(({ dtype, shape, data }: Tensor) => {
        const first = data.slice(0, data.length / 2);
        return tensor([...first, ...first], { dtype, shape: [...shape] });
      }, all as never) as never;
    const { problem, rule } = learner.training({ ...tiny, tasks: 2, seed: 0 });
    const found = await hypergradient(problem, {
      rule,
      lambda: lambdaOf(learner),
      data: { inner: equal(support), outer: equal(query) } as never,
    });
    const sides = (w: Weights, h: Weights, s: Tasks, q: Tasks): unknown => {
      const own = tree.map((x: np.Array) => x.slice(0), w as never) as unknown as Weights;
      const slope = (v: Weights): Weights =>
        grad((v: Weights) => network(v, take(s, 0)))(v as never) as never;
      const [, product] = jvp(slope as never, [own] as never, [h] as never) as unknown as [
        unknown,
        Weights,
      ];
      const left = tree.map(
        (x: np.Array, y: np.Array) => x.add(y.div(rho)),
        h as never,
        product as never,
      );
      return [left, grad((v: Weights) => network(v, take(q, 0)))(own as never)];
    };
    const [left, right] = (await run(
      sides,
      found.w,
      found.gradient,
      support,
      query,
    )) as unknown as [unknown, unknown];
    expect(distance(left, right)).toBeLessThan(1e-9);
    await disposePrograms(problem);
  });
});

describe("Reptile", () => {
  /** λ minus the weights after three steps, on average; step t sees what `seen` selects of a task's two shots a class. */
  const displacementOf =
    (seen: (task: Tasks, t: number) => Tasks) =>
    (lambda: Weights, s: Tasks): unknown => {
      const each = [0, 1].map((task) => {
        let w = lambda;
        for (let t = 0; t < 3; t++) {
          const slope = grad((v: Weights) => network(v, seen(take(s, task), t)))(w as never);
          w = tree.map(
            (a: np.Array, g: np.Array) => a.sub(g.mul(0.2)),
            w as never,
            slope as never,
          ) as never;
        }
        return tree.map((a: np.Array, b: np.Array) => a.sub(b), lambda as never, w as never);
      });
      return half(each[0], each[1]);
    };
  const options = { encoder, steps: 3, learningRate: 0.2 };

  test("λ minus the adapted weights, on average", async () => {
    const learner = reptile(options);
    const lambda = lambdaOf(learner);
    const { gradient } = await gradientOf(learner, lambda);
    const whole = displacementOf((task) => task);
    expect(distance(gradient, await run(whole, lambda, support))).toBeLessThan(1e-11);
  });

  test("with one shot a step, the shots of each class in turn", async () => {
    const learner = reptile({ ...options, stepShots: 1 });
    const lambda = lambdaOf(learner);
    const { gradient } = await gradientOf(learner, lambda);
    const shot = (all: np.Array, t: number): np.Array =>
      np.concatenate([0, 1, 2].map((k) => all.slice([2 * k + (t % 2), 2 * k + (t % 2) + 1])));
    const oneShot = displacementOf(({ x, y }, t) => ({ x: shot(x, t), y: shot(y, t) }));
    expect(distance(gradient, await run(oneShot, lambda, support))).toBeLessThan(1e-11);
    const whole = displacementOf((task) => task);
    expect(distance(gradient, await run(whole, lambda, support))).toBeGreaterThan(1e-3);
  });

  test("at test every step sees the whole support set", () => {
    const { dynamics } = reptile({ ...options, stepShots: 1 }).adaptation(tiny.shape);
    expect(dynamics!.name).toBe("gradient-descent");
  });

  test.each([0, 1.5])("%s images of a class are refused", (stepShots) => {
    expect(() => reptile({ ...options, stepShots })).toThrow(
      `reptile: stepShots must be a whole number >= 1; ${stepShots} came.`,
    );
  });

  test("minibatches of two of three shots go around", async () => {
    const data = tensor([0, 1, 2, 10, 11, 12], { dtype: "int32" });
    const sees = {
      name: "sees",
      gradientsPerStep: 0,
      init: (w: unknown) => ({ w, memory: [] }),
      step: (_s: unknown, _l: unknown, { x }: { x: np.Array }) => ({ w: x, memory: [] }),
    } as unknown as Dynamics;
    const parts = onShots(sees, { ways: 2, shots: 3, each: 2 });
    const states = (x: np.Array): unknown =>
      [0, 1, 2].map((t) =>
        weightsOf(
          parts.step({} as never, [], { x }, null as never, np.array(t, { dtype: np.int32 })),
        ),
      );
    const seen = (await run(states, data)) as unknown as Tensor[];
    expect(seen.map(({ data }) => [...data])).toEqual([
      [0, 1, 10, 11],
      [2, 0, 12, 10],
      [1, 2, 11, 12],
    ]);
  });
});

describe("prototypical networks", () => {
  const learner = prototypical({ encoder });
  const stacked = prototypical({ encoder, tasks: "stacked" });

  test("the follower's answer is the mean of each class, and solves its problem", async () => {
    const lambda = lambdaOf(learner);
    const { w, report } = await gradientOf(learner, lambda);
    const encode = (lambda: Weights, s: Tasks): np.Array =>
      encoder.encode(lambda.encoder, take(s, 1).x);
    const rows = flat(await run(encode, lambda, support));
    const width = rows.length / 6;
    const means = [0, 1, 2].flatMap((k) =>
      Array.from(
        { length: width },
        (_, j) => (rows[2 * k * width + j]! + rows[(2 * k + 1) * width + j]!) / 2,
      ),
    );
    flat(w)
      .slice(3 * width)
      .forEach((v, i) => expect(v).toBeCloseTo(means[i]!, 12));
    expect(report.status).toBe("converged");
    expect(report.innerGradientNorm).toBeLessThan(1e-12);
  });

  test.each([
    ["in turn", learner],
    ["stacked", stacked],
  ] as const)("tasks %s: the gradient through the means", async (_, learner) => {
    const lambda = lambdaOf(learner);
    const loss = (lambda: Weights, s: Tasks, q: Tasks): np.Array => {
      const each = [0, 1].map((task) => {
        const [fs, fq] = [s, q].map((all) => encoder.encode(lambda.encoder, take(all, task).x));
        const means = fs!.reshape([3, 2, -1]);
        const centers = np.mean(means, 1);
        const gaps = fq!.reshape([9, 1, -1]).sub(centers.reshape([1, 3, -1]));
        return crossEntropy(np.sum(np.square(gaps), 2).mul(-1), take(q, task).y);
      });
      return each[0]!.add(each[1]!).mul(0.5);
    };
    const { value, gradient } = await gradientOf(learner, lambda);
    expect(value.item()).toBeCloseTo(flat(await run(loss, lambda, support, query))[0]!, 12);
    const slope = (lambda: Weights, s: Tasks, q: Tasks): unknown =>
      grad((l: Weights) => loss(l, s, q))(lambda as never);
    expect(distance(gradient, await run(slope, lambda, support, query))).toBeLessThan(1e-11);
  });
});

test("matching networks: attention by cosine over the support set", async () => {
  const scale = 4;
  const learner = matching({ encoder, scale });
  const lambda = lambdaOf(learner);
  const { value } = await gradientOf(learner, lambda);
  const encodeAll = (lambda: Weights, s: Tasks, q: Tasks): unknown =>
    [0, 1].map((task) => [s, q].map((all) => encoder.encode(lambda.encoder, take(all, task).x)));
  const encoded = (await run(encodeAll, lambda, support, query)) as unknown as [Tensor, Tensor][];
  let loss = 0;
  for (const [s, q] of encoded) {
    const rows = (t: Tensor): number[][] => t.toNested() as number[][];
    for (const [i, image] of rows(q).entries()) {
      const scores = rows(s).map((row) => {
        const dot = row.reduce((sum, v, j) => sum + v * image[j]!, 0);
        return Math.exp((scale * dot) / (Math.hypot(...row) * Math.hypot(...image)));
      });
      const own = scores.filter((_, k) => Math.floor(k / 2) === Math.floor(i / 3));
      const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
      loss -= Math.log(sum(own) / sum(scores)) / 18;
    }
  }
  expect(value.item()).toBeCloseTo(loss, 9);
});

test("joint training: the gradient of one softmax over all classes", async () => {
  const learner = joint({ encoder });
  const { problem, rule } = learner.training({ ...tiny, tasks: 1, seed: 0 });
  const lambda = lambdaOf(learner);
  const batch = {
    x: tiny.taskOf(query, 0).x,
    y: tensor([0, 5, 1, 4, 2, 3, 3, 0, 5], { dtype: "int32" }),
  };
  const { gradient, value } = await hypergradient(problem, {
    rule,
    lambda,
    data: { inner: [], outer: batch },
  });
  const slope = (lambda: Weights, batch: Tasks): unknown =>
    grad((l: Weights) => network(l, batch))(lambda as never);
  expect(flat(lambda).length).toBe(flat(gradient).length);
  expect(value.item()).toBeCloseTo(flat(await run(network, lambda, batch))[0]!, 12);
  expect(distance(gradient, await run(slope, lambda, batch))).toBeLessThan(1e-11);
  await disposePrograms(problem);
});

describe("tasks", () => {
  const problem = bilevel({
    prepare: (lambda: np.Array, { x, y }: { x: np.Array; y: np.Array }) => ({
      x: x.mul(lambda),
      y,
    }),
    inner: (w: np.Array, _l: np.Array, { x, y }: { x: np.Array; y: np.Array }) =>
      np.sum(np.square(np.matmul(x, w).sub(y))).add(np.sum(np.square(w))),
    outer: (w: np.Array, _l: np.Array, { x, y }: { x: np.Array; y: np.Array }) =>
      np.sum(np.square(np.matmul(x, w).sub(y))),
  });
  const data = (s: number): { x: Tensor; y: Tensor } => ({
    x: f64(
      [0, 1, 2].map((j) => [
        [s + j, 1],
        [j, s],
        [1, -j],
      ]),
    ),
    y: f64([0, 1, 2].map((j) => [j, 1, -s])),
  });
  const one = ({ x, y }: { x: Tensor; y: Tensor }, j: number): { x: Tensor; y: Tensor } => ({
    x: f64((x.toNested() as number[][][])[j]!),
    y: f64((y.toNested() as number[][])[j]!),
  });
  const rule = implicit({
    steps: 30,
    dynamics: gradientDescent({ learningRate: 0.02 }),
    solver: conjugateGradient({ maxSteps: 8, rtol: 1e-13 }),
  });

  test("stacked or in turn, the hypergradient is the mean of the tasks'", async () => {
    const lambda = f64([0.5, -0.3]);
    const point = { lambda, data: { inner: data(0.5), outer: data(-1) } };
    const w = f64([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const stackedProblem = stackTasks(problem);
    const inTurn = await hypergradient(problem, { rule: perTask(rule), w, ...point });
    const stacked = await hypergradient(stackedProblem, { rule, w, ...point });
    const single = await Promise.all(
      [0, 1, 2].map((j) =>
        hypergradient(problem, {
          rule,
          lambda,
          w: f64([0, 0]),
          data: { inner: one(data(0.5), j), outer: one(data(-1), j) },
        }),
      ),
    );
    const meanOf = (read: (of: (typeof single)[number]) => number): number =>
      single.reduce((sum, result) => sum + read(result), 0) / 3;
    for (const result of [inTurn, stacked]) {
      expect(result.value.item()).toBeCloseTo(
        meanOf(({ value }) => value.item()),
        10,
      );
      flat(result.gradient).forEach((g, i) =>
        expect(g).toBeCloseTo(
          meanOf(({ gradient }) => flat(gradient)[i]!),
          9,
        ),
      );
      expect(flat(result.w)).toHaveLength(6);
    }
    const norms = single.map(({ report }) => report.innerGradientNorm);
    expect(inTurn.report.innerGradientNorm).toBeCloseTo(Math.hypot(...norms), 10);
    const residuals = single.map(({ report }) => report.measured["linearSteps"]!);
    expect(inTurn.report.measured["linearSteps"]).toBe(Math.max(...residuals));
    expect(inTurn.report.cost.innerGradients).toBe(3 * single[0]!.report.cost.innerGradients);
    expect(inTurn.report.cost.storedFloats).toBe(single[0]!.report.cost.storedFloats);
    await Promise.all([disposePrograms(problem), disposePrograms(stackedProblem)]);
  });

  test("closed form asks for an init", async () => {
    const point = {
      lambda: f64([1, 1]),
      w: f64([0, 0]),
      data: { inner: one(data(1), 0), outer: one(data(1), 1) },
    };
    await expect(hypergradient(problem, { rule: closedForm(), ...point })).rejects.toThrow(
      "closedForm: the problem must have an init",
    );
  });
});
