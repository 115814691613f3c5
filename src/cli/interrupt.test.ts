import { afterEach, expect, test, vi } from "vitest";
import { listenForInterrupts } from "./interrupt.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("the first signal asks for a stop, a later second one ends the process", () => {
  vi.useFakeTimers();
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const onFirst = vi.fn();
  const before = process.listenerCount("SIGINT");
  const interrupts = listenForInterrupts(onFirst);
  expect(interrupts.signal.aborted).toBe(false);

  process.emit("SIGINT");
  expect(interrupts.signal.aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledTimes(1);

  // npm passes on the Ctrl-C that the terminal has sent to the whole group already.
  vi.advanceTimersByTime(50);
  process.emit("SIGINT");
  expect(exit).not.toHaveBeenCalled();

  vi.advanceTimersByTime(1000);
  process.emit("SIGTERM");
  expect(exit).toHaveBeenCalledWith(130);
  expect(onFirst).toHaveBeenCalledTimes(1);

  interrupts.stop();
  expect(process.listenerCount("SIGINT")).toBe(before);
});
