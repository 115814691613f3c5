import { expect, test } from "vitest";
import { describeFailure, oneLine, UsageError } from "./errors.ts";

test("what a person can put right is exit code 2 and its own sentence", () => {
  expect(describeFailure(new UsageError("no such flag"))).toEqual({
    exitCode: 2,
    sentence: "no such flag",
  });
  const data = Object.assign(new Error("a.csv, line 3: ragged"), { code: "DATA" });
  expect(describeFailure(data)).toEqual({ exitCode: 2, sentence: "a.csv, line 3: ragged" });
  const missing = Object.assign(new Error("ENOENT: …"), { code: "ENOENT", path: "a.csv" });
  expect(describeFailure(missing)).toEqual({ exitCode: 2, sentence: "a.csv does not exist" });
});

test.each([
  ["ENOSPC", "the disk is full"],
  ["EFBIG", "it is longer than files may be here"],
])("%s names the file and says that earlier files are intact", (code, reason) => {
  const full = Object.assign(new Error(code), { code, path: "out/model.onnx" });
  const { exitCode, sentence } = describeFailure(full);
  expect(exitCode).toBe(2);
  expect(sentence).toBe(
    `out/model.onnx could not be written: ${reason}; files written earlier are intact`,
  );
});

test("everything else is a failure with code 1", () => {
  expect(describeFailure(new TypeError("x is not a function"))).toEqual({
    exitCode: 1,
    sentence: "internal error: x is not a function (STACKELBERG_DEBUG=1 shows the stack)",
  });
  expect(describeFailure("text").exitCode).toBe(1);
});

test("text from the data cannot steer the terminal or break the line", () => {
  expect(oneLine("a\u001b[2Jb\r\n  c\u0007\u009b")).toBe("a[2Jb c");
});
