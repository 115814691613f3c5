// Scales and ticks for the report's charts: linear and logarithmic axes with round labels.

import { formatNumber } from "../../data/internal.ts";

/** A labelled position on an axis, as a fraction of its length. */
export interface Tick {
  value: number;
  position: number;
  label: string;
}

/** Maps values to fractions 0..1 of an axis' length. */
export interface Scale {
  kind: "linear" | "log";
  position(value: number): number;
  ticks: readonly Tick[];
}

/**
 * Linear scale over the values, widened to round ends.
 *
 * @param options.ticks - about how many labels, default 5.
 * @param options.whole - labels only at whole numbers (steps).
 */
export function linearScale(
  values: readonly number[],
  options: { ticks?: number; whole?: boolean; tight?: boolean } = {},
): Scale {
  const finite = values.filter(Number.isFinite);
  let low = Math.min(...finite);
  let high = Math.max(...finite);
  if (finite.length === 0) [low, high] = [0, 1];
  if (low === high) {
    const pad = low === 0 ? 1 : Math.abs(low) * 0.05;
    [low, high] = [low - pad, high + pad];
  }
  const step = roundStep((high - low) / (options.ticks ?? 5), options.whole === true);
  const start = options.tight === true ? low : Math.floor(low / step + 1e-9) * step;
  const end = options.tight === true ? high : Math.ceil(high / step - 1e-9) * step;
  const position = (value: number): number => (value - start) / (end - start);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks: Tick[] = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) {
    const value = i * step;
    const plain = Math.abs(value) < 1e5 && decimals <= 6;
    const label = plain ? (value + 0).toFixed(decimals) : formatNumber(value, 3);
    ticks.push({ value, position: position(value), label });
  }
  return { kind: "linear", position, ticks };
}

/** Logarithmic scale over the positive values, with labels at powers of ten (thinned) or 1-2-5. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  let low = Math.log10(Math.min(...positive));
  let high = Math.log10(Math.max(...positive));
  if (positive.length === 0) [low, high] = [0, 1];
  if (high - low < 0.5) [low, high] = [low - 0.25, high + 0.25];
  const pad = 0.03 * (high - low);
  const [start, end] = [low - pad, high + pad];
  const position = (value: number): number => (Math.log10(value) - start) / (end - start);
  const decades = Math.floor(end) - Math.ceil(start) + 1;
  const every = Math.max(1, Math.ceil(decades / 6));
  const factors = decades >= 3 ? [1] : [1, 2, 5];
  const ticks: Tick[] = [];
  for (let exponent = Math.floor(start); exponent <= end; exponent++) {
    if (exponent % every !== 0) continue;
    for (const factor of factors) {
      const value = factor * 10 ** exponent;
      const at = position(value);
      if (at >= 0 && at <= 1)
        ticks.push({ value, position: at, label: decadeLabel(factor, exponent) });
    }
  }
  return { kind: "log", position, ticks };
}

/** Whether positive values spread so far that only a logarithmic axis shows them. */
export function spansDecades(values: readonly number[], decades: number): boolean {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  return finite.length > 0 && low > 0 && Math.max(...finite) / low >= 10 ** decades;
}

/** `0.01`, `200`, `10⁻⁴` or `5·10⁻⁴`. */
function decadeLabel(factor: number, exponent: number): string {
  if (exponent >= -3 && exponent <= 3)
    return (factor * 10 ** exponent).toFixed(Math.max(0, -exponent));
  const superscript = [...String(exponent)].map((digit) =>
    digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!,
  );
  return `${factor === 1 ? "" : `${factor}·`}10${superscript.join("")}`;
}

function roundStep(rough: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return whole ? Math.max(1, Math.round(factor * power)) : factor * power;
}
