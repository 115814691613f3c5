import { expect, test } from "vitest";
import { whyNotParsed } from "./json-limits.ts";

const why = (text: string, isOurs = false): string | undefined =>
  whyNotParsed(new TextEncoder().encode(text), isOurs);

test("depth counts open objects and arrays outside strings", () => {
  expect(why(`${"[".repeat(100)}${"]".repeat(100)}`)).toBeUndefined();
  expect(why("[".repeat(101))).toBe("it nests more than 100 levels deep");
  expect(why(`{"a":`.repeat(101), true)).toBe("it nests more than 100 levels deep");
  expect(why(`["${"[".repeat(200)}", "\\"${"{".repeat(200)}"]`)).toBeUndefined();
  expect(why("[[],".repeat(60))).toBeUndefined();
  expect(why("[],".repeat(1000))).toBeUndefined();
});

test("length counts only where no checksum shows that the file is ours", () => {
  const long = " ".repeat(16_000_001);
  expect(why(long)).toMatch(/it has 16000001 bytes, at most 16000000 are read without a checksum/);
  expect(why(long, true)).toBeUndefined();
});
