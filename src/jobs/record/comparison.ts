/** A receipt beside what was measured again. */
import { isDeepStrictEqual } from "node:util";
import { fileOptions, storedTrigger } from "../../attacks/index.ts";
import type { Decision } from "../../metrics/decision.ts";
import type { Effect } from "../../metrics/effect.ts";
import { computed } from "../../results/consistent.ts";
import type { Scores } from "../../results/effect.ts";
import type { Comparison, EvalResult } from "../../results/eval.ts";
import type { MeasuredOn } from "../../results/measured-on.ts";
import { unpairedDifference } from "../../stats/difference.ts";
import { percent } from "../../stats/percent.ts";
import type { Rate } from "../../stats/rate.ts";
import { printable } from "../../tensor/printable.ts";
import type { TriggerSpec } from "../../triggers/trigger.ts";
import { claimOf, goneBelow, unproven, unverified, usualLimit } from "./claims.ts";
import type { Receipt } from "./receipt-schema.ts";
import { leastRight } from "./verdict.ts";

/** Whatever a receipt says of the model after its cleaning, and a measuring says too. */
const compared = [
  ["ca", "CA"],
  ["asr", "ASR"],
  ["withoutTrigger", "target without trigger"],
  ["triggeredAccuracy", "own label with trigger"],
] as const;

interface Measured extends Scores, Partial<Pick<Effect, "withoutTrigger" | "triggeredAccuracy">> {
  readonly decision?: Decision;
  readonly on?: MeasuredOn;
  readonly modelSha256: string;
}

const short = (hash = "none") => hash.slice(0, 12);

/** Images that another machine may take for something else: it rounds sums otherwise. */
const flips = (n: number) => Math.ceil(n / 1000);

export function compare(receipt: Receipt, measured: Measured, notes: readonly string[]): Comparison {
  const { measuredOn: said, after, model, verdict } = receipt;
  const on = measured.on;
  const differs: string[] = [];
  if (said === undefined)
    differs.push("the receipt does not say which images and weights it was measured on: it is of an older tbar");
  if (said && on) {
    if (said.test !== on.test)
      differs.push(`other test images than the receipt's: SHA-256 ${short(on.test)}..., not ${short(said.test)}...`);
    if (said.triggered !== on.triggered && said.test === on.test)
      differs.push(
        `other triggered images than the receipt's: SHA-256 ${short(on.triggered)}..., not ${short(said.triggered)}...`,
      );
    if (on.weights === undefined)
      differs.push("the weights are inside ONNX: they cannot be compared with the receipt's");
    else if (said.weights !== on.weights)
      differs.push(`other weights than the receipt's: SHA-256 ${short(on.weights)}..., not ${short(said.weights)}...`);
  }
  if (model?.sha256 === measured.modelSha256) differs.push("this is the model before its cleaning");
  const claimed = { ca: computed(after.ca), asr: computed(after.asr) };
  const by = differs.length === 0 ? "counts" : "intervals";
  const because = compared.flatMap(([of, name]) => {
    const [one, other] = [after[of], measured[of]];
    if (one === undefined || other === undefined) return [];
    const why = by === "counts" ? otherCount(computed(one), other) : otherRate(computed(one), other);
    return why === undefined ? [] : [`${name}: ${why}`];
  });
  // what the receipt leaves out, its verdict rests on all the same
  const claim = claimOf(receipt);
  const unsaid = after.triggeredAccuracy === undefined && claim ? unproven(receipt, measured) : undefined;
  if (unsaid !== undefined && because.length === 0)
    because.push(`verdict.${claim} is true, and by what was measured ${unsaid}`);
  if (claim && measured.decision?.answer === "backdoor")
    because.push(`verdict.${claim} is true, and what was measured is a live backdoor`);
  const limit = goneBelow(receipt);
  const lax = limit > usualLimit ? [`by the receipt's own rule an ASR of up to ${percent(limit)} counts as gone`] : [];
  const open = claim && unverified(receipt);
  const few = open
    ? [`the receipt is of an older tbar, which went by values alone; it would not be verified today: ${open}`]
    : [];
  const control = receipt.proof?.control;
  const leaning =
    claim && control && leastRight(after.ca.value, control) < leastRight(after.ca.value)
      ? [
          `the verdict leans on a clean control model (SHA-256 ${short(control.sha256)}...), which is not measured again: it is said to read ${percent(control.triggeredAccuracy.value)} of triggered images, so ${percent(leastRight(after.ca.value, control) * after.ca.value)} were enough`,
        ]
      : [];
  const own = verdict && !claim ? ["the receipt itself says that the cleaning is not verified"] : [];
  return {
    claimed,
    agrees: because.length === 0,
    by,
    ...(by === "counts" && { tolerance: flips(after.ca.n) }),
    because,
    notes: [...differs, ...notes, ...lax, ...few, ...leaning, ...own],
  };
}

const hits = ({ value, n }: Pick<Rate, "value" | "n">) => Math.round(value * n);

function otherCount(claimed: Rate, measured: Rate): string | undefined {
  const [one, other] = [hits(claimed), hits(measured)];
  if (claimed.n === measured.n && Math.abs(one - other) <= flips(claimed.n)) return undefined;
  return `${one} of ${claimed.n} claimed, ${other} of ${measured.n} measured`;
}

/** Few images agree with everything: fewer than these decide nothing. */
const fewest = 189;

function otherRate(claimed: Rate, measured: Rate): string | undefined {
  const n = Math.min(claimed.n, measured.n);
  if (n < fewest) return `${n} images are too few to compare on other images or weights; ${fewest} are the least`;
  const { interval } = unpairedDifference(measured, claimed);
  if (interval[0] <= 0 && interval[1] >= 0) return undefined;
  return `the 95 % interval of the difference, ${interval.map((v) => v.toFixed(4)).join(" to ")}, leaves out 0`;
}

type Carried = NonNullable<EvalResult["carried"]>[number];

/** Has the trigger that a checkpoint states these settings? One made of files is the user's to compare. */
function isSame(spec: Carried["spec"], measured: TriggerSpec): boolean {
  if (fileOptions.some((option) => spec[option] !== undefined)) return true;
  try {
    return isDeepStrictEqual(storedTrigger({ ...spec, kind: measured.kind }).spec, measured);
  } catch {
    return false; // what is no trigger was not measured
  }
}

/** Facts about what was measured, for the eyes of whoever believes a receipt. */
export function triggerNotes(result: EvalResult, receipt: Receipt, isOwn: boolean, carried: readonly Carried[]) {
  const source = isOwn ? "--trigger" : "the receipt";
  const measured = result.trigger === undefined ? "a folder of images" : result.trigger.kind;
  const isMeasured = ({ kind, spec, target }: Carried) =>
    kind === result.trigger?.kind && target === result.target && isSame(spec, result.trigger);
  const others = carried.filter((one) => !isMeasured(one));
  return [
    `trigger measured: ${measured} -> "${printable(result.target ?? "")}", as ${source} says`,
    ...(isOwn && result.target !== receipt.target ? [`the receipt's target is "${printable(receipt.target)}"`] : []),
    ...others.map(
      ({ kind, target }) =>
        `the checkpoint itself says that it carries ${printable(kind)} -> "${printable(target)}"${kind === result.trigger?.kind && target === result.target ? " with other settings" : ""}, which was not measured`,
    ),
  ];
}
