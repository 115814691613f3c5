/**
 * A model of a table. The generated table has six columns that carry the target and 41 that are noise; which is which, it
 * says. `tune` gives every column a coefficient of its own, by hypergradients of the held-out loss, and trains on all rows.
 */
import { demoTable, exportModel, predictTable, tune } from "../src/automl/index.ts";

const { table, target, informative, noise } = demoTable();
const { model, inputs, methods, chosen } = await tune(table, {
  target,
  repeats: 1,
  steps: 40,
  threads: 1,
});

// How strongly each column is held back, from 0 to 1: the noise more than what carries the target.
const shrinkage = (names: readonly string[]): number =>
  inputs
    .filter(({ name }) => names.includes(name))
    .reduce((sum, { numbers }) => sum + numbers["shrinkage"]! / names.length, 0);
console.log(`${chosen.what}; test RMSE ${chosen.expected!.mean.toFixed(3)}`);
console.log(
  `shrinkage: signal ${shrinkage(informative).toFixed(2)}, noise ${shrinkage(noise).toFixed(2)}`,
);

// The model is plain data: it predicts here, and as an ONNX file on raw columns anywhere.
const prediction = predictTable(model, table);
const file = exportModel(model);

if (
  prediction.task !== "regression" ||
  prediction.values.length !== table.rowCount ||
  file.length === 0
) {
  throw new Error("a prediction for every row was expected");
}
// One coefficient per column leaves the noise out and the signal in, which a single one for all columns cannot.
const rmse = (method: string): number =>
  methods.find((one) => one.method === method)!.test["rmse"]!.mean;
if (!(shrinkage(noise) > 3 * shrinkage(informative) && rmse("hypergradient") < rmse("grid"))) {
  throw new Error("the columns that carry the target were not found");
}
