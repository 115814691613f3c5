/** The splits of Omniglot's characters that papers use. They are splits of characters, so alphabets occur on both sides. */
import { checkArgument } from "../../program/internal.ts";
import {
  checkImageSet,
  type ImageSet,
  type ImageSplits,
  rotations,
  selectClasses,
} from "./image-set.ts";
import { randomKey, randomStream } from "../../random/index.ts";

/**
 * Training, validation and test characters. By number: a shuffle of all characters, cut. `1200/423` has no validation
 * characters. `vinyals`: the fixed 1028, 172 and 423 characters of matching networks, as prototypical networks publish
 * them: 1 to 1200 train, those of five alphabets among them validate, 1201 to 1623 test.
 */
export type OmniglotSplit = "1200/100/323" | "1100/100/423" | "1200/423" | "vinyals";

/** How the characters are split. */
export interface OmniglotSplitOptions {
  /** Default "1200/100/323", as in the code of Franceschi et al. (ICML 2018). */
  readonly split?: OmniglotSplit;
  /** Of the shuffle; default 0. `vinyals` has none. */
  readonly seed?: number;
  /** Every character also turned by 90, 180 and 270 degrees, as classes of their own, in all parts. Default true. */
  readonly rotations?: boolean;
}

/**
 * Splits the characters of `readOmniglotCharacters`.
 *
 * @throws RangeError when there are not 1623 classes.
 */
export function splitOmniglot(
  characters: ImageSet,
  options: OmniglotSplitOptions = {},
): ImageSplits {
  checkArgument("splitOmniglot", "options", options, "object");
  const { split = "1200/100/323", seed = 0 } = options;
  checkImageSet(characters, "splitOmniglot");
  if (characters.classes.length !== 1623) {
    throw new RangeError(
      `splitOmniglot: needs the 1623 characters of Omniglot, the set has ${characters.classes.length}; give readOmniglotCharacters' result.`,
    );
  }
  const part = (indexes: readonly number[]): ImageSet => {
    const upright = selectClasses(characters, indexes);
    return (options.rotations ?? true) ? rotations(upright) : upright;
  };
  const { train, validation, test } =
    split === "vinyals" ? vinyals(characters) : shuffled(sizes[split], seed);
  return { train: part(train), validation: part(validation), test: part(test) };
}

type Parts = Record<keyof ImageSplits, readonly number[]>;

/** Characters that train, and that train or validate. */
const sizes: Record<Exclude<OmniglotSplit, "vinyals">, readonly [number, number]> = {
  "1200/100/323": [1200, 1300],
  "1100/100/423": [1100, 1200],
  "1200/423": [1200, 1200],
};

function shuffled([first, second]: readonly [number, number], seed: number): Parts {
  const all = Array.from({ length: 1623 }, (_, i) => i);
  const order = randomStream(randomKey(seed, "omniglot")).shuffle(all);
  return {
    train: order.slice(0, first),
    validation: order.slice(first, second),
    test: order.slice(second),
  };
}

const validationAlphabets = [
  "Armenian",
  "Bengali",
  "Early_Aramaic",
  "Hebrew",
  "Mkhedruli_(Georgian)",
];

function vinyals({ classes }: ImageSet): Parts {
  const validates = (i: number): boolean =>
    validationAlphabets.includes(classes[i]!.slice(0, classes[i]!.indexOf("/")));
  const first = Array.from({ length: 1200 }, (_, i) => i);
  return {
    train: first.filter((i) => !validates(i)),
    validation: first.filter(validates),
    test: Array.from({ length: 423 }, (_, i) => 1200 + i),
  };
}
