/** Every linear solver on every kind of system: the solution where there is one, and the right words where there is none. */
import { describe, expect, test } from "vitest";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
  nystrom,
  type LinearSolver,
} from "../../src/linear/index.ts";
import { chooseCoordinates } from "../../src/linear/nystrom.ts";
import { distance, multiply, slope, solveSystem, symmetricWith } from "./systems.ts";

const exact = [1, -2, 0.5, 3, -0.25];
const definite = symmetricWith([0.5, 1, 1.5, 2, 3]);
const contracting = symmetricWith([0.5, 0.7, 1, 1.2, 1.5]);
const indefinite = symmetricWith([-2, -0.5, 1, 1.5, 3]);
const skewed = definite.map((row, i) => row.map((v, j) => v + (i < j ? 0.9 : i > j ? -0.4 : 0)));

const solvers: Record<string, LinearSolver> = {
  "conjugate gradient": conjugateGradient({ maxSteps: 20 }),
  "normal conjugate gradient": conjugateGradientNormal({ maxSteps: 40 }),
  minres: minres({ maxSteps: 20 }),
  "neumann, step found": neumann({ maxSteps: 400 }),
  "neumann, step given": neumann({ maxSteps: 400, step: 0.5 }),
  "fixed point": fixedPoint({ maxSteps: 400 }),
  cholesky: dense(),
  lu: dense({ factorization: "lu" }),
};

interface Row {
  readonly name: string;
  readonly solver: LinearSolver;
  readonly system: string;
  readonly a: number[][];
}

/** Every solver on the systems that it claims. */
const rows: Row[] = Object.entries(solvers).flatMap(([name, solver]) => {
  const { symmetric, positiveDefinite, contraction } = solver.needs;
  const all = [{ name, solver, system: "contracting", a: contracting }];
  if (!contraction) all.push({ name, solver, system: "definite", a: definite });
  if (!positiveDefinite && !contraction) {
    all.push({ name, solver, system: "indefinite", a: indefinite });
  }
  if (!symmetric && !contraction) all.push({ name, solver, system: "skewed", a: skewed });
  return all;
});

describe.each(rows)("$name, $system", ({ solver, system, a }) => {
  const b = multiply(a, exact);
  const isSymmetric = system !== "skewed";

  test("reaches the solution, on trees, and says so", async () => {
    const answer = await solveSystem(solver, a, b, { isSymmetric, split: 2 });
    expect(answer.outcome).toBe("converged");
    expect(distance(answer.q, exact)).toBeLessThan(5e-9);
    expect(answer.relativeResidual).toBeLessThanOrEqual(2e-10);
    const residual = b.map((v, i) => v - multiply(a, answer.q)[i]!);
    expect(answer.residualNorm).toBeCloseTo(Math.hypot(...residual), 12);
    // Pivots of LU may have any sign and size; the others are bounded by the largest eigenvalue or singular value.
    if (!solver.name.endsWith("lu")) expect(answer.largestCurvature).toBeLessThan(4.5);
    expect(answer.smallestCurvature).toBeLessThanOrEqual(answer.largestCurvature);
  });

  test("in float32 too, up to its rounding", async () => {
    const answer = await solveSystem(solver, a, b, { isSymmetric, dtype: "float32" });
    expect(answer.outcome).toBe("converged");
    expect(distance(answer.q, exact)).toBeLessThan(2e-4);
  });

  test("started at the solution, it stays there", async () => {
    const answer = await solveSystem(solver, a, b, { isSymmetric, start: exact });
    expect(answer.outcome).toBe("converged");
    expect(distance(answer.q, exact)).toBeLessThan(1e-12);
    if (!solver.name.startsWith("dense")) expect(answer.steps).toBe(0);
  });

  test("a right-hand side of 0 has the solution 0", async () => {
    const answer = await solveSystem(solver, a, [0, 0, 0, 0, 0], { isSymmetric });
    expect(answer).toMatchObject({ outcome: "converged", residualNorm: 0, relativeResidual: 0 });
    expect(distance(answer.q, [0, 0, 0, 0, 0])).toBe(0);
  });
});

describe("conjugate gradients", () => {
  const a = [
    [2, 0.5],
    [0.5, 1],
  ];
  const v = [0.5714285714285714 - 1, 0.7142857142857143 + 1];

  test("one step, and two that are exact: the latest iterate is returned", async () => {
    const one = await solveSystem(conjugateGradient({ maxSteps: 1 }), a, v);
    expect(distance(one.q, [-0.5204081633, 2.0816326531])).toBeLessThan(1e-10);
    expect(one).toMatchObject({ outcome: "max-steps", steps: 1 });
    const two = await solveSystem(conjugateGradient({ maxSteps: 2, rtol: 0 }), a, v);
    expect(distance(two.q, [-0.7346938776, 2.0816326531])).toBeLessThan(1e-10);
    expect(two).toMatchObject({ outcome: "converged", steps: 2 });
  });

  test("a multiple of the identity takes one step, and its result is kept", async () => {
    const answer = await solveSystem(conjugateGradient(), new Float64Array([3, 3, 3]), [3, 6, -9]);
    expect(answer).toMatchObject({ outcome: "converged", steps: 1 });
    expect(distance(answer.q, [1, 2, -3])).toBeLessThan(1e-15);
    expect(answer.smallestCurvature).toBeCloseTo(3, 14);
  });

  test("the error falls at the rate of the condition number", async () => {
    // Eigenvalues dense in [1, 100] and a right-hand side that excites all: no superlinear help in the first steps.
    const n = 400;
    const eigenvalues = Float64Array.from(
      { length: n },
      (_, i) => 50.5 - 49.5 * Math.cos((Math.PI * (i + 0.5)) / n),
    );
    const b = new Float64Array(n).fill(1);
    const steps = [6, 10, 14, 18, 22, 26, 30, 34];
    const logErrors: number[] = [];
    for (const maxSteps of steps) {
      const { q } = await solveSystem(conjugateGradient({ maxSteps }), eigenvalues, b);
      const squared = q.reduce(
        (sum, x, i) => sum + eigenvalues[i]! * (x - 1 / eigenvalues[i]!) ** 2,
        0,
      );
      logErrors.push(Math.log(squared) / 2);
    }
    const rate = Math.log((Math.sqrt(100) - 1) / (Math.sqrt(100) + 1));
    expect(slope(steps, logErrors) / rate).toBeGreaterThan(0.95);
    expect(slope(steps, logErrors) / rate).toBeLessThan(1.05);
  });

  test("damping solves the damped system", async () => {
    const answer = await solveSystem(conjugateGradient({ damping: 0.5 }), a, [3, 2]);
    expect(answer.outcome).toBe("converged");
    // (A + I/2) q = (3, 2) with A + I/2 = [[2.5, 0.5], [0.5, 1.5]].
    expect(distance(answer.q, [1, 1])).toBeLessThan(1e-10);
  });
});

describe("systems without a solution", () => {
  const semidefinite = new Float64Array([2, 1, 0]);

  test("conjugate gradients: zero curvature in the second iteration, the iterate before it returned", async () => {
    const answer = await solveSystem(
      conjugateGradient(),
      new Float64Array([1, 1, 0, 0]),
      [1, 1, 2, 2],
    );
    expect(answer).toMatchObject({ outcome: "singular", steps: 2 });
    expect(Math.abs(answer.smallestCurvature)).toBeLessThan(1e-12);
    // One step of length ‖b‖²/bᵀAb = 5.
    expect(distance(answer.q, [5, 5, 10, 10])).toBeLessThan(1e-12);
  });

  test.each([
    ["conjugate gradient", conjugateGradient()],
    ["neumann", neumann({ maxSteps: 200 })],
    ["fixed point", fixedPoint({ maxSteps: 200 })],
    ["cholesky", dense()],
    ["lu", dense({ factorization: "lu" })],
  ])("%s: singular", async (_, solver) => {
    const answer = await solveSystem(solver, new Float64Array([1.2, 1, 0]), [1, 1, 1]);
    expect(answer.outcome).toBe("singular");
    if (solver.name.startsWith("dense")) expect(answer.q.every(Number.isNaN)).toBe(true);
    else expect(answer.q.every(Number.isFinite)).toBe(true);
  });

  test.each([
    ["minres", minres()],
    ["normal conjugate gradient", conjugateGradientNormal()],
  ])("%s: inconsistent, a least-squares solution", async (_, solver) => {
    const answer = await solveSystem(solver, semidefinite, [2, 3, 4]);
    expect(answer.outcome).toBe("inconsistent");
    expect(distance(answer.q.slice(0, 2), [1, 3])).toBeLessThan(1e-9);
    expect(answer.residualNorm).toBeCloseTo(4, 9);
    const orthogonal = await solveSystem(solver, semidefinite, [0, 0, 4]);
    expect(orthogonal.outcome).toBe("inconsistent");
    expect(orthogonal.residualNorm).toBe(4);
  });

  test.each([
    ["conjugate gradient", conjugateGradient()],
    ["minres", minres()],
    ["normal conjugate gradient", conjugateGradientNormal()],
  ])("%s: a singular system with a solution is solved", async (_, solver) => {
    const answer = await solveSystem(solver, semidefinite, [2, 3, 0]);
    expect(answer.outcome).toBe("converged");
    expect(distance(answer.q, [1, 3, 0])).toBeLessThan(1e-9);
  });

  test.each([
    ["conjugate gradient", conjugateGradient({ maxSteps: 50 })],
    ["neumann", neumann({ maxSteps: 50 })],
    ["nyström", nystrom({ rank: 3, rho: 1e-2 })],
    ["nyström of full rank", nystrom({ rank: 5, rho: 1e-2 })],
  ])("%s: negative curvature", async (_, solver) => {
    const answer = await solveSystem(solver, indefinite, multiply(indefinite, exact));
    expect(answer.outcome).toBe("negative-curvature");
    if (solver.name !== "nystrom") expect(answer.smallestCurvature).toBeLessThan(0);
  });

  test("steps that are too long diverge", async () => {
    const answer = await solveSystem(
      neumann({ step: 1, maxSteps: 200 }),
      definite,
      [1, 1, 1, 1, 1],
    );
    expect(answer.outcome).toBe("diverged");
    const fixed = await solveSystem(fixedPoint({ maxSteps: 200 }), definite, [1, 1, 1, 1, 1]);
    expect(fixed.outcome).toBe("diverged");
  });

  test.each(Object.entries(solvers))("%s: NaN on the right is named", async (_, solver) => {
    for (const dtype of ["float64", "float32"] as const) {
      const answer = await solveSystem(solver, definite, [1, NaN, 1, 1, 1], { dtype });
      expect(answer.residualNorm).toBeNaN();
      expect(answer.outcome).toBe("non-finite");
    }
  });

  test.each([
    ["conjugate gradient", conjugateGradient({ maxSteps: 500, rtol: 1e-15 })],
    ["minres", minres({ maxSteps: 500, rtol: 1e-15 })],
    ["normal conjugate gradient", conjugateGradientNormal({ maxSteps: 500, rtol: 1e-15 })],
  ])("%s: a recursion that claims more than rounding allows has stagnated", async (_, solver) => {
    const ill = symmetricWith([1e-7, 3e-6, 3e-4, 1, 1]);
    const answer = await solveSystem(solver, ill, [1, 1, 1, 1, 1]);
    expect(answer.outcome).toBe("stagnated");
    // The residual is the true one, about ε·κ, and not that of the recursion.
    expect(answer.relativeResidual).toBeGreaterThan(1e-11);
    expect(answer.relativeResidual).toBeLessThan(1e-8);
  });

  test("in float32 an answer worse than 0 is no least-squares solution", async () => {
    const ill = symmetricWith([1e-7, 3e-6, 3e-4, 1, 1]);
    for (const b of [
      [1, 1, 1, 1, 1],
      [1, -2, 3, -1, 0.5],
    ]) {
      const answer = await solveSystem(minres(), ill, b, { dtype: "float32" });
      const isWorse = answer.relativeResidual > 1.01;
      expect(isWorse && answer.outcome === "inconsistent").toBe(false);
      expect(answer.outcome).not.toBe("converged");
    }
  });
});

describe("Neumann's series", () => {
  const a = [
    [2, 0.5],
    [0.5, 1],
  ];
  const v = [0.5714285714285714 - 1, 0.7142857142857143 + 1];

  test("ten terms", async () => {
    const answer = await solveSystem(neumann({ step: 0.3, maxSteps: 10 }), a, v);
    expect(distance(answer.q, [-0.6789236278, 1.9469853905])).toBeLessThan(1e-10);
    expect(answer).toMatchObject({ outcome: "max-steps", steps: 10 });
    // b − A·q = (I − ηA)^J b
    let p = v;
    for (let i = 0; i < 10; i++) {
      const ap = multiply(a, p);
      p = p.map((x, k) => x - 0.3 * ap[k]!);
    }
    expect(answer.residualNorm).toBeCloseTo(Math.hypot(...p), 12);
  });

  test("the error falls as (1 − η·λ_min)^J", async () => {
    const steps = [20, 25, 30, 35, 40, 45];
    const logErrors: number[] = [];
    for (const maxSteps of steps) {
      const { q } = await solveSystem(neumann({ step: 0.3, maxSteps }), a, multiply(a, [1, -1]));
      logErrors.push(Math.log(Math.hypot(q[0]! - 1, q[1]! + 1)));
    }
    const smallest = (3 - Math.SQRT2) / 2;
    expect(slope(steps, logErrors) / Math.log(1 - 0.3 * smallest)).toBeCloseTo(1, 6);
  });

  test("the step it finds lies below 1/λ_max", async () => {
    // One term from b = e_max: q = η·b.
    const eigenvalues = new Float64Array([0.1, 3, 40]);
    const { q } = await solveSystem(neumann({ maxSteps: 1 }), eigenvalues, [0, 0, 1]);
    expect(q[2]! * 40).toBeCloseTo(1 / 1.1, 6);
  });

  test("J terms of step η are J fixed-point iterations through I − ηA", async () => {
    const eta = 0.3;
    const b = [1, 2];
    const series = await solveSystem(neumann({ step: eta, maxSteps: 7 }), a, b);
    const scaledMatrix = a.map((row) => row.map((x) => eta * x));
    const iterated = await solveSystem(fixedPoint({ maxSteps: 7 }), scaledMatrix, b);
    expect(
      distance(
        series.q,
        iterated.q.map((x) => eta * x),
      ),
    ).toBeLessThan(1e-15);
  });
});

describe("Nyström", () => {
  const a = [
    [2, 0.5],
    [0.5, 1],
  ];
  const v = [0.5714285714285714 - 1, 0.7142857142857143 + 1];

  test("with all columns it inverts A + ρI", async () => {
    const answer = await solveSystem(nystrom({ rank: 2, rho: 1e-3 }), a, v);
    expect(distance(answer.q, [-0.7336806181, 2.0790469763])).toBeLessThan(1e-10);
    expect(answer).toMatchObject({ outcome: "converged", steps: 2 });
  });

  test("a matrix of rank r needs r columns", async () => {
    const low = symmetricWith([3, 2, 0, 0, 0, 0, 0]);
    const b = [1, 2, -1, 0.5, 1, 3, -2];
    const rho = 0.1;
    const enough = await solveSystem(nystrom({ rank: 2, rho, seed: 3 }), low, b);
    // b is not in the range of the matrix.
    expect(enough.outcome).toBe("singular");
    expect(enough.relativeResidual).toBeLessThan(1e-11);
    const all = await solveSystem(nystrom({ rank: 7, rho, seed: 3 }), low, b);
    expect(distance(all.q, enough.q)).toBeLessThan(1e-9);
    const few = await solveSystem(nystrom({ rank: 1, rho, seed: 3 }), low, b);
    expect(few.outcome).toBe("max-steps");
    expect(few.relativeResidual).toBeGreaterThan(0.01);
  });

  test("what the damping hides is named, and nothing when all curvatures are ρ or more", async () => {
    const rho = 0.01;
    const outcomeOf = async (eigenvalues: number[], b: number[]): Promise<string> => {
      const { outcome } = await solveSystem(
        nystrom({ rank: 3, rho }),
        symmetricWith(eigenvalues),
        b,
      );
      return outcome;
    };
    const b = [1, 2, -1];
    // The part of b along the first eigenvector.
    const first = multiply(symmetricWith([1, 0, 0]), b);
    // Down to ρ itself, and however b lies.
    for (const smallest of [1, 0.1, 0.02, 1.01 * rho]) {
      for (const b of [[1, 2, -1], [1, 0, 0], [0, 1, 1], first]) {
        expect(await outcomeOf([smallest, 1, 3], b), `${smallest} ${b.join()}`).toBe("converged");
      }
    }
    expect(await outcomeOf([0, 1, 3], b)).toBe("singular");
    expect(await outcomeOf([rho / 2, 1, 3], b)).toBe("overdamped");
    expect(await outcomeOf([rho / 100, 1, 3], b)).toBe("overdamped");
    // A thousandth of b without curvature is a tenth of q; a part of rounding's size is none.
    const range = multiply(symmetricWith([0, 1, 3]), b);
    const with0 = (part: number): number[] => first.map((v, i) => range[i]! + part * v);
    expect(await outcomeOf([0, 1, 3], with0(1e-3))).toBe("singular");
    expect(await outcomeOf([0, 1, 3], with0(1e-13))).toBe("converged");
    expect(await outcomeOf([0, 1, 3], with0(0))).toBe("converged");
  });

  test("on a diagonal matrix, what the chosen coordinates leave out counts as ρ alone", async () => {
    const eigenvalues = new Float64Array([4, 3, 2, 1, 0.5, 0]);
    const [rho, seed] = [0.25, 2];
    for (const rank of [1, 3, 5]) {
      const chosen = [...chooseCoordinates(6, rank, seed)];
      const { q } = await solveSystem(
        nystrom({ rank, rho, seed }),
        eigenvalues,
        [1, 2, 3, 4, 5, 6],
      );
      const expected = q.map(
        (_, i) => (i + 1) / ((chosen.includes(i) ? eigenvalues[i]! : 0) + rho),
      );
      expect(distance(q, expected)).toBeLessThan(1e-11);
    }
  });

  test("bᵀ(A_k + ρI)⁻¹b falls with every further column, to the exact value", async () => {
    const b = [1, 2, -1, 0.5, 1];
    const rho = 0.2;
    const values: number[] = [];
    for (const rank of [1, 2, 3, 4, 5]) {
      const { q } = await solveSystem(nystrom({ rank, rho, seed: 7 }), definite, b);
      values.push(q.reduce((sum, x, i) => sum + x * b[i]!, 0));
    }
    values.slice(1).forEach((value, i) => expect(value).toBeLessThan(values[i]!));
    const direct = await solveSystem(dense({ damping: rho }), definite, b);
    expect(values[4]).toBeCloseTo(
      direct.q.reduce((sum, x, i) => sum + x * b[i]!, 0),
      10,
    );
  });

  test("coordinates are distinct, drawn from a seed, and nested in the rank", () => {
    const all = [...chooseCoordinates(50, 50, 4)];
    expect([...all].sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...chooseCoordinates(50, 8, 4)]).toEqual(all.slice(0, 8));
    expect([...chooseCoordinates(50, 50, 5)]).not.toEqual(all);
    // Uniform: every coordinate comes first about equally often.
    const first = new Array<number>(5).fill(0);
    for (let seed = 0; seed < 2000; seed++) first[chooseCoordinates(5, 1, seed)[0]!]!++;
    first.forEach((count) => expect(Math.abs(count - 400)).toBeLessThan(80));
  });
});

describe("options", () => {
  test.each([
    ["maxSteps", () => conjugateGradient({ maxSteps: 0 })],
    ["maxSteps", () => minres({ maxSteps: 1.5 })],
    ["rtol", () => conjugateGradient({ rtol: -1 })],
    ["atol", () => fixedPoint({ atol: NaN })],
    ["damping", () => conjugateGradientNormal({ damping: -1 })],
    ["step", () => neumann({ step: 0 })],
    ["powerSteps", () => neumann({ powerSteps: 0 })],
    ["rank", () => nystrom({ rank: 0 })],
    ["rho", () => nystrom({ rho: 0 })],
    ["seed", () => nystrom({ seed: 0.5 })],
    ["factorization", () => dense({ factorization: "qr" as "lu" })],
  ])("%s is checked", (name, make) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(name);
  });

  test("dense systems have a limit", async () => {
    const large = new Float64Array(501).fill(1);
    await expect(solveSystem(dense(), large, large)).rejects.toThrow(
      "501 unknowns, 500 are allowed",
    );
    expect((await solveSystem(dense({ maxSize: 501 }), large, large)).outcome).toBe("converged");
  });

  test("costs follow the formulas", () => {
    expect(conjugateGradient({ maxSteps: 9 }).cost(40, false)).toEqual({
      products: 9,
      reportProducts: 1,
      storedFloats: 3 * 40,
    });
    expect(conjugateGradient({ maxSteps: 9 }).cost(40, true).products).toBe(10);
    expect(conjugateGradientNormal({ maxSteps: 9 }).cost(40, false).products).toBe(2 * 9 + 1);
    expect(minres({ maxSteps: 9 }).cost(40, false).products).toBe(9);
    expect(neumann({ maxSteps: 9 }).cost(40, false).products).toBe(9 + 10);
    expect(neumann({ maxSteps: 9, step: 1 }).cost(40, false).products).toBe(9);
    expect(fixedPoint({ maxSteps: 9 }).cost(40, false).products).toBe(9);
    expect(nystrom({ rank: 9 }).cost(40, false)).toMatchObject({ products: 9, storedFloats: 360 });
    expect(nystrom({ rank: 90 }).cost(40, false).products).toBe(40);
    expect(dense().cost(40, false)).toMatchObject({ products: 40, storedFloats: 1600 });
  });
});
