/**
 * Compiled programs that are found again instead of compiled anew, and of which only so many are open at a time.
 *
 * A program is found by its key, and else by what it computes: two programs with the same model share one session,
 * however often the functions that they were traced from are made anew. When more than {@link MOST_OPEN} are open, the one
 * that was used longest ago is closed; whoever still holds it has it opened again by the next run.
 */
import type { Executable, Inputs } from "./executable.ts";
import { fingerprintOfBytes } from "./tensors/fingerprint.ts";
import type { OptimizeOptions, Program } from "./program.ts";
import type { SessionOptions } from "./hosts/host.ts";

/** Programs that may be open at once, over all caches. */
export const MOST_OPEN = 32;

type Options = SessionOptions & OptimizeOptions;

/** What a cache compiles: the program, and what its owner wants to know beside it. */
export interface Built<T> {
  readonly program: Program;
  readonly about: T;
}

/** One owner's programs by key. */
export class ProgramCache<T = undefined> {
  readonly #kept = new Map<string, Promise<CachedProgram<T>>>();

  /**
   * The program of that key.
   *
   * @param build - traces the program; called again when it has to be opened again, so it must not hold large arrays.
   */
  get(key: string, build: () => Built<T>, options: Options): Promise<CachedProgram<T>> {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      const opened = CachedProgram.open(build, options, () => {
        if (this.#kept.get(key) === opened) this.#kept.delete(key);
      });
      this.#kept.set(key, opened);
      // A failed compilation must not be remembered as the answer.
      opened.catch(() => this.#kept.delete(key));
      kept = opened;
    }
    return kept;
  }

  /** Closes the programs whose key is chosen, by default all. */
  async dispose(isChosen: (key: string) => boolean = () => true): Promise<void> {
    const chosen = [...this.#kept].filter(([key]) => isChosen(key));
    for (const [key] of chosen) this.#kept.delete(key);
    for (const result of await Promise.allSettled(chosen.map(([, program]) => program))) {
      if (result.status === "fulfilled") await result.value.dispose();
    }
  }
}

/** A compiled program of a cache. */
export class CachedProgram<T> {
  readonly about: T;
  readonly #build: () => Built<T>;
  readonly #options: Options;
  readonly #forget: () => void;
  #lease: Promise<Lease> | undefined;
  #runs = 0;

  private constructor(about: T, build: () => Built<T>, options: Options, forget: () => void) {
    this.about = about;
    this.#build = build;
    this.#options = options;
    this.#forget = forget;
  }

  /** Traces and compiles. */
  static async open<T>(
    build: () => Built<T>,
    options: Options,
    forget: () => void,
  ): Promise<CachedProgram<T>> {
    const { program, about } = build();
    const opened = new CachedProgram(about, build, options, forget);
    await opened.#open(program);
    return opened;
  }

  /** Whether a run is in progress. */
  get isRunning(): boolean {
    return this.#runs > 0;
  }

  /** Runs the program, as {@link Executable.run}. */
  async run(inputs: Inputs): ReturnType<Executable["run"]> {
    this.#runs++;
    try {
      const { executable } = await this.#open();
      return await executable.run(inputs);
    } finally {
      this.#runs--;
    }
  }

  /** Lets go of the session; the next run opens it again. */
  async dispose(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    open.delete(this as CachedProgram<unknown>);
    this.#forget();
    if (lease) await lease.then(release, () => undefined);
  }

  #open(program?: Program): Promise<Lease> {
    const self = this as CachedProgram<unknown>;
    open.delete(self);
    open.add(self);
    this.#lease ??= lease(program ?? this.#build().program, this.#options);
    this.#lease.catch(() => open.delete(self));
    closeOldest();
    return this.#lease;
  }
}

/** All that is open, used longest ago first. */
const open = new Set<CachedProgram<unknown>>();

function closeOldest(): void {
  for (const program of open) {
    if (open.size <= MOST_OPEN) return;
    if (!program.isRunning) void program.dispose();
  }
}

interface Lease {
  readonly executable: Executable;
  readonly shared: Shared;
}

/** A session, and how many programs use it. */
interface Shared {
  readonly key: string;
  readonly executable: Promise<Executable>;
  holders: number;
}

const sessions = new Map<string, Shared>();

async function lease(program: Program, options: Options): Promise<Lease> {
  const encoded = await program.encode(options);
  const bindings = [...program.inputs, ...program.outputs].map(
    ({ name, structure }) => `${name} ${structure}`,
  );
  const key = JSON.stringify([
    fingerprintOfBytes(encoded.bytes),
    encoded.bytes.length,
    encoded.session,
    bindings,
  ]);
  let shared = sessions.get(key);
  if (shared === undefined) {
    shared = { key, executable: program.open(encoded), holders: 0 };
    sessions.set(key, shared);
    shared.executable.catch(() => sessions.delete(key));
  }
  shared.holders++;
  return { executable: await shared.executable, shared };
}

async function release({ executable, shared }: Lease): Promise<void> {
  shared.holders--;
  if (shared.holders > 0) return;
  sessions.delete(shared.key);
  await executable.dispose();
}
