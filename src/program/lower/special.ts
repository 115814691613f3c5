import type { Lower } from "./context.ts";

const single =
  (op: string): Lower =>
  (context, { inputs }) => [context.node(op, [context.name(inputs[0]!)])];

export const arcsine: Lower = single("Asin");
export const arctangent: Lower = single("Atan");
export const errorFunction: Lower = single("Erf");
export const complementaryErrorFunction: Lower = (context, { inputs, outputs }) => [
  context.node("Sub", [
    context.scalar(1, outputs[0]!.dtype),
    context.node("Erf", [context.name(inputs[0]!)]),
  ]),
];
