/** The columns of the matrix: P1 to P14, weights with independent leaves, and networks; with what is exact on each. */
import type { Column } from "./column.ts";
import { p12, p12Moving, p12Plane } from "./problems-confined.ts";
import { p10, p11, p7, p8, p9 } from "./problems-counterexamples.ts";
import { p1, p2, p2Saddle, p3, p5, p6, withInit } from "./problems-quadratic.ts";
import { leaves } from "./problems-leaves.ts";
import { motions, networks } from "./problems-network.ts";
import { p13, p14, p4 } from "./problems-regression.ts";

/** Every column, in order. */
export const columns: readonly Column[] = [
  p1(),
  p2(),
  p2Saddle(),
  p3(),
  p4(),
  p5(),
  p6(),
  p7(),
  p8(),
  p9(),
  p10(),
  p11(),
  p12("P12 free", "a bound that is not active", 0.3),
  p12("P12 bound", "a bound that is active", 2),
  p12Plane(),
  p12Moving(),
  p13(),
  p14(),
  withInit(),
  leaves(),
  ...networks(),
  ...motions(),
];
