/** Nothing in the repository knows the machine it was written on, nor where packages came from. */
import { expect, test } from "vitest";
import { read, repositoryFiles } from "./repository.ts";

/** Absolute paths of somebody's machine; a path inside the repository has something before it. */
const machinePath = /(?<![\w.)\]}-])\/(?:work|tmp|root|home|Users)\//;
const registryHost = /\bregistry\.[a-z0-9-]+\.[a-z]/i;
const binary = /\.(?:png|jpe?g|gif|ico|woff2?|onnx|safetensors|gz|zip|wasm|npy|npz)$/;

const files = repositoryFiles().filter((path) => !binary.test(path));
/** Tests may name scratch paths: they make and remove them. */
const withoutTests = files.filter((path) => !path.startsWith("test/") && !/\.test\.ts$/.test(path));

function linesWith(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}`] : [])),
  );
}

test("no file outside the tests holds a path of a machine", () => {
  expect(withoutTests).toContain("package.json");
  expect(linesWith(withoutTests, machinePath)).toEqual([]);
});

test("no file holds the host of a package registry", () => {
  const own = "test/formalities/cleanliness.test.ts";
  expect(files).toContain("package-lock.json");
  expect(
    linesWith(
      files.filter((path) => path !== own),
      registryHost,
    ),
  ).toEqual([]);
});

test("the patterns find what they are for and leave the rest", () => {
  for (const line of ["cd /work/main", 'open("/tmp/x")', "=/root/a", "`/home/me/`", "/Users/me/"]) {
    expect(line).toMatch(machinePath);
  }
  for (const line of ["docs/work/a.md", "./tmp/x", "/usr/bin/env node", "${dir}/tmp/x"]) {
    expect(line).not.toMatch(machinePath);
  }
  expect("https://registry.example.org/a").toMatch(registryHost);
  expect("from a package registry. Then").not.toMatch(registryHost);
});
