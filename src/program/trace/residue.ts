/**
 * What a trace by jax-js 0.1.25 would leave in memory for as long as the process lives, taken away when our window closes:
 * the traces that `linearize`, and with it `vjp` and `grad`, put on a stack and never take down, with all their tracers;
 * and the memory of arrays that the traced function makes and, since arrays are borrowed, nobody frees.
 */
import { Array as JaxArray, defaultDevice, makeJaxpr, numpy as np } from "@jax-js/jax";

/** The part of jax-js's memory manager of a device that is used here. */
interface Memory {
  malloc(size: number, data?: Uint8Array): number;
  decRef(slot: number): void;
}

/** Members of jax-js's arrays that its types leave out. */
interface Inside {
  _putSync(memory: Memory): JaxArray;
  _realizeSource(): number;
}

/** Watches one window. */
export interface ResidueWatch {
  /**
   * Reads a captured array through a copy that shares its memory, so that one whose numbers are not written out stays so.
   *
   * @param read - reads the copy and frees it.
   */
  read<T>(array: JaxArray, copy: JaxArray, read: (copy: JaxArray) => T): T;
  /** Ends the window. */
  close(): void;
}

export function watchResidue(): ResidueWatch {
  const stack = traceStack();
  const height = stack.length;
  const memory = memoryOf(defaultDevice());
  const { malloc } = memory;
  const made = new Set<number>();
  let isReading = false;
  memory.malloc = (size, data) => {
    const slot = malloc.call(memory, size, data);
    if (!isReading) made.add(slot);
    return slot;
  };
  return {
    read(array, copy, read) {
      isReading = true;
      try {
        const slot = (copy as unknown as Inside)._realizeSource();
        // The function may keep the array for its next call: it is freed once nobody has it.
        if (made.delete(slot)) abandoned.register(array, { memory, slot });
        return read(copy);
      } finally {
        isReading = false;
      }
    },
    close() {
      memory.malloc = malloc;
      stack.length = height;
    },
  };
}

const abandoned = new FinalizationRegistry<{ memory: Memory; slot: number }>(({ memory, slot }) => {
  try {
    memory.decRef(slot);
  } catch {
    // Its owner has freed it; no other array ever gets the number of this slot.
  }
});

const memories = new Map<string, Memory>();

/** jax-js exports its memory managers nowhere; an operation on two arrays hands theirs to `_putSync`. */
function memoryOf(device: ReturnType<typeof defaultDevice>): Memory {
  const known = memories.get(device);
  if (known) return known;
  const prototype = JaxArray.prototype as unknown as Inside;
  const { _putSync } = prototype;
  let found: Memory | undefined;
  prototype._putSync = function (this: Inside, memory: Memory): JaxArray {
    found = memory;
    return _putSync.call(this, memory);
  };
  try {
    np.zeros([1])
      .add(np.zeros([1]))
      .dispose();
  } finally {
    prototype._putSync = _putSync;
  }
  if (!found) throw unknownVersion("memory manager");
  memories.set(device, found);
  return found;
}

let stackOfTraces: unknown[] | undefined;

/** The list of traces in progress, which jax-js exports nowhere either: it is the one that a trace's entry is pushed on. */
function traceStack(): unknown[] {
  if (stackOfTraces) return stackOfTraces;
  const { push } = Array.prototype;
  const isTrace = (entry: unknown): boolean =>
    typeof entry === "object" && entry !== null && "traceType" in entry && "level" in entry;
  const note = (stack: unknown[]): void => {
    stackOfTraces = stack;
  };
  Array.prototype.push = function (this: unknown[], ...entries: unknown[]): number {
    if (entries.some(isTrace)) note(this);
    return push.apply(this, entries);
  };
  try {
    makeJaxpr((x: np.Array) => x)(np.zeros([]));
  } finally {
    Array.prototype.push = push;
  }
  if (!stackOfTraces) throw unknownVersion("stack of traces");
  return stackOfTraces;
}

function unknownVersion(what: string): Error {
  return new Error(
    `trace: this version of jax-js has no ${what} where it is looked for; stackelberg needs @jax-js/jax 0.1.25.`,
  );
}
