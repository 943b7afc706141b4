/** The smallest alpha that passes: doubled or halved from where it is looked for first, then bisected. */
import type { Trial } from "./probe.ts";

export const mostDoublings = 14;
/** The bracket is narrowed until its ends are within 10 %. */
const narrow = 1.1;

export type Attempt = (alpha: number) => Promise<{ trial: Trial; ok: boolean }>;

/** The smallest passing alpha between a failing and a passing one: doubled (or halved) from the start, then bisected in ratio. */
export async function bracket(
  attempt: Attempt,
  { start, caBefore }: { readonly start: number; readonly caBefore: number },
): Promise<void> {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let alpha = start; alpha <= start * 2 ** mostDoublings && high === Number.POSITIVE_INFINITY; alpha *= 2) {
    const { trial, ok } = await attempt(alpha);
    if (ok) high = alpha;
    else low = alpha;
    if (!ok && trial.ca.interval[1] < 0.1 * caBefore) return; // nothing is left to unlearn from
  }
  if (high === Number.POSITIVE_INFINITY) return;
  for (let alpha = high / 2; low === 0 && alpha >= start / 256; alpha /= 2) {
    if ((await attempt(alpha)).ok) high = alpha;
    else low = alpha;
  }
  if (low > 0) await bisect(attempt, low, high);
}

/** Narrows a bracket with a failing lower end and a passing upper one. */
export async function bisect(attempt: Attempt, low: number, high: number): Promise<void> {
  while (high / low > narrow) {
    const middle = Math.sqrt(low * high);
    if ((await attempt(middle)).ok) high = middle;
    else low = middle;
  }
}
