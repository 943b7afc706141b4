/**
 * Figures that somebody else brings: of a rate only its value and n are believed, and what follows from them is computed again. What
 * does not fit together is refused by name.
 */

import { pairedDifference, unpairedDifference } from "../stats/difference.ts";
import { type Rate, rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

/** More images than any test set has. */
const mostImages = 1e7;
/** JSON keeps every digit: a difference is another figure. */
const rounding = 1e-9;

interface Stated {
  readonly value: number | null;
  readonly n: number;
  readonly interval?: unknown;
}

/** Throws `bad-input` when a rate anywhere in the value does not fit its n, or states another interval than its own. */
export function checkRates(value: unknown, what: string, place = ""): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inside] of Object.entries(value)) {
    const name = place === "" ? key : `${place}.${key}`;
    if (isStated(inside)) {
      const wrong = key === "difference" ? triggerFault(inside, value) : (rateFault(inside) ?? besideFault(key, value));
      if (wrong !== undefined) throw misfit(what, `${name} ${wrong}`);
    }
    if (key !== "spec" && key !== "against") checkRates(inside, what, name);
  }
}

/** Throws `bad-input` when a stated difference is not that of these two rates. */
export function checkDifference(stated: Stated, rates: readonly [Stated, Stated], what: string, place: string): void {
  const wrong = differenceFault(stated, rates);
  if (wrong !== undefined) throw misfit(what, `${place} ${wrong}`);
}

/** The refusal of figures that contradict each other. */
export const misfit = (what: string, why: string) => badInput(`${what} does not fit together: ${printable(why, 300)}`);

function isStated(value: unknown): value is Stated {
  return typeof value === "object" && value !== null && "value" in value && "n" in value;
}

function rateFault({ value, n, interval }: Stated): string | undefined {
  if (!Number.isSafeInteger(n) || n < 0 || n > mostImages) return `is of ${n} images`;
  if (n === 0) return value === null ? undefined : `is ${value} of no images`;
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) return `is ${value}, which is no share of ${n} images`;
  const hits = Math.round(value * n);
  if (Math.abs(hits / n - value) > rounding) return `is ${value}, which no number of ${n} images makes`;
  return intervalFault(interval, rate(hits, n).interval, `${hits} of ${n}`);
}

function intervalFault(stated: unknown, computed: readonly [number, number], of: string): string | undefined {
  if (stated === undefined) return undefined;
  const isPair = Array.isArray(stated) && stated.length === 2;
  if (isPair && computed.every((bound, i) => Math.abs(stated[i] - bound) <= rounding)) return undefined;
  return `has the interval ${JSON.stringify(stated)}; that of ${of} is [${computed.map((bound) => bound.toFixed(4)).join(", ")}]`;
}

interface Beside {
  readonly asr?: Stated;
  readonly withoutTrigger?: Stated;
  readonly triggeredAccuracy?: Stated;
}

/** Triggered images get their own label or the target's, which is another, or a third: both rates are of them all. */
function besideFault(key: string, { asr, triggeredAccuracy }: Beside): string | undefined {
  if (key !== "triggeredAccuracy" || !isStated(asr) || !isStated(triggeredAccuracy)) return undefined;
  if (triggeredAccuracy.n !== asr.n) return `is of ${triggeredAccuracy.n} images, and asr beside it of ${asr.n}`;
  if ((triggeredAccuracy.value ?? 0) + (asr.value ?? 0) <= 1 + rounding) return undefined;
  return `is ${triggeredAccuracy.value}, and asr beside it ${asr.value}: more than all images together`;
}

/** What the trigger does: the difference of two rates beside it. */
function triggerFault(stated: Stated, { asr, withoutTrigger }: Beside): string | undefined {
  if (isStated(asr) && isStated(withoutTrigger)) return differenceFault(stated, [asr, withoutTrigger]);
  return "has no rates beside it that it is the difference of";
}

/** A difference of two rates: of pairs, or of different images. */
function differenceFault(
  { value, n, interval, ...stated }: Stated,
  rates: readonly [Stated, Stated],
): string | undefined {
  if (!Number.isSafeInteger(n) || n < 0 || n > mostImages) return `is of ${n} images`;
  for (const one of rates) {
    const wrong = rateFault(one);
    if (wrong !== undefined) return `is of a rate that ${wrong}`;
  }
  const [ofFirst, ofSecond] = rates.map((one) => one.n);
  if (n !== Math.min(ofFirst, ofSecond) || ((stated as { readonly paired?: unknown }).paired && ofFirst !== ofSecond))
    return `is of ${n} images, and its rates are of ${ofFirst} and ${ofSecond}`;
  if (n === 0) return undefined;
  const [first, second] = rates.map(computed);
  const gap = first.value - second.value;
  if (typeof value !== "number" || !(Math.abs(value - gap) <= rounding))
    return `is ${value}, and its rates differ by ${gap}`;
  const { paired, alone } = stated as { readonly paired?: unknown; readonly alone?: unknown };
  if (!paired) return intervalFault(interval, unpairedDifference(first, second).interval, "these two rates");
  const [one, other] = Array.isArray(alone) ? alone : [];
  const fits = [one, other].every((count) => Number.isSafeInteger(count) && count >= 0) && one + other <= n;
  const within = one <= Math.round(first.value * n) && other <= Math.round(second.value * n);
  if (!fits || !within || one - other !== Math.round(gap * n))
    return `says that ${JSON.stringify(alone)} of ${n} images differ`;
  return intervalFault(
    interval,
    pairedDifference({ first: one, second: other, n }).interval,
    `${one} and ${other} of ${n}`,
  );
}

/** The rate that value and n stand for; its interval is our own. */
export function computed({ value, n }: Pick<Stated, "value" | "n">): Rate {
  return rate(Math.round((value ?? 0) * n), n);
}

/** Does this quotient stand for these two? A quotient by zero is null in JSON. */
export function isQuotient(stated: number | null, part: number, whole: number): boolean {
  const quotient = part / whole;
  return stated === null ? !Number.isFinite(quotient) : Math.abs(stated - quotient) <= rounding * Math.max(1, quotient);
}

/** Throws `bad-input` where a verdict says one thing by today's word and another by that of 0.1.0. */
export function checkVerdict(
  { verified, proven }: { readonly verified?: boolean; readonly proven?: boolean } = {},
  file: string,
): void {
  if (verified === undefined || proven === undefined || verified === proven) return;
  throw misfit(file, `verdict.verified is ${verified}, and verdict.proven, which is the same, ${proven}`);
}
