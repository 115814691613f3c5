// Whether images suffice for episodes of a size, said in the words of the command line.

import type { EpisodeShape, ImageSet } from "../../data/index.ts";
import { UsageError } from "../command/errors.ts";

/**
 * Refuses classes that are too few or too small.
 *
 * @param what.data - folder, or omniglot.
 * @param what.use - what the classes are for, such as "training".
 * @param what.prefix - "train-" where the options of the sizes begin so.
 */
export function checkClasses(
  { classes, offsets }: ImageSet,
  { ways, shots, queries }: EpisodeShape,
  { data, use, prefix = "" }: { data: string; use: string; prefix?: string },
): void {
  if (classes.length < ways) {
    throw new UsageError(
      `${data}: --${prefix}ways ${ways} needs as many classes for ${use}, ${classes.length} are there; ask for fewer ways or add classes`,
    );
  }
  const small = classes
    .map((name, i) => ({ name, count: offsets[i + 1]! - offsets[i]! }))
    .filter(({ count }) => count < shots + queries);
  const [first] = small;
  if (first === undefined) return;
  const [verb, which] = small.length === 1 ? ["has", "class"] : ["have", "classes"];
  throw new UsageError(
    `${data}: --${prefix}shots ${shots} and --${prefix}queries ${queries} need ${shots + queries} images a class, ${small.length} of ${classes.length} classes for ${use} ${verb} fewer, such as "${first.name}" with ${first.count}; ask for fewer shots or queries, add images, or take the ${which} out`,
  );
}
