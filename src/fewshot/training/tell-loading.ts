// How far the reading of images is, as events.

import type { ImageOptions } from "../../data/index.ts";
import type { RunHappening } from "../../study/index.ts";

/** Options of the reading that tell its progress and what was left out. */
export function tellLoading(
  tell: (event: RunHappening) => unknown,
): Required<Pick<ImageOptions, "onNote" | "onProgress">> {
  return {
    onProgress({ stage, done, total }) {
      const doing = stage === "download" ? "downloading" : "reading images";
      void tell({
        type: "step",
        doing,
        step: done,
        of: total,
        metrics: {},
      });
    },
    onNote: (text) => void tell({ type: "note", text }),
  };
}
