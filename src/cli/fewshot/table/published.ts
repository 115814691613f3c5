// What papers report on Omniglot, to stand beside a result. Their encoders, splits and lengths of training differ.

import type { LearnerName, TrainSettings } from "../../../fewshot/internal.ts";

/** Accuracy in percent as printed in the paper, and where. */
export interface Published {
  accuracy: string;
  source: string;
}

/** In the order 5-way 1-shot, 5-way 5-shot, 20-way 1-shot, 20-way 5-shot. */
const rows: Partial<Record<LearnerName, { accuracies: readonly string[]; source: string }>> = {
  "hyper-representation": {
    accuracies: ["98.6", "99.5", "95.5", "98.4"],
    source: "Franceschi et al., ICML 2018",
  },
  maml: {
    accuracies: ["98.7 ± 0.4", "99.9 ± 0.1", "95.8 ± 0.3", "98.9 ± 0.2"],
    source: "Finn et al., ICML 2017",
  },
  "first-order-maml": {
    accuracies: ["98.3 ± 0.5", "99.2 ± 0.2", "89.4 ± 0.5", "97.9 ± 0.1"],
    source: "Nichol et al., arXiv:1803.02999",
  },
  imaml: {
    accuracies: ["99.16 ± 0.35", "99.67 ± 0.12", "94.46 ± 0.42", "98.69 ± 0.10"],
    source: "Rajeswaran et al., NeurIPS 2019, with gradient descent inside",
  },
  reptile: {
    accuracies: ["97.68 ± 0.04", "99.48 ± 0.06", "89.43 ± 0.14", "97.12 ± 0.32"],
    source: "Nichol et al., arXiv:1803.02999",
  },
  prototypical: {
    accuracies: ["98.8", "99.7", "96.0", "98.9"],
    source: "Snell et al., NIPS 2017",
  },
  matching: {
    accuracies: ["98.1", "98.9", "93.8", "98.5"],
    source: "Vinyals et al., NIPS 2016",
  },
};

/** The published result for a learner's test on Omniglot, where there is one. */
export function publishedResult(
  { data, learner }: Pick<TrainSettings, "data" | "learner">,
  { ways, shots }: Pick<TrainSettings, "ways" | "shots">,
): Published | undefined {
  const row = rows[learner];
  const at = ["5-1", "5-5", "20-1", "20-5"].indexOf(`${ways}-${shots}`);
  if (data !== "omniglot" || row === undefined || at < 0) return undefined;
  return { accuracy: row.accuracies[at]!, source: row.source };
}
