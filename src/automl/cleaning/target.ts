/** What a target must be for its labels to be ranked. */
import type { TargetOptions } from "../../data/index.ts";

/**
 * The options of `inferTarget` for cleaning: classes only, whole numbers among them. Folds hold each row of a class out once,
 * so two rows suffice for a model to know the class.
 *
 * @param minClass - rows of classes that have fewer rows than this are left out.
 */
export function cleaningTarget(minClass?: number): TargetOptions {
  return { wantClasses: true, classRows: 2, minClass };
}
