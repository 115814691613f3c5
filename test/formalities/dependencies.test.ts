/** Installing the package runs nobody's scripts and gives everybody the same files. */
import { expect, test } from "vitest";
import { read, readJson, repositoryFiles } from "./repository.ts";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

const manifest = readJson("package.json") as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const lock = readJson("package-lock.json") as { packages: Record<string, Locked> };
const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
const locked = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Packages that bring an install script nobody needs; why is in docs/decisions/dependencies.md. */
const scriptsNotNeeded = ["esbuild", "onnxruntime-node", "protobufjs"];

test("every dependency has an exact version, the locked one", () => {
  expect(direct.length).toBeGreaterThan(0);
  for (const [name, version] of direct) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
});

test("the lock file holds checksums and no hosts", () => {
  expect(locked.length).toBeGreaterThan(direct.length);
  expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual(
    [],
  );
  expect(
    locked.filter(([, { integrity, link }]) => !integrity && !link).map(([path]) => path),
  ).toEqual([]);
});

test("install scripts are switched off, and only known packages have one", () => {
  expect(read(".npmrc").split("\n")).toContain("ignore-scripts=true");
  const withScript = locked
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(withScript.filter((name) => !scriptsNotNeeded.includes(name))).toEqual([]);
});

test("the decision record has a line for every direct dependency, with its version", () => {
  expect(repositoryFiles()).toContain("docs/decisions/dependencies.md");
  const record = read("docs/decisions/dependencies.md");
  for (const [name, version] of direct) {
    const lines = record.split("\n").filter((line) => line.includes(`\`${name}\``));
    expect(
      lines.some((line) => line.includes(version)),
      `${name} ${version}`,
    ).toBe(true);
  }
});
