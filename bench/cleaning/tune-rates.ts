/**
 * Chooses the leader's rates of leader-rates.ts: `node --import tsx bench/cleaning/tune-rates.ts [gradients] [titles]`. Of
 * 0.01, 0.03, 0.1, 0.3 and 1, the best by the F1 of the kept rows on 1,000 training and 1,000 validation rows of MNIST drawn with
 * seed 9; no reported row takes part.
 */
import { scoreKept } from "./score.ts";
import { search } from "./clean.ts";
import { cleaningTask } from "./data.ts";
import { methods } from "./methods.ts";

const [gradients = "1000", titles] = process.argv.slice(2);
const rows = 1000;
const task = await cleaningTask(process.env["STACKELBERG_DATA"]!, "mnist", {
  training: rows,
  validation: rows,
  test: 10,
  rate: 0.5,
  seed: 9,
});
for (const [title, method] of Object.entries(methods(rows))) {
  if (titles !== undefined && !titles.split(";").includes(title)) continue;
  const tried = [];
  for (const leaderRate of [0.01, 0.03, 0.1, 0.3, 1]) {
    const { found } = await search(task, method, {
      gradients: Number(gradients),
      leaderRate,
    });
    const { f1 } = scoreKept(found.lambda.data as Float32Array, task.isWrong);
    tried.push({ leaderRate, f1 });
  }
  const best = tried.reduce((a, b) => (b.f1 > a.f1 ? b : a));
  const list = tried.map(({ leaderRate, f1 }) => `${leaderRate}: ${f1.toFixed(4)}`).join(", ");
  process.stdout.write(`  ${JSON.stringify(title)}: ${best.leaderRate}, // ${list}\n`);
}
