/**
 * A receipt measured again. It is evidence only as far as it can be recomputed: value, n, seed, sizes and names are believed, whatever else
 * follows from them must fit, and it names no file of this machine that the user has not named.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { fileOptions, storedTrigger } from "../../attacks/index.ts";
import { encodings } from "../../data/formats/text.ts";
import type { Rule } from "../../defenses/alpha-search.ts";
import { isFile, parseAs, readJson } from "../../files/files.ts";
import type { Decision } from "../../metrics/decision.ts";
import type { Effect } from "../../metrics/effect.ts";
import { keptFault, retentionOf } from "../../metrics/retention.ts";
import { checkRates, computed, isQuotient, misfit } from "../../results/consistent.ts";
import type { MeasuredOn } from "../../results/measured-on.ts";
import type { Comparison, EvalResult, Scores } from "../../results/result.ts";
import { unpairedDifference } from "../../stats/difference.ts";
import { exactPercent, percent } from "../../stats/percent.ts";
import type { Rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import type { Trigger, TriggerSpec } from "../../triggers/trigger.ts";
import type { SourceOptions } from "../inputs/source.ts";
import { leastMended, leastRetention, limitOf } from "./verdict.ts";

const rateSchema = z.looseObject({ value: z.number(), n: z.int().positive(), interval: z.tuple([z.number(), z.number()]).optional() }); // biome-ignore format: one line
const scoresSchema = z.looseObject({
  ca: rateSchema,
  asr: rateSchema,
  withoutTrigger: rateSchema.optional(),
  triggeredAccuracy: rateSchema.optional(),
  stillRight: rateSchema.optional(),
});
const size = z.int().nonnegative().max(1e7);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().max(1000);

const receiptSchema = z.looseObject({
  kind: z.literal("clean").optional(),
  seed: z.int().nonnegative(),
  target: name,
  trigger: z.looseObject({ kind: z.string().max(100), spec: z.looseObject({}) }),
  model: z.looseObject({ sha256 }).optional(),
  measuredOn: z.object({ weights: sha256.optional(), test: sha256, triggered: sha256.optional() }).optional(),
  inputs: z.looseObject({
    data: name,
    testData: name.optional(),
    validationData: name.optional(),
    classesFile: name.optional(),
    templatesFile: name.optional(),
    skipBad: z.boolean().optional(),
    encoding: z.enum(encodings).optional(),
    sizes: z.record(z.string().max(100), size).and(z.object({ test: size.positive() })),
  }),
  data: z.looseObject({ test: size.optional(), testTriggered: size.optional() }).optional(),
  before: scoresSchema.optional(),
  after: scoresSchema,
  retention: z.number().nullish(),
  retentionInterval: z.tuple([z.number().nullable(), z.number().nullable()]).optional(),
  rule: z.looseObject({ name: z.string().max(100), limit: z.number().optional() }).optional(),
  // 0.1.0 wrote `proven` alone, and went by the values without their intervals
  verdict: z.looseObject({ verified: z.boolean().optional(), proven: z.boolean().optional() }).optional(),
});

/** A receipt from receipt.json whose figures fit together. */
export type Receipt = z.output<typeof receiptSchema>;

/** The largest receipts hold a fitted trigger, a value for every pixel of an image. */
const mostBytes = 8 * 2 ** 20;

/** Read receipt.json (or the folder that has it). Throws `bad-input` when it is none, or its figures contradict each other. */
export async function readReceipt(path: string): Promise<Receipt> {
  const file = (await isFile(path)) ? path : `${path}/receipt.json`;
  if (!(await isFile(file))) {
    throw badInput(`there is no receipt ${printable(path)}; tbar clean leaves receipt.json in the folder it writes`);
  }
  const value = await readJson(file, { bytes: mostBytes });
  const receipt = parseAs(receiptSchema, value, `${file} is not a receipt of tbar clean`);
  checkFigures(receipt, file);
  return receipt;
}

const usualLimit = 0.02;

/** The ASR that counts as gone by the receipt's own rule. */
function goneBelow({ rule }: Receipt): number {
  return rule?.limit === undefined ? usualLimit : limitOf({ name: rule.name, limit: rule.limit } as Rule);
}

/** Throws `bad-input`, naming the figure, when one does not follow from the others. */
function checkFigures(receipt: Receipt, file: string): void {
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
  const { verified, proven } = verdict ?? {};
  if (verified !== undefined && proven !== undefined && proven !== verified)
    fail(`verdict.verified is ${verified}, and verdict.proven, which is the same, ${proven}`);
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
function claimOf({ verdict }: Receipt): "verified" | "proven" | undefined {
  if (verdict?.verified !== undefined) return verdict.verified ? "verified" : undefined;
  return verdict?.proven ? "proven" : undefined;
}

type Stated = z.output<typeof scoresSchema>;

const keptBy = (before: Stated, { ca, stillRight }: Stated) => ({
  before: computed(before.ca),
  after: computed(ca),
  stillRight: stillRight && computed(stillRight),
});

/** Why the bounds of the receipt's own counts do not verify its cleaning; where it does not say the pairs, the worst is taken. */
function unverified(receipt: Receipt): string | undefined {
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
function unproven(receipt: Receipt, { ca, asr, triggeredAccuracy: mended }: Judged): string | undefined {
  const limit = goneBelow(receipt);
  const before = receipt.before?.ca.value;
  if (asr.value > limit) return `after.asr is ${asr.value}, above ${limit}`;
  if (before !== undefined && ca.value < leastRetention * before) return `CA fell from ${before} to ${ca.value}`;
  if (mended !== undefined && mended.value < leastMended * ca.value)
    return `after.triggeredAccuracy is ${mended.value} beside a CA of ${ca.value}`;
  return undefined;
}

/** What the user names: these paths are opened, and no others. */
export type Named = Partial<
  Pick<SourceOptions, "testData" | "classesFile" | "templatesFile" | "skipBad" | "encoding">
> & {
  readonly data?: string;
};

const isWorld = (text: string) => /^shapes(:\w+)?$/.test(text);
/** Class names and templates that ship with tbar go by name, and no name of theirs is a path. */
const isBuiltIn = (text: string) => /^[a-z0-9]+$/i.test(text);

/** The images to measure on. Throws `bad-input` where the receipt names files and the user does not. */
export async function receiptSource(
  { inputs }: Receipt,
  named: Named,
): Promise<Named & { readonly data: string; readonly sizes: Readonly<Record<string, number>> }> {
  const { validation, ...rest } = inputs.sizes;
  // with data of its own, the validation set took no image of the others
  const sizes = inputs.validationData === undefined && validation !== undefined ? { ...rest, validation } : rest;
  if (named.data !== undefined) return { ...named, data: named.data, sizes };
  const wanted = {
    "--data": inputs.data,
    "--test-data": inputs.testData,
    "--classes": inputs.classesFile,
    "--templates": inputs.templatesFile,
  };
  const { knownData } = await import("../../data/sets/prompts.ts");
  const builtIn = (text: string) =>
    isBuiltIn(text) && (text === "plain" || text === "imagenet" || Object.hasOwn(knownData, text));
  const given = {
    "--test-data": named.testData,
    "--classes": named.classesFile,
    "--templates": named.templatesFile,
    "--data": undefined,
  };
  const files = Object.entries(wanted).flatMap(([option, text]) => {
    const known = text === undefined || given[option as keyof typeof given] !== undefined;
    const ours = option === "--data" ? isWorld(text ?? "") : option !== "--test-data" && builtIn(text ?? "");
    return known || ours ? [] : [`${option} (${printable(text, 100)})`];
  });
  if (files.length > 0) {
    throw badInput(
      `the receipt was measured on files, and a receipt opens none by itself; if you have them, name them with ${files.join(", ")}`,
    );
  }
  const { data, classesFile, templatesFile, skipBad, encoding } = inputs;
  return { data, classesFile, templatesFile, skipBad, encoding, ...defined(named), sizes };
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The receipt's trigger, unless the user brings one. */
export function receiptTrigger({ trigger: { kind, spec } }: Receipt): Trigger {
  return storedTrigger({ ...spec, kind }, "the receipt's trigger");
}

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
  const own = verdict && !claim ? ["the receipt itself says that the cleaning is not verified"] : [];
  return {
    claimed,
    agrees: because.length === 0,
    by,
    ...(by === "counts" && { tolerance: flips(after.ca.n) }),
    because,
    notes: [...differs, ...notes, ...lax, ...few, ...own],
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
export function triggerNotes(
  result: EvalResult,
  receipt: Receipt,
  isOwn: boolean,
  carried: readonly Carried[],
): string[] {
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
