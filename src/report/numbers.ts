/** Numbers as the report writes them: one decimal for percentages, short intervals, no false precision. */
import type { Rate } from "../stats/rate.ts";

const missing = "–";

/** 0.0121 -> "1.2 %" */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${percentage(share)}\u202f%` : missing;
}

/** A limit, as short as it can be said: 0.02 -> "2 %", 0.975 -> "97.5 %" */
export function round(share: number): string {
  return `${Number((100 * share).toFixed(2))}\u202f%`;
}

/** 0.0121 in [0.0081, 0.0180] -> "1.2 % (0.8–1.8)" */
export function percentWithInterval(rate: Rate): string {
  return Number.isFinite(rate.value) ? `${percent(rate.value)} (${interval(rate)})` : missing;
}

/** "0.8–1.8", in percent */
export function interval({ interval: [low, high] }: Rate): string {
  return `${percentage(low)}–${percentage(high)}`;
}

/** 0.359 -> "+35.9", a difference in percentage points */
export function points(difference: number): string {
  const text = percentage(Math.abs(difference));
  if (text === "0.0") return "±0.0";
  return `${difference < 0 ? "−" : "+"}${text}`;
}

/** 0.012 in [-0.003, 0.027] -> "+1.2 (−0.3 to +2.7)" */
export function pointsWithInterval({ value, interval }: Pick<Rate, "value" | "interval">): string {
  return Number.isFinite(value) ? `${points(value)} (${interval.map(points).join(" to ")})` : missing;
}

function percentage(share: number): string {
  return (100 * share).toFixed(1);
}

/** 1980 -> "1,980" */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** Three significant digits, whole above 100: 0.5, 1.41, 48, 412 */
export function alphaText(alpha: number): string {
  return String(Number(alpha >= 100 ? alpha.toFixed(0) : alpha.toPrecision(3)));
}

/** 0.84 -> "0.8 s", 84 -> "1 min 24 s", 5040 -> "1 h 24 min" */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return missing;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "2026-03-04T05:06:07.000Z" -> "2026-03-04 05:06 UTC"; anything else as it stands */
export function moment(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : iso;
}
