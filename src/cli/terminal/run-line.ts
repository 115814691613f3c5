// A run's events for the person in front of the terminal: steps on the live line, sentences above it.

import type { Metrics, RunHappening } from "../../study/index.ts";
import type { LiveLine } from "./live-line.ts";
import { formatNumber, formatSeconds } from "../../data/internal.ts";

/**
 * Shows events on a line.
 *
 * @param measured - whether what was measured is said always, or only where no line shows how far the run is.
 */
export function showRun(
  line: LiveLine,
  measured: "always" | "elsewhere",
): (event: RunHappening) => void {
  let part: string | undefined;
  let doing: string | undefined;
  const draw = (pieces: readonly string[], now: string | undefined): void => {
    line.draw([...(part === undefined ? [] : [part]), ...pieces], now !== doing);
    doing = now;
  };
  return (event) => {
    switch (event.type) {
      case "part":
        part = `${event.part} ${event.index + 1}/${event.of}`;
        return draw(event.doing === undefined ? [] : [event.doing], `${part} ${event.doing}`);
      case "step":
        return draw(stepPieces(event), event.doing);
      case "note":
        return line.say(event.text);
      case "measured": {
        const isSaid = measured === "always" || !line.live;
        return isSaid
          ? line.say(part === undefined ? event.text : `${part}: ${event.text}`)
          : undefined;
      }
      case "started":
      case "ended":
        return;
    }
  };
}

/** The pieces of a step, the most important first. */
export function stepPieces({
  doing,
  step,
  of,
  metrics,
}: RunHappening & { type: "step" }): string[] {
  const { secondsLeft, ...rest } = metrics;
  const count = of === undefined ? String(step) : `${step}/${of}`;
  return [
    ...(doing === undefined ? [`step ${count}`] : [doing, count]),
    ...(secondsLeft !== undefined && Number.isFinite(secondsLeft)
      ? [`${remaining(secondsLeft)} left`]
      : []),
    ...metricPieces(rest),
  ];
}

/** Those numbers that a person follows, in this order; the log has all. */
const pieces: readonly [name: string, text: (value: number) => string][] = [
  ["outerObjective", (value) => `outer ${formatNumber(value)}`],
  ["innerObjective", (value) => `inner ${formatNumber(value)}`],
  ["gradientNorm", (value) => `gradient ${formatNumber(value, 3)}`],
  ["loss", (value) => `loss ${formatNumber(value)}`],
  ["validationAccuracy", (value) => `validation ${(100 * value).toFixed(2)} %`],
  ["bestAccuracy", (value) => `best ${(100 * value).toFixed(2)} %`],
  ["episodesPerSecond", (value) => `${value.toFixed(1)} episodes/s`],
];

function metricPieces(metrics: Metrics): string[] {
  return pieces.flatMap(([name, text]) => {
    const value = metrics[name];
    return value === undefined ? [] : [text(value)];
  });
}

/** Whole seconds: an estimate has no decimals. */
function remaining(seconds: number): string {
  return seconds < 59 ? `${Math.ceil(Math.max(0, seconds))} s` : formatSeconds(seconds);
}
