import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { DamagedFileError, openSealedJson, sealJson } from "./sealed-json.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const open = (bytes: Uint8Array): ReturnType<typeof openSealedJson> =>
  openSealedJson(bytes, "a.json", "make it again");
const document = {
  version: 1,
  name: 'é "} checksum',
  list: [1, { checksum: "x" }],
  deep: { a: {} },
};

test.each([undefined, 1, 2])("what is sealed is read back, laid out with %s", (space) => {
  const text = sealJson(`${JSON.stringify(document, undefined, space)}\n`);
  expect(open(bytesOf(text))).toEqual({ value: document, sealed: true });
  // It stays JSON for everyone else.
  expect(JSON.parse(text)).toMatchObject(document);
});

property.prop([fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })])(
  "any object survives",
  (value) => {
    const text = JSON.stringify({ ...value, x: 1 });
    const { checked: _, checksum: __, ...rest } = JSON.parse(text) as Record<string, unknown>;
    expect(open(bytesOf(sealJson(JSON.stringify(rest)))).value).toEqual(rest);
  },
);

test("every bit, every cut and every addition is noticed", () => {
  const bytes = bytesOf(sealJson(JSON.stringify(document, undefined, 1)));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => open(damaged), `bit ${bit}`).toThrow(DamagedFileError);
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(() => open(bytes.subarray(0, length)), `cut at ${length}`).toThrow(DamagedFileError);
  }
  for (const more of [[10], [32], [0], [125], [10, 10]]) {
    expect(() => open(Uint8Array.of(...bytes, ...more))).toThrow(DamagedFileError);
    expect(() => open(Uint8Array.of(...more, ...bytes))).toThrow(DamagedFileError);
  }
});

test("a file laid out anew is refused, one of an older version is read", () => {
  const sealed = JSON.parse(sealJson(JSON.stringify(document))) as unknown;
  expect(() => open(bytesOf(JSON.stringify(sealed, undefined, 4)))).toThrow(
    "a.json is damaged or was changed: its contents do not fit its checksum; make it again",
  );
  expect(open(bytesOf(JSON.stringify(document)))).toEqual({ value: document, sealed: false });
  expect(() => open(bytesOf("{"))).toThrow(/^a\.json is damaged: it is not JSON; make it again$/);
});
