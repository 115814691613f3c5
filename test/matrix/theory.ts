/** What each kind of rule must give by its own definition, in plain JavaScript on a hand-written model. */
import {
  add,
  apply,
  identity,
  multiply,
  outer as outerProduct,
  solveDense,
  transpose,
  type Matrix,
} from "../bilevel/dense.ts";
import { dot, plus, type Model, type Vector } from "./model.ts";

/** A hypergradient and the follower's answer that goes with it. */
export interface Answer {
  readonly gradient: Vector;
  readonly w: Vector;
}

/** Where the theory is evaluated. */
export interface Place {
  readonly model: Model;
  /** The follower's first weights. */
  readonly start: Vector;
  /** Of gradient descent on L. */
  readonly rate: number;
  /** P, and its derivative there (a symmetric matrix), when weights are constrained to a set that λ does not move. */
  readonly projection?: { readonly apply: (w: Vector) => Vector; readonly tangent: Matrix };
}

/** Options of {@link unrolled}. */
export interface Unrolled {
  readonly steps: number;
  /** The last steps that are differentiated. Default: all. */
  readonly keep?: number;
  /** ρ_t, the outer objective's share in step t; negative for the pessimistic form. Default: none. */
  readonly share?: (t: number) => number;
  /** Whether the trajectory is cut at the first of its largest values of E. */
  readonly isCut?: boolean;
  /** ∂w_0/∂λ, [n, m]. Default: 0. */
  readonly startDerivative?: Matrix;
}

/** Reverse mode through w_t = P(w_{t−1} − s·(ρ_t ∇E + (1 − |ρ_t|) ∇L)), written out. */
export function unrolled({ model, start, rate, projection }: Place, options: Unrolled): Answer {
  const { inner, outer } = model;
  const share = options.share ?? (() => 0);
  const mix = (t: number, ofInner: Vector, ofOuter: Vector): Vector =>
    ofInner.map((v, i) => (1 - Math.abs(share(t))) * v + share(t) * ofOuter[i]!);
  const states = [start];
  for (let t = 0; t < options.steps; t++) {
    const w = states[t]!;
    const moved = plus(w, -rate, mix(t, inner.gradient(w), outer.gradient(w)));
    states.push(projection ? projection.apply(moved) : moved);
  }
  const values = states.slice(1).map((w) => outer.value(w));
  const last = options.isCut ? values.indexOf(Math.max(...values)) + 1 : options.steps;
  const w = states[last]!;
  const first = last - (options.keep ?? last);
  let [alpha, gradient] = [outer.gradient(w), outer.leader(w)];
  for (let t = last - 1; t >= first; t--) {
    const at = states[t]!;
    const beta = projection ? apply(projection.tangent, alpha) : alpha;
    const crossed = mix(t, apply(inner.cross(at), beta), apply(outer.cross(at), beta));
    const curved = mix(t, apply(inner.hessian(at), beta), apply(outer.hessian(at), beta));
    gradient = plus(gradient, -rate, crossed);
    alpha = plus(beta, -rate, curved);
  }
  const { startDerivative } = options;
  if (startDerivative) gradient = plus(gradient, 1, apply(transpose(startDerivative), alpha));
  return { gradient, w };
}

/** The direct part of every step, judged by E right after it and discounted by γ for each step that followed. */
export function greedy(place: Place, steps: number, discount: number): Answer {
  const { model, rate, projection } = place;
  let before = place.start;
  let sum = model.outer.leader(before).map(() => 0);
  for (let t = 0; t < steps; t++) {
    const { w } = unrolled({ ...place, start: before }, { steps: 1 });
    const v = model.outer.gradient(w);
    const tangent = projection ? apply(projection.tangent, v) : v;
    sum = plus(
      sum.map((x) => x * discount),
      -rate,
      apply(model.inner.cross(before), tangent),
    );
    before = w;
  }
  return { gradient: plus(model.outer.leader(before), 1, sum), w: before };
}

/** ∇_λE − ∇²_λwL q with q from the Hessian and ∇_wE, at given weights. */
export function implicitAt(
  { inner, outer }: Model,
  w: Vector,
  solve: (hessian: Matrix, v: Vector) => Vector,
): Answer {
  const q = solve(inner.hessian(w), outer.gradient(w));
  return { gradient: plus(outer.leader(w), -1, apply(inner.cross(w), q)), w };
}

/** q = η Σ_{i<J} (I − ηH)^i v */
export const series =
  (terms: number, step: number) =>
  (hessian: Matrix, v: Vector): Vector => {
    let q = v.map(() => 0);
    let p = v;
    for (let i = 0; i < terms; i++) {
      q = plus(q, step, p);
      p = plus(p, -step, apply(hessian, p));
    }
    return q;
  };

/** q = (H + ρI)⁻¹ v */
export const damped =
  (rho: number) =>
  (hessian: Matrix, v: Vector): Vector =>
    solveDense(add(hessian, identity(v.length), rho), v);

/** Where gradient descent on L ends, by its own steps. */
export function innerSolution(place: Place, steps: number): Vector {
  return unrolled(place, { steps, keep: 0 }).w;
}

/** The root of a vector field near `from`, by Newton's method, or by the like with a nearby matrix. */
export function root(
  field: (w: Vector) => Vector,
  jacobian: (w: Vector) => Matrix,
  from: Vector,
): Vector {
  let w = from;
  for (let i = 0; i < 500; i++) {
    const step = solveDense(jacobian(w), field(w));
    w = plus(w, -1, step);
    if (Math.hypot(...step) <= 1e-15 * Math.hypot(1, ...w)) return w;
  }
  return w;
}

/** At y = argmin E + γL and z: ∇_λE(y) + γ(∇_λL(y) − ∇_λL(z)). */
export function penalized({ inner, outer }: Model, gamma: number, z: Vector): Answer {
  const y = root(
    (w) => plus(outer.gradient(w), gamma, inner.gradient(w)),
    (w) => add(outer.hessian(w), inner.hessian(w), gamma),
    z,
  );
  return { gradient: gapGradient({ inner, outer }, y, z, gamma), w: y };
}

/** At y = argmin E + γ‖∇L‖²: ∇_λE(y) + 2γ ∇²_λwL(y) ∇L(y). */
export function gradientPenalized({ inner, outer }: Model, gamma: number, from: Vector): Answer {
  const field = (w: Vector): Vector =>
    plus(outer.gradient(w), 2 * gamma, apply(inner.hessian(w), inner.gradient(w)));
  // Without the third derivatives, which vanish in quadratics; elsewhere the iteration is linear.
  const jacobian = (w: Vector): Matrix =>
    add(outer.hessian(w), multiply(inner.hessian(w), inner.hessian(w)), 2 * gamma);
  const w = root(field, jacobian, from);
  const pull = apply(inner.cross(w), inner.gradient(w));
  return { gradient: plus(outer.leader(w), 2 * gamma, pull), w };
}

/** At rest: ∇L(θ) + γ(θ − y) = 0 and ∇E(y)/c + ∇L(y) − γ(y − θ) = 0. */
export function enveloped(
  { inner, outer }: Model,
  penalty: number,
  weight: number,
  from: Vector,
): Answer {
  const n = from.length;
  const split = (both: Vector): [Vector, Vector] => [both.slice(0, n), both.slice(n)];
  const both = root(
    (both) => {
      const [y, theta] = split(both);
      const away = plus(y, -1, theta);
      return [
        ...plus(plus(inner.gradient(y), 1 / penalty, outer.gradient(y)), -weight, away),
        ...plus(inner.gradient(theta), -weight, away),
      ];
    },
    (both) => {
      const [y, theta] = split(both);
      const ofAnswer = add(
        add(inner.hessian(y), outer.hessian(y), 1 / penalty),
        identity(n),
        -weight,
      );
      const ofProximal = add(inner.hessian(theta), identity(n), weight);
      const coupling = identity(n, -weight);
      const back = identity(n, weight);
      return [
        ...ofAnswer.map((row, i) => [...row, ...back[i]!]),
        ...coupling.map((row, i) => [...row, ...ofProximal[i]!]),
      ];
    },
    [...from, ...from],
  );
  const [y, theta] = split(both);
  return { gradient: gapGradient({ inner, outer }, y, theta, penalty), w: y };
}

/** ψ = min_z L + (μ/2)‖z‖² + ε; y = argmin E + (θ/2)‖y‖² − τ ln(ψ − L(y)); z and y near the given weights. */
export function barred(
  { inner, outer }: Model,
  options: { tau: number; margin: number; mu: number; theta: number },
  from: Vector,
  valueFrom: Vector,
): Answer {
  const { tau, margin, mu, theta } = options;
  const eye = identity(from.length);
  const z = root(
    (z) => plus(inner.gradient(z), mu, z),
    (z) => add(inner.hessian(z), eye, mu),
    valueFrom,
  );
  const bound = inner.value(z) + (mu / 2) * dot(z, z) + margin;
  const value = (y: Vector): number => {
    const slack = bound - inner.value(y);
    if (slack <= 0) return Infinity;
    return outer.value(y) + (theta / 2) * dot(y, y) - tau * Math.log(slack);
  };
  // Newton's method with a line search, along the gradient where it does not lead down.
  let y = value(from) < Infinity ? from : z;
  for (let i = 0; i < 200; i++) {
    const slack = bound - inner.value(y);
    const ofInner = inner.gradient(y);
    const gradient = plus(plus(outer.gradient(y), theta, y), tau / slack, ofInner);
    const curved = add(add(outer.hessian(y), eye, theta), inner.hessian(y), tau / slack);
    const hessian = add(curved, outerProduct(ofInner, ofInner), tau / slack ** 2);
    const newton = solveDense(hessian, gradient);
    const step = dot(newton, gradient) > 0 ? newton : gradient;
    let length = 1;
    while (length > 1e-12 && value(plus(y, -length, step)) > value(y)) length /= 2;
    y = plus(y, -length, step);
  }
  const gamma = tau / (bound - inner.value(y));
  return { gradient: gapGradient({ inner, outer }, y, z, gamma), w: y };
}

/** The implicit gradient of φ = μE + (1 − μ)L at its minimizer. */
export function averaged({ inner, outer }: Model, mu: number, from: Vector): Answer {
  const hessian = (w: Vector): Matrix =>
    inner
      .hessian(w)
      .map((row, i) => row.map((v, j) => (1 - mu) * v + mu * outer.hessian(w)[i]![j]!));
  const y = root(
    (w) => inner.gradient(w).map((v, i) => (1 - mu) * v + mu * outer.gradient(w)[i]!),
    hessian,
    from,
  );
  const v = solveDense(hessian(y), outer.gradient(y));
  const cross = plus(
    apply(inner.cross(y), v).map((x) => (1 - mu) * x),
    mu,
    apply(outer.cross(y), v),
  );
  return { gradient: plus(outer.leader(y), -1, cross), w: y };
}

/** One BOME direction at the first weights: ∇_λE + m ∇_λq, with q's minimizer after some steps. */
export function bomeDirection(place: Place, steps: number, eta: number): Answer {
  const { inner, outer } = place.model;
  const y = place.start;
  const z = innerSolution(place, steps);
  const ofGap = [...plus(inner.leader(y), -1, inner.leader(z)), ...inner.gradient(y)];
  const ofOuter = [...outer.leader(y), ...outer.gradient(y)];
  const squared = dot(ofGap, ofGap);
  const multiplier = Math.max(eta * squared - dot(ofOuter, ofGap), 0) / squared;
  const m = outer.leader(y).length;
  return { gradient: plus(outer.leader(y), multiplier, ofGap.slice(0, m)), w: y };
}

/** ∇_λE(y) + γ(∇_λL(y) − ∇_λL(z)) */
function gapGradient({ inner, outer }: Model, y: Vector, z: Vector, gamma: number): Vector {
  return plus(outer.leader(y), gamma, plus(inner.leader(y), -1, inner.leader(z)));
}
