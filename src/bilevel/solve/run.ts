/**
 * Work in steps that can be awaited as a whole or followed step by step: both see the one run, which starts
 * when somebody first asks.
 */

/** Something that advances step by step. */
export interface Loop<Step, Result> {
  /** Makes the next step; undefined when the loop has ended. */
  next(): Promise<Step | undefined>;
  /** Ends the loop, early if it has not ended by itself, and frees what it holds. Called exactly once. */
  end(): Promise<Result>;
}

/**
 * A run: `await` it for its result, or iterate over its steps first and await it afterwards. Leaving the
 * iteration (`break`, an exception) ends the run cleanly; its result then says so.
 */
export class Run<Step, Result> implements AsyncIterable<Step>, Promise<Result> {
  readonly [Symbol.toStringTag] = "Run";
  readonly #loop: Loop<Step, Result>;
  readonly #result: Promise<Result>;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;
  #isStarted = false;

  constructor(loop: Loop<Step, Result>) {
    this.#loop = loop;
    this.#result = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever iterates gets a failure there; a result nobody waits for must not count as unhandled.
    this.#result.catch(() => undefined);
  }

  /**
   * The steps, once.
   *
   * @throws TypeError when the run is already being iterated or awaited.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Step, void, void> {
    if (this.#isStarted) {
      throw new TypeError(
        "solve: a run's steps can be iterated once, before it is awaited; iterate first, then await the run for its result.",
      );
    }
    return this.#steps();
  }

  then<A = Result, B = never>(
    onResult?: ((result: Result) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#isStarted) void this.#drain();
    return this.#result.then(onResult, onError);
  }

  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.then(undefined, onError);
  }

  finally(onEnd?: (() => void) | null): Promise<Result> {
    return this.then().finally(onEnd);
  }

  async #drain(): Promise<void> {
    const steps = this.#steps();
    try {
      while (!(await steps.next()).done);
    } catch {
      // The result's promise carries the error.
    }
  }

  async *#steps(): AsyncGenerator<Step, void, void> {
    if (this.#isStarted) throw new TypeError("solve: a run's steps can be iterated once.");
    this.#isStarted = true;
    try {
      for (let step = await this.#loop.next(); step !== undefined; step = await this.#loop.next()) {
        yield step;
      }
    } catch (error) {
      this.#reject(error);
      throw error;
    } finally {
      await this.#loop.end().then(this.#resolve, this.#reject);
    }
  }
}
