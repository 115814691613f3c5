/**
 * Few-shot episodes. An episode is a pure function of a seed and its number, so that a training run resumes at any
 * episode and every method is tested on the identical list.
 */
import { checkOptions } from "../../program/internal.ts";
import { Tensor } from "../../program/index.ts";
import { checkImageSet, countOf, type ImageSet, writeImages } from "./image-set.ts";
import { randomKey, type RandomStream, randomStream } from "../../random/index.ts";
import { DataError } from "../data-error.ts";
import { quote } from "../words.ts";

/** Size of an episode: N ways, K shots, Q queries. */
export interface EpisodeShape {
  /** Classes of an episode. */
  readonly ways: number;
  /** Support images a class. */
  readonly shots: number;
  /** Query images a class. */
  readonly queries: number;
}

/** One few-shot task. The label of an image is the position of its class in `classes`. */
export interface Episode {
  /** [ways], class indexes in random order, so that a label says nothing. */
  readonly classes: readonly number[];
  /** [ways · shots], image indexes, class by class. */
  readonly support: readonly number[];
  /** [ways · queries], image indexes, class by class; none of them is in `support`. */
  readonly query: readonly number[];
}

/** Images and labels of several tasks. */
export interface EpisodeSet {
  /** float32 [tasks, images, channels, height, width], in [0, 1]. */
  readonly x: Tensor;
  /** int32 [tasks, images], 0 to ways − 1. */
  readonly y: Tensor;
}

/** The two sets of several episodes of one shape. */
export interface EpisodeBatch {
  readonly support: EpisodeSet;
  readonly query: EpisodeSet;
}

/**
 * Draws episode number `index` of the sequence that a seed names: classes uniformly without replacement, then from each
 * class shots + queries different images uniformly without replacement.
 *
 * @param seed - a whole number, 0 ≤ seed < 2⁵³.
 * @param index - a whole number from 0; each index has numbers of its own, so any order and any subset gives the same.
 * @throws RangeError for a shape, seed or index that is not a whole number in its range.
 * @throws {@link DataError} when the set has too few classes, or one of its classes too few images.
 * @example
 * const episode = drawEpisode(set, { ways: 5, shots: 1, queries: 15 }, 0, 41);
 */
export function drawEpisode(
  set: ImageSet,
  shape: EpisodeShape,
  seed: number,
  index: number,
): Episode {
  checkDraw(set, shape, index);
  const stream = randomStream(randomKey(seed, "episode", index));
  const classes = sample(stream, shape.ways, set.classes.length);
  const support: number[] = [];
  const query: number[] = [];
  for (const i of classes) {
    const drawn = sample(stream, shape.shots + shape.queries, countOf(set, i));
    const images = drawn.map((image) => set.offsets[i]! + image);
    support.push(...images.slice(0, shape.shots));
    query.push(...images.slice(shape.shots));
  }
  return { classes, support, query };
}

/**
 * Episodes 0 to count − 1 of a seed, for example the list on which all methods are tested.
 *
 * @throws as {@link drawEpisode}.
 */
export function listEpisodes(
  set: ImageSet,
  shape: EpisodeShape,
  options: { seed: number; count: number },
): Episode[] {
  checkOptions("listEpisodes", options, { seed: "number!", count: "number!" });
  const { seed, count } = options;
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`listEpisodes: count is a whole number from 0, not ${count}.`);
  }
  return Array.from({ length: count }, (_, index) => drawEpisode(set, shape, seed, index));
}

/**
 * Episodes of one shape as arrays, tasks along the first axis.
 *
 * @throws RangeError for no episode, for episodes of different shapes or with images that the set does not have.
 */
export function stackEpisodes(set: ImageSet, episodes: readonly Episode[]): EpisodeBatch {
  checkImageSet(set, "stackEpisodes");
  if (episodes.length === 0) throw new RangeError("stackEpisodes: needs at least one episode.");
  return {
    support: stack(
      set,
      episodes.map(({ classes, support }) => [classes.length, support]),
    ),
    query: stack(
      set,
      episodes.map(({ classes, query }) => [classes.length, query]),
    ),
  };
}

function stack(
  set: ImageSet,
  tasks: readonly (readonly [number, readonly number[]])[],
): EpisodeSet {
  const [ways, first] = tasks[0]!;
  const size = first.length;
  const x = new Float32Array(tasks.length * size * set.channels * set.height * set.width);
  const y = new Int32Array(tasks.length * size);
  let at = 0;
  for (const [task, [ownWays, images]] of tasks.entries()) {
    if (ownWays !== ways || images.length !== size || size % ways !== 0) {
      throw new RangeError(
        `stackEpisodes: episodes of one shape are needed; the first has ${ways} classes and ${size} images in a set, episode ${task} has ${ownWays} and ${images.length}.`,
      );
    }
    at = writeImages(set, images, x, at);
    for (let i = 0; i < size; i++) y[task * size + i] = Math.floor(i / (size / ways));
  }
  const shape = [tasks.length, size];
  return {
    x: new Tensor("float32", [...shape, set.channels, set.height, set.width], x),
    y: new Tensor("int32", shape, y),
  };
}

function checkDraw(set: ImageSet, shape: EpisodeShape, index: number): void {
  checkImageSet(set, "drawEpisode");
  for (const [name, value] of Object.entries({ ...shape, index: index + 1 })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        name === "index"
          ? `drawEpisode: index is a whole number from 0, not ${index}.`
          : `drawEpisode: ${name} is a whole number from 1, not ${value}.`,
      );
    }
  }
  const { ways, shots, queries } = shape;
  if (set.classes.length < ways) {
    throw new DataError(
      `drawEpisode: ${ways} ways need as many classes, the set has ${set.classes.length}; ask for fewer ways or add classes.`,
    );
  }
  const poor = set.classes.findIndex((_, i) => countOf(set, i) < shots + queries);
  if (poor >= 0) {
    throw new DataError(
      `drawEpisode: ${shots} shots and ${queries} queries need ${shots + queries} images a class, class ${quote(set.classes[poor]!)} has ${countOf(set, poor)}; ask for fewer or leave the class out.`,
    );
  }
}

/** `count` different whole numbers below `bound` in random order: the first entries of a shuffle of all. */
function sample(stream: RandomStream, count: number, bound: number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + stream.integer(bound - i);
    const value = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return value;
  });
}
