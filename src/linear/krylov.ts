/** What the Krylov methods share: their options, and the loop that makes one product after the other until the outcome is known. */
import type { OptionKind } from "../program/internal.ts";
import { checkOptions } from "../program/internal.ts";
import type { Program, Tree, Value } from "../program/index.ts";
import { finish, firstResidual, isRunning, type Progress } from "./progress.ts";
import {
  checkAtLeastZero,
  checkStopping,
  type LinearSolver,
  type LinearSystem,
  type Stopping,
} from "./system.ts";

/** Options of every Krylov method. */
export interface KrylovOptions extends Partial<Stopping> {
  /** Iterations at most; default 100. */
  readonly maxSteps?: number;
  /** δ ≥ 0 added to A's diagonal, on the scale of A's curvatures; it changes the system that is solved. Default 0, off. */
  readonly damping?: number;
}

/** The options with their defaults. */
export type FullKrylovOptions<O> = O & { readonly maxSteps: number; readonly damping: number };

/**
 * Checks options and fills in the defaults.
 *
 * @param more - kinds of the options that only this method has.
 * @throws RangeError or TypeError when an option is out of range or unknown.
 */
export function krylovOptions<O extends KrylovOptions>(
  name: string,
  options: O,
  more: Readonly<Record<string, OptionKind>> = {},
): FullKrylovOptions<O> {
  const kinds = { maxSteps: "number", damping: "number", rtol: "number", atol: "number" } as const;
  checkOptions<object>(name, options, { ...kinds, ...more } as never);
  const { maxSteps = 100, damping = 0 } = options;
  checkStopping(name, { ...options, maxSteps });
  checkAtLeastZero(`${name}: damping`, damping);
  return { ...options, maxSteps, damping };
}

/** What the loop knows of an iteration's state. */
interface Iterate {
  readonly q: Tree<Value>;
  readonly progress: Progress<Value>;
}

/**
 * Iterates from q = start until the outcome is known, `maxSteps` times at most.
 *
 * @param recurrence.first - the state before the first product, of q and b − A·q.
 * @param recurrence.next - the state after one more.
 */
export function krylovLoop<S extends Iterate>(
  program: Program,
  system: LinearSystem,
  options: FullKrylovOptions<Partial<Stopping>>,
  recurrence: {
    readonly first: (q: Tree<Value>, residual: Tree<Value>) => Tree<Value>;
    readonly next: (state: S) => Tree<Value>;
  },
): ReturnType<LinearSolver["solve"]> {
  const read = (state: Tree<Value>): S => state as unknown as S;
  const { start, residual } = firstResidual(program, system);
  const { carry, steps } = program.while(
    { limit: options.maxSteps },
    (state) => program.call(isRunning, read(state).progress.outcome),
    (state) => recurrence.next(read(state)),
    recurrence.first(start, residual),
  );
  const { q, progress } = read(carry);
  return finish(program, system, options, q, steps, progress);
}
