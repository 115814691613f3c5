// One linter, with type information: what matters most here is a forgotten `await`. Formatting is
// Prettier's business and has no rules in this file.
import tseslint from "typescript-eslint";

/** Rules of ESLint itself that TypeScript does not already check. */
const core = {
  eqeqeq: "error",
  "no-cond-assign": "error",
  "no-constant-binary-expression": "error",
  "no-constant-condition": ["error", { checkLoops: false }],
  "no-control-regex": "error",
  "no-debugger": "error",
  "no-duplicate-case": "error",
  "no-empty": "error",
  "no-fallthrough": "error",
  "no-irregular-whitespace": "error",
  "no-prototype-builtins": "error",
  "no-self-assign": "error",
  "no-sparse-arrays": "error",
  "no-unmodified-loop-condition": "error",
  "no-unsafe-finally": "error",
  "no-unused-labels": "error",
  "no-useless-escape": "error",
  "use-isnan": "error",
  "valid-typeof": "error",
};

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "docs/api/", "node_modules/", "stackelberg-*/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...core,
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Randomness comes from an explicit key." },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      // TypeScript's noUnusedLocals and noUnusedParameters say the same thing once.
      "@typescript-eslint/no-unused-vars": "off",
      // The house leaves noUncheckedIndexedAccess off and still marks filled array reads with `!`.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unnecessary-type-assertion": "off",
      // A function may be async for its interface alone: a rejected promise instead of a throw.
      "@typescript-eslint/require-await": "off",
      // Values, shapes and trees say themselves in messages; no-base-to-string catches the rest.
      "@typescript-eslint/restrict-template-expressions": "off",
      // Rules and optimizers are plain values: their functions never read `this`.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/cli/**", "**/*.test.ts"],
    rules: { "no-console": "error" },
  },
  {
    // jax-js pairs outputs with cotangents wrongly: docs/decisions/derivatives.md. Two others find its inner classes.
    files: ["src/**/*.ts"],
    ignores: [
      "src/program/derivatives.ts",
      "src/program/trace/ownership.ts",
      "src/program/trace/integer-remainder.ts",
      "**/*.test.ts",
    ],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [
            {
              name: "@jax-js/jax",
              importNames: [
                "grad",
                "hessian",
                "jacfwd",
                "jacobian",
                "jvp",
                "linearize",
                "valueAndGrad",
                "vjp",
              ],
              message: "Every derivative of the library goes through src/program/derivatives.ts.",
            },
          ],
        },
      ],
    },
  },
  {
    // What a test reads from JSON it checks by comparing it.
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  { files: ["**/*.js"], rules: core },
);
