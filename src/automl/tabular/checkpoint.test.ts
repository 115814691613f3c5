import { expect, test } from "vitest";
import { DataError } from "../../data/index.ts";
import { fromBase64, toBase64 } from "../families/base64.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import type { TuneCheckpoint } from "./record.ts";

const checkpoint: TuneCheckpoint = {
  version: 2,
  fingerprint: "0123456789abcdef",
  seconds: 1.5,
  splits: [
    [
      {
        method: "default",
        seconds: 0.1,
        validationLoss: 0.1 + 0.2,
        test: { rocAuc: NaN, r2: -Infinity, rmse: 1e-300 },
        testLoss: 1 / 3,
        config: { logCoefficient: [Math.fround(-7.3), -0], single: Infinity },
        cut: false,
      },
    ],
    [],
  ],
  outer: [{ repeat: 1, state: toBase64(Uint8Array.of(0, 255, 7)), history: [] }],
};

test("every number comes back exactly, also those that JSON lacks", () => {
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toStrictEqual(checkpoint);
});

test("bytes survive base64, more than one call's arguments of them", () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});

test.each([
  ["nonsense", /not JSON/],
  ["{}", /version none came/],
  ['{"version":9,"fingerprint":"x","splits":[],"outer":[]}', /version 9 came/],
  ['{"version":1,"fingerprint":"x","splits":[],"outer":[]}', /version 1 came; start a new run/],
  ["null", /version none came/],
  ['{"version":2,"fingerprint":"x","seconds":0,"splits":[]}', /at outer: .* was expected/],
  [
    '{"version":2,"fingerprint":"x","seconds":0,"splits":[[{"method":7}]],"outer":[]}',
    /at splits\.0\.0\.method: string was expected, 7 came/,
  ],
])("%s is refused", (text, message) => {
  expect(() => decodeCheckpoint(text, "dir/checkpoint.json")).toThrow(message);
  expect(() => decodeCheckpoint(text, "dir/checkpoint.json")).toThrow(DataError);
});
