// Numbers as people read them: the digits that mean something and no more.

/**
 * A number with `digits` significant digits, in plain notation from 0.001 to 99999, otherwise with
 * a power of ten; `"–"` when there is none (null, NaN), `"∞"` when infinite.
 */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e5 || magnitude < 1e-3) {
    return value
      .toExponential(Math.max(0, digits - 1))
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude)));
  return value.toFixed(Math.min(decimals, 12));
}

/**
 * An estimate with its interval, `0.9532 ± 0.0043`: two significant digits of the half width
 * decide how many decimals the mean shows. Without an interval, only the mean.
 */
export function formatEstimate(mean: number, halfWidth: number | null | undefined): string {
  if (halfWidth === null || halfWidth === undefined || !Number.isFinite(halfWidth)) {
    return formatNumber(mean);
  }
  if (halfWidth === 0 || !Number.isFinite(mean)) return `${formatNumber(mean)} ± 0`;
  const size = Math.max(Math.abs(mean), halfWidth);
  if (size < 1e-3 || size >= 1e7) {
    const exponent = Math.floor(Math.log10(size));
    const scaled = formatEstimate(mean / 10 ** exponent, halfWidth / 10 ** exponent);
    return `(${scaled})e${exponent}`;
  }
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(halfWidth))));
  return `${mean.toFixed(decimals)} ± ${halfWidth.toFixed(decimals)}`;
}

/** Seconds as `0.35 s`, `12 s`, `3 min 05 s` or `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (part: number): string => String(part).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A count with its noun: `1 row`, `32,561 rows`. */
export function formatCount(
  count: number,
  singular: string,
  plural: string = `${singular}s`,
): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? singular : plural}`;
}

/** A fraction as a percentage: `0.4 %`, `37 %`, `100 %`; never rounded up to 100 or down to 0. */
export function formatPercent(fraction: number): string {
  const percent = 100 * fraction;
  if (percent > 99.9 && percent < 100) return ">99.9 %";
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  const decimals = percent >= 99 && percent < 100 ? 1 : percent < 10 && percent > 0 ? 1 : 0;
  return `${percent.toFixed(decimals)} %`;
}
