// The report's account of the hypergradient rule and, where the adviser picked it, of the choice.

import type { TuneResult } from "../../automl/index.ts";
import { adviceSentence, alternatives, ruleSentences } from "./rule-text.ts";
import { html, type Html } from "../page/html.ts";

/** The rule, what it reported and cost, and the adviser's reasons. */
export function ruleSection(result: TuneResult): Html | undefined {
  if (result.rule === undefined) return undefined;
  const { advice } = result.rule;
  const others = advice === undefined ? [] : alternatives(advice);
  return html`<section class="long">
    <h2>How the hypergradients were computed</h2>
    ${ruleSentences(result).map((sentence) => html`<p>${sentence}</p>`)}
    ${advice && html`<p>${adviceSentence(advice)}</p>`}
    ${
      others.length > 0 &&
      html`<p>The others, best first:</p>
        <ul class="notes">
          ${others.map((text) => html`<li>${text}</li>`)}
        </ul>`
    }
  </section>`;
}
