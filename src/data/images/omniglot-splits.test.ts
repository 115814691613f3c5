import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cumulate, type ImageSet, type ImageSplits } from "./image-set.ts";
import { type OmniglotSplit, splitOmniglot } from "./omniglot-splits.ts";

/** One-pixel drawings, one a character, in the alphabets that matter to Vinyals' split. */
function charactersOf(names: readonly string[]): ImageSet {
  return {
    height: 1,
    width: 1,
    channels: 1,
    classes: names,
    offsets: cumulate(names.map(() => 1)),
    pixels: Uint8Array.from(names, (_, i) => i),
  };
}

const plain = charactersOf(Array.from({ length: 1623 }, (_, i) => `A/character${i}`));

function sizes({ train, validation, test }: ImageSplits): number[] {
  return [train, validation, test].map((part) => part.classes.length);
}

function names({ train, validation, test }: ImageSplits): string[] {
  return [train, validation, test].flatMap((part) => part.classes);
}

test.each<[OmniglotSplit, number[]]>([
  ["1200/100/323", [1200, 100, 323]],
  ["1100/100/423", [1100, 100, 423]],
  ["1200/423", [1200, 0, 423]],
])("%s cuts one shuffle; every character is in one part", (split, expected) => {
  const parts = splitOmniglot(plain, { split, rotations: false });
  expect(sizes(parts)).toEqual(expected);
  expect(names(parts).toSorted()).toEqual(plain.classes.toSorted());
  expect(names(parts)).toEqual(names(splitOmniglot(plain, { rotations: false })));
  expect(names(parts)).not.toEqual(plain.classes);
  expect(names(splitOmniglot(plain, { split, rotations: false, seed: 1 }))).not.toEqual(
    names(parts),
  );
});

test("turned characters stay in the part of the upright one", () => {
  const upright = splitOmniglot(plain, { rotations: false });
  const turned = splitOmniglot(plain);
  expect(sizes(turned)).toEqual([4800, 400, 1292]);
  expect(turned.test.classes).toEqual(
    upright.test.classes.flatMap((name) =>
      ["000", "090", "180", "270"].map((degrees) => `${name}/rot${degrees}`),
    ),
  );
  expect(sizes(splitOmniglot(plain, { split: "1200/423" }))).toEqual([4800, 0, 1692]);
});

test("other sets are refused", () => {
  const few = charactersOf(["A/character01"]);
  expect(() => splitOmniglot(few)).toThrow("needs the 1623 characters of Omniglot, the set has 1");
});

const data = process.env["STACKELBERG_DATA"];
const reason = data === undefined ? " (needs STACKELBERG_DATA, a folder with omniglot/)" : "";

describe.skipIf(data === undefined)(`published lists${reason}`, () => {
  test("Vinyals' characters are those of the lists of prototypical networks", async () => {
    const read = async (name: string): Promise<string> =>
      readFile(join(data!, "omniglot", name), "utf8");
    const { characters } = JSON.parse(await read("characters.json")) as {
      characters: { alphabet: string; character: string }[];
    };
    const set = charactersOf(characters.map((c) => `${c.alphabet}/${c.character}`));
    const parts = splitOmniglot(set, { split: "vinyals" });
    expect(sizes(parts)).toEqual([4112, 688, 1692]);
    for (const [part, file] of [
      ["train", "train"],
      ["validation", "val"],
      ["test", "test"],
    ] as const) {
      const list = (await read(`splits/vinyals/${file}.txt`)).trim().split("\n");
      expect(parts[part].classes.toSorted()).toEqual(list.toSorted());
    }
  });
});
