/** Formulas over named scalars-or-arrays of one floating-point type, written as ONNX nodes. */
import type { DType } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";

export interface Arithmetic {
  readonly number: (value: number) => string;
  readonly add: (x: string, y: string) => string;
  readonly sub: (x: string, y: string) => string;
  readonly mul: (x: string, y: string) => string;
  readonly div: (x: string, y: string) => string;
  /** Any one-operand node: Abs, Neg, Exp, Sqrt, Floor. */
  readonly apply: (op: string, x: string) => string;
  readonly less: (x: string, bound: number) => string;
  readonly where: (condition: string, x: string, y: string) => string;
  /** Σ coefficients[i] xⁱ, by Horner's rule. */
  readonly polynomial: (x: string, coefficients: readonly number[]) => string;
}

export function arithmetic(context: OperationContext, dtype: DType): Arithmetic {
  const number = (value: number): string => context.scalar(value, dtype);
  const binary =
    (op: string) =>
    (x: string, y: string): string =>
      context.node(op, [x, y]);
  const [add, mul] = [binary("Add"), binary("Mul")];
  return {
    number,
    add,
    mul,
    sub: binary("Sub"),
    div: binary("Div"),
    apply: (op, x) => context.node(op, [x]),
    less: (x, bound) => context.node("Less", [x, number(bound)]),
    where: (condition, x, y) => context.node("Where", [condition, x, y]),
    polynomial(x, coefficients) {
      const [highest, ...rest] = coefficients.toReversed();
      return rest.reduce((sum, c) => add(mul(sum, x), number(c)), number(highest!));
    },
  };
}
