/** What each method achieved over the splits that it finished. */
import { meanInterval } from "../../data/index.ts";
import type { MethodInfo } from "../families/method.ts";
import type { MethodRecord } from "./record.ts";
import type { MethodResult } from "./types.ts";

/** Methods are finished in order on each split and splits in order, so position i is split i. */
export function methodResults(
  records: readonly (readonly MethodRecord[])[],
  methods: readonly MethodInfo[],
  testFraction: number,
): MethodResult[] {
  return methods.flatMap(({ name: method, title, called, role }) => {
    const found = records.flatMap((split) => split.filter((record) => record.method === method));
    if (found.length === 0) return [];
    const test: MethodResult["test"] = {};
    for (const metric of Object.keys(found[0]!.test)) {
      const values = found.map((record) => record.test[metric]!);
      const { mean, halfWidth } = meanInterval(values, { testFraction });
      test[metric] = { values, mean, halfWidth };
    }
    const holds = found.flatMap(({ outer }) => (outer === undefined ? [] : outer.hold.share));
    return {
      method,
      title,
      called,
      role,
      seconds: found.map((record) => record.seconds),
      validationLoss: found.map((record) => record.validationLoss),
      test,
      ...(role === "search" ? { shares: holds } : {}),
    };
  });
}
