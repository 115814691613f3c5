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
import { dot, plus, products, type Model, type Vector } from "./model.ts";
import type { Motion } from "./motions.ts";

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
  /** Other dynamics than gradient descent, and the model at other λ, which their theory is differenced over. */
  readonly moved?: Moved;
}

/** Dynamics other than gradient descent, around λ. */
export interface Moved {
  readonly motion: Motion;
  readonly lambda: Vector;
  readonly at: (lambda: Vector) => Model;
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
export function unrolled(place: Place, options: Unrolled): Answer {
  const { model, start, rate, projection } = place;
  if (place.moved) return unrolledByDifferences(place, place.moved, options);
  const { inner, outer } = model;
  const share = options.share ?? (() => 0);
  const mix = (t: number, ofInner: Vector, ofOuter: Vector): Vector =>
    ofInner.map((v, i) => (1 - Math.abs(share(t))) * v + share(t) * ofOuter[i]!);
  const states = [start];
  for (let t = 0; t < options.steps; t++) {
    const w = states[t]!;
    const ofInner = inner.gradient(w);
    const ofOuter = share(t) === 0 ? ofInner : outer.gradient(w);
    const moved = plus(w, -rate, mix(t, ofInner, ofOuter));
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
    const ofInner = products(inner, at, beta);
    // What has no share is not computed.
    const ofOuter = share(t) === 0 ? ofInner : products(outer, at, beta);
    gradient = plus(gradient, -rate, mix(t, ofInner.cross, ofOuter.cross));
    alpha = plus(beta, -rate, mix(t, ofInner.hessian, ofOuter.hessian));
  }
  const { startDerivative } = options;
  if (startDerivative) gradient = plus(gradient, 1, apply(transpose(startDerivative), alpha));
  return { gradient, w };
}

/** The same for any dynamics: the derivative of E after the steps that count, by differences over λ. */
function unrolledByDifferences(
  { model, start }: Place,
  { motion, lambda, at }: Moved,
  options: Unrolled,
): Answer {
  const n = start.length;
  const share = options.share ?? (() => 0);
  const move = (at: Model, lambda: Vector, state: Vector, t: number): Vector => {
    const w = state.slice(0, n);
    const ofOuter = share(t) === 0 ? w.map(() => 0) : at.outer.gradient(w);
    const mixed = at.inner
      .gradient(w)
      .map((g, i) => (1 - Math.abs(share(t))) * g + share(t) * ofOuter[i]!);
    return motion.step(state, mixed, lambda, t);
  };
  const states = [motion.start(start)];
  for (let t = 0; t < options.steps; t++) states.push(move(model, lambda, states[t]!, t));
  const values = states.slice(1).map((state) => model.outer.value(state.slice(0, n)));
  const last = options.isCut ? values.indexOf(Math.max(...values)) + 1 : options.steps;
  const first = last - (options.keep ?? last);
  const valueAt = (x: Vector): number => {
    const moved = at(x);
    let state = states[first]!;
    for (let t = first; t < last; t++) state = move(moved, x, state, t);
    return moved.outer.value(state.slice(0, n));
  };
  const gradient = differences((x) => [valueAt(x)], lambda).map(([slope]) => slope!);
  return { gradient, w: states[last]!.slice(0, n) };
}

/** ∂f/∂x_k for each k, by central differences of fourth order: the error is h⁴/30 times a fifth derivative, and 1e-16/h. */
function differences(f: (x: Vector) => Vector, x: Vector): Vector[] {
  return x.map((v, k) => {
    // Adam takes roots of small numbers: the step stays small beside them.
    const h = 3e-4 * (v === 0 ? 1 : Math.min(1, 10 * Math.abs(v)));
    const at = (s: number): Vector => f(x.map((v, i) => (i === k ? v + s * h : v)));
    const [far, near, back, behind] = [at(2), at(1), at(-1), at(-2)];
    return near!.map((_, i) => (8 * (near![i]! - back![i]!) - (far![i]! - behind![i]!)) / (12 * h));
  });
}

/** ∇_λE + (∂Φ/∂λ)ᵀq with (I − ∂Φ/∂state)ᵀq = ∇E, after some steps, for dynamics other than gradient descent. */
export function throughMotion({ model, start }: Place, moved: Moved, steps: number): Answer {
  const { motion, lambda, at } = moved;
  const n = start.length;
  const step = (state: Vector, x: Vector, t: number): Vector =>
    motion.step(state, at(x).inner.gradient(state.slice(0, n)), x, t);
  let state = motion.start(start);
  for (let t = 0; t < steps; t++) state = step(state, lambda, t);
  const last = steps - 1;
  // Rows: inputs; columns: outputs. That is the transposed Jacobian already.
  const byState = differences((s) => step(s, lambda, last), state);
  const byLeader = differences((x) => step(state, x, last), lambda);
  const w = state.slice(0, n);
  const alpha = [...model.outer.gradient(w), ...state.slice(n).map(() => 0)];
  const q = solveDense(add(identity(state.length), byState, -1), alpha);
  return { gradient: plus(model.outer.leader(w), 1, apply(byLeader, q)), w };
}

/** The direct part of every step, judged by E right after it and discounted by γ for each step that followed. */
export function greedy(place: Place, steps: number, discount: number): Answer {
  const { model, rate, projection } = place;
  if (place.moved) return greedyByDifferences(place, place.moved, steps, discount);
  let before = place.start;
  let sum = model.outer.leader(before).map(() => 0);
  for (let t = 0; t < steps; t++) {
    const { w } = unrolled({ ...place, start: before }, { steps: 1, keep: 0 });
    const v = model.outer.gradient(w);
    const tangent = projection ? apply(projection.tangent, v) : v;
    sum = plus(
      sum.map((x) => x * discount),
      -rate,
      products(model.inner, before, tangent).cross,
    );
    before = w;
  }
  return { gradient: plus(model.outer.leader(before), 1, sum), w: before };
}

function greedyByDifferences(
  { model, start }: Place,
  { motion, lambda, at }: Moved,
  steps: number,
  discount: number,
): Answer {
  const weights = (state: Vector): Vector => state.slice(0, start.length);
  let state = motion.start(start);
  let sum = lambda.map(() => 0);
  for (let t = 0; t < steps; t++) {
    const before = state;
    const step = (x: Vector): Vector =>
      motion.step(before, at(x).inner.gradient(weights(before)), x, t);
    const direct = differences((x) => [model.outer.value(weights(step(x)))], lambda);
    sum = sum.map((v, k) => discount * v + direct[k]![0]!);
    state = step(lambda);
  }
  const w = weights(state);
  return { gradient: plus(model.outer.leader(w), 1, sum), w };
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
