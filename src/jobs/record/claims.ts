/** What a receipt claims, and whether its own figures bear it: they must follow from each other, and the verdict from them. */
import type { Rule } from "../../defenses/alpha-search.ts";
import { keptFault, retentionOf } from "../../metrics/retention.ts";
import { checkRates, checkVerdict, computed, isQuotient, misfit } from "../../results/consistent.ts";
import { exactPercent } from "../../stats/percent.ts";
import { isWorld, type Receipt, type StatedScores } from "./receipt-schema.ts";
import { leastRetention, leastRight, limitOf } from "./verdict.ts";

/** The ASR that counts as gone where a receipt states no rule. */
export const usualLimit = 0.02;

/** The ASR that counts as gone by the receipt's own rule. */
export function goneBelow({ rule }: Receipt): number {
  return rule?.limit === undefined ? usualLimit : limitOf({ name: rule.name, limit: rule.limit } as Rule);
}

/** Throws `bad-input`, naming the figure, when one does not follow from the others. */
export function checkFigures(receipt: Receipt, file: string): void {
  const { before, after, retention, inputs, data, trigger, verdict } = receipt;
  checkRates(receipt, file);
  const fail = (why: string): never => {
    throw misfit(file, why);
  };
  if (after.ca.n > inputs.sizes.test)
    fail(`after.ca is of ${after.ca.n} images, and inputs.sizes.test is ${inputs.sizes.test}`);
  if (isWorld(inputs.data) && after.ca.n !== inputs.sizes.test)
    fail(`after.ca is of ${after.ca.n} images, and inputs.sizes.test is ${inputs.sizes.test} of a world without end`);
  if (trigger.kind !== "images" && after.asr.n > after.ca.n)
    fail(`after.asr is of ${after.asr.n} triggered images, and there were ${after.ca.n} to put the trigger on`);
  if (data?.test !== undefined && data.test !== after.ca.n)
    fail(`data.test is ${data.test}, and after.ca of ${after.ca.n} images`);
  if (data?.testTriggered !== undefined && data.testTriggered !== after.asr.n)
    fail(`data.testTriggered is ${data.testTriggered}, and after.asr of ${after.asr.n} images`);
  if (before !== undefined) {
    if (before.ca.n !== after.ca.n || before.asr.n !== after.asr.n)
      fail("before and after are of other numbers of images");
    if (retention !== undefined && !isQuotient(retention, after.ca.value, before.ca.value))
      fail(`retention is ${retention}, and CA went from ${before.ca.value} to ${after.ca.value}`);
    const fault = keptFault(keptBy(before, after));
    if (fault !== undefined) fail(`after.stillRight: ${fault}`);
    const bounds = retentionOf(keptBy(before, after)).interval;
    if (receipt.retentionInterval?.some((bound, i) => !isQuotient(bound, bounds[i], 1)))
      fail(
        `retentionInterval is ${JSON.stringify(receipt.retentionInterval)}; these counts make ${JSON.stringify(bounds)}`,
      );
  }
  checkVerdict(verdict, file);
  const claim = claimOf(receipt);
  const why = claim && (unproven(receipt, after) ?? (claim === "verified" ? unverified(receipt) : undefined));
  if (why !== undefined) fail(`verdict.${claim} is true, and ${why}`);
}

interface Judged {
  readonly ca: { readonly value: number };
  readonly asr: { readonly value: number };
  readonly triggeredAccuracy?: { readonly value: number };
}

/** What the verdict claims, by the name that it gives to it; undefined where it claims nothing. */
export function claimOf({ verdict }: Receipt): "verified" | "proven" | undefined {
  if (verdict?.verified !== undefined) return verdict.verified ? "verified" : undefined;
  return verdict?.proven ? "proven" : undefined;
}

const keptBy = (before: StatedScores, { ca, stillRight }: StatedScores) => ({
  before: computed(before.ca),
  after: computed(ca),
  stillRight: stillRight && computed(stillRight),
});

/** Why the bounds of the receipt's own counts do not verify its cleaning; where it does not say the pairs, the worst is taken. */
export function unverified(receipt: Receipt): string | undefined {
  const { before, after } = receipt;
  const limit = goneBelow(receipt);
  const [, upper] = computed(after.asr).interval;
  if (upper > limit)
    return `the 95 % interval of after.asr, of ${after.asr.n} images, reaches ${exactPercent(upper)}, above ${exactPercent(limit)}`;
  if (before === undefined) return "the accuracy before is not said";
  const [lower] = retentionOf(keptBy(before, after)).interval;
  if (lower >= leastRetention) return undefined;
  const worst = after.stillRight === undefined ? " at worst (it does not say which images were right both times)" : "";
  return `the 95 % interval of the retention reaches down to ${exactPercent(lower)}${worst}, below ${exactPercent(leastRetention)}`;
}

/** Why the receipt's own rule does not hold for the values of these scores. */
export function unproven(receipt: Receipt, { ca, asr, triggeredAccuracy: mended }: Judged): string | undefined {
  const limit = goneBelow(receipt);
  const before = receipt.before?.ca.value;
  if (asr.value > limit) return `after.asr is ${asr.value}, above ${limit}`;
  if (before !== undefined && ca.value < leastRetention * before) return `CA fell from ${before} to ${ca.value}`;
  if (
    mended !== undefined &&
    receipt.rounds === undefined &&
    mended.value < leastRight(ca.value, receipt.proof?.control) * ca.value
  )
    return `after.triggeredAccuracy is ${mended.value} beside a CA of ${ca.value}`;
  return undefined;
}
