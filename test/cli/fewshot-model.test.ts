// The few-shot model that comes with the package labels drawings it has never seen, from one example each.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { expect, test } from "vitest";
import { readModel } from "../../src/fewshot/model-files/model-file.ts";
import { randomKey, randomStream } from "../../src/data/index.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const side = 105;
const stream = randomStream(randomKey(4, "strokes"));

type Point = readonly [x: number, y: number];

/** Strokes in the unit square, y downwards. */
const glyphs: Readonly<Record<string, readonly (readonly Point[])[]>> = {
  cross: [
    [
      [0.2, 0.2],
      [0.8, 0.8],
    ],
    [
      [0.8, 0.2],
      [0.2, 0.8],
    ],
  ],
  ring: [
    Array.from({ length: 25 }, (_, i) => {
      const angle = (i * Math.PI) / 12;
      return [0.5 + 0.3 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle)] as const;
    }),
  ],
  hook: [
    [
      [0.3, 0.15],
      [0.3, 0.8],
      [0.75, 0.8],
    ],
  ],
  zigzag: [
    [
      [0.2, 0.25],
      [0.8, 0.25],
      [0.2, 0.75],
      [0.8, 0.75],
    ],
  ],
  fork: [
    [
      [0.5, 0.85],
      [0.5, 0.5],
      [0.2, 0.15],
    ],
    [
      [0.5, 0.5],
      [0.8, 0.15],
    ],
  ],
};

test("five glyphs by one example each", async () => {
  const asked: { path: string; name: string }[] = [];
  for (const [name, strokes] of Object.entries(glyphs)) {
    mkdirSync(join(folder, "support", name), { recursive: true });
    writeFileSync(join(folder, "support", name, "0.png"), drawn(strokes));
    for (let i = 1; i <= 6; i++) {
      const path = join(folder, `${name}-${i}.png`);
      writeFileSync(path, drawn(strokes));
      asked.push({ path, name });
    }
  }
  const done = await stackelberg([
    ...["fewshot", "predict", "--support", join(folder, "support"), "--threads", "1"],
    ...["--images", ...asked.map(({ path }) => path)],
  ]);
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
  const lines = done.stdout.trimEnd().split("\n").slice(1);
  const right = asked.filter(({ path, name }, i) => lines[i]!.startsWith(`${path},${name},`));
  // All 30 were right where this was written; chance is 6.
  expect(right.length).toBeGreaterThanOrEqual(28);
});

test.each(["hyper-representation-20way-1shot", "prototypical-20way-1shot"])(
  "%s is small and says how it was made",
  async (name) => {
    const path = new URL(`../../models/omniglot-${name}.safetensors`, import.meta.url);
    expect(statSync(path).size).toBeLessThan(2e6);
    const { settings, shape, validation, episodes } = await readModel(fileURLToPath(path));
    expect(`${settings.learner}-${settings.ways}way-${settings.shots}shot`).toBe(name);
    expect([settings.data, settings.split, shape.classes]).toEqual([
      "omniglot",
      "1200/100/323",
      4800,
    ]);
    expect(validation.mean).toBeGreaterThan(0.9);
    expect(episodes).toBeGreaterThan(0);
  },
);

/** One more drawing of a glyph: stretched, moved, turned and with a trembling hand; dark on light. */
function drawn(strokes: readonly (readonly Point[])[]): Uint8Array {
  const data = new Uint8Array(side * side).fill(255);
  const around = (size: number): number => size * (stream.uniform() - 0.5);
  const [width, height, right, down] = [1 + around(0.3), 1 + around(0.3), around(0.1), around(0.1)];
  const tilt = around(0.4);
  const move = ([x, y]: Point): Point => {
    const [u, v] = [(x - 0.5) * width, (y - 0.5) * height];
    return [
      0.5 + right + u * Math.cos(tilt) - v * Math.sin(tilt) + around(0.05),
      0.5 + down + u * Math.sin(tilt) + v * Math.cos(tilt) + around(0.05),
    ];
  };
  for (const stroke of strokes) {
    const points = stroke.map(move);
    for (let k = 1; k < points.length; k++) line(data, points[k - 1]!, points[k]!);
  }
  return encode({ width: side, height: side, data, channels: 1 });
}

/** A line three pixels wide. */
function line(data: Uint8Array, [x0, y0]: Point, [x1, y1]: Point): void {
  for (let i = 0; i <= 2 * side; i++) {
    const t = i / (2 * side);
    const column = Math.round((x0 + t * (x1 - x0)) * side);
    const row = Math.round((y0 + t * (y1 - y0)) * side);
    for (let r = Math.max(0, row - 1); r <= Math.min(side - 1, row + 1); r++) {
      data.fill(0, r * side + Math.max(0, column - 1), r * side + Math.min(side, column + 2));
    }
  }
}
