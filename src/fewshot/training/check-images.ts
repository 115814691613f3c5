// Whether images suffice for episodes of a size.

import type { EpisodeShape, ImageSet } from "../../data/index.ts";
import { FewshotError } from "../fewshot-error.ts";

const ofTest = { ways: "ways", shots: "shots", queries: "queries" };

/** The settings of a training's episodes, where they are others than those of a test. */
export const ofTraining: typeof ofTest = {
  ways: "trainWays",
  shots: "trainShots",
  queries: "trainQueries",
};

/**
 * Refuses classes that are too few or too small.
 *
 * @param what.data - folder, or omniglot.
 * @param what.use - what the classes are for, such as "training".
 * @param what.names - the settings that the sizes come from. Default: those of a test.
 */
export function checkClasses(
  { classes, offsets }: ImageSet,
  { ways, shots, queries }: EpisodeShape,
  { data, use, names = ofTest }: { data: string; use: string; names?: typeof ofTest },
): void {
  if (classes.length < ways) {
    throw new FewshotError(
      `${data}: \`${names.ways}\` ${ways} needs as many classes for ${use}, ${classes.length} are there; ask for fewer ways or add classes`,
    );
  }
  const small = classes
    .map((name, i) => ({ name, count: offsets[i + 1]! - offsets[i]! }))
    .filter(({ count }) => count < shots + queries);
  const [first] = small;
  if (first === undefined) return;
  const [verb, which] = small.length === 1 ? ["has", "class"] : ["have", "classes"];
  throw new FewshotError(
    `${data}: \`${names.shots}\` ${shots} and \`${names.queries}\` ${queries} need ${shots + queries} images a class, ${small.length} of ${classes.length} classes for ${use} ${verb} fewer, such as "${first.name}" with ${first.count}; ask for fewer shots or queries, add images, or take the ${which} out`,
  );
}
