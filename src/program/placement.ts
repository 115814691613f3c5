/** Where a program runs, and which optimizations it gets: the options that every function of the library passes on. */
import type { OptimizeOptions } from "./program.ts";
import type { SessionOptions } from "./hosts/host.ts";

/** Where a program runs and how it is optimized; see the session's and the program's options. */
export type Placement = Pick<SessionOptions, "device" | "threads" | "flushDenormals"> &
  OptimizeOptions;

/** The placement among other options; what is not given is not there. */
export function placementOf(options: Placement): Placement {
  const { device, threads, flushDenormals, optimize, blockedKernels } = options;
  return {
    ...(device && { device }),
    ...(threads !== undefined && { threads }),
    ...(flushDenormals && { flushDenormals }),
    ...(optimize === false && { optimize }),
    ...(blockedKernels === false && { blockedKernels }),
  };
}
