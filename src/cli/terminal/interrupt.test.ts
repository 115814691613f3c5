import { afterEach, expect, test, vi } from "vitest";
import { listenForInterrupts } from "./interrupt.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("the first signal asks for a stop, a later second one ends the process", async () => {
  vi.useFakeTimers();
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const onFirst = vi.fn();
  const onWaiting = vi.fn();
  const before = process.listenerCount("SIGINT");
  const interrupts = listenForInterrupts({ onFirst, onWaiting });
  expect(interrupts.signal.aborted).toBe(false);

  process.emit("SIGINT", "SIGINT");
  expect(interrupts.signal.aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledTimes(1);
  expect(interrupts.exitCode).toBe(130);

  // npm passes on the Ctrl-C that the terminal has sent to the whole group already.
  vi.advanceTimersByTime(50);
  process.emit("SIGINT", "SIGINT");
  await vi.advanceTimersByTimeAsync(0);
  expect(exit).not.toHaveBeenCalled();

  // The terminal is not silent for longer than a second.
  expect(onWaiting).not.toHaveBeenCalled();
  vi.advanceTimersByTime(950);
  expect(onWaiting).toHaveBeenLastCalledWith(1);
  vi.advanceTimersByTime(20_000);
  expect(onWaiting).toHaveBeenCalledTimes(3);

  process.emit("SIGTERM", "SIGTERM");
  await vi.advanceTimersByTimeAsync(0);
  expect(exit).toHaveBeenCalledWith(143);
  expect(onFirst).toHaveBeenCalledTimes(1);

  interrupts.stop();
  expect(process.listenerCount("SIGINT")).toBe(before);
});

test("the exit code tells which signal came first", () => {
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    const interrupts = listenForInterrupts({ onFirst: vi.fn(), onWaiting: vi.fn() });
    process.emit(name, name);
    expect(interrupts.exitCode).toBe(code);
    interrupts.stop();
  }
});
