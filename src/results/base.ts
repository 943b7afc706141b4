/** What every result has, and how a result is read back: one definition each for its type, its file and its documentation. */
import { z } from "zod";
import { families } from "../engine/family-recipe.ts";
import { moduleChoices } from "../engine/finetune.ts";
import { version as tbar } from "../files/version.ts";
import { type Frozen, maybe, strings } from "./field.ts";
import { opened } from "./opened.ts";

export { type Frozen, maybe, strings } from "./field.ts";

/** `tbar/NAME/VERSION`; `kind` is the name alone, as results of 0.1.0 have it. */
export const resultHead = <Name extends string, Version extends number>(name: Name, version: Version) => ({
  schema: z.literal(`tbar/${name}/${version}`),
  kind: z.literal(name),
  opened: opened.optional(),
});

/** The same of a job whose result says how it came about. */
export const madeHead = <Name extends string, Version extends number>(name: Name, version: Version) => ({
  ...resultHead(name, version),
  tbar: z.string().describe("The version of tbar that made it."),
  created: z.string().describe("ISO 8601."),
  command: z.string().describe("The command line; empty where a program asked."),
});

/** The head of a result that is made now. */
export const made = <Name extends string, Version extends number>(name: Name, version: Version, command: string) => ({
  schema: `tbar/${name}/${version}` as const,
  kind: name,
  tbar,
  created: new Date().toISOString(),
  command,
});

/** How checkpoints were read. */
export const readingFields = {
  assumptions: maybe(strings, "What a checkpoint does not say and was taken for granted, a sentence each."),
  ignored: maybe(strings, "Tensors that were left out because the user said so."),
};

/** How a checkpoint was read. */
export type Reading = Frozen<z.output<z.ZodObject<typeof readingFields>>>;

/** JSON has no NaN: a quotient by zero, such as a share of no images, is null in a file and NaN in memory. */
export const quotient = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

export const rate = z
  .looseObject({ value: quotient, n: z.number(), interval: z.tuple([z.number(), z.number()]) })
  .describe("Hits / n, and its 95 % Wilson score interval.");

/** A checkpoint that was worked on. */
export const checkpointFacts = z.looseObject({
  ...readingFields,
  path: z.string(),
  sha256: z.string(),
  layout: z.string(),
  dtype: z.string().describe("The type that most values have."),
  architecture: z.string().describe('"ViT 56/8, width 128, 6 layers"'),
  parameters: z.number(),
});
export type CheckpointFacts = Frozen<z.output<typeof checkpointFacts>>;

export const machine = z.looseObject({
  processor: z.string(),
  cores: z.number(),
  threads: z.number(),
  memoryGiB: z.number(),
  node: z.string(),
  runtime: z.string(),
});
export type Machine = Frozen<z.output<typeof machine>>;

const timings = z
  .array(z.looseObject({ what: z.string(), seconds: z.number() }))
  .describe("Seconds by stage, in their order.");

/** How long a job took, and on what. */
export const ranFields = { seconds: z.number(), timings, machine };

const settings = { lr: z.number(), epochs: z.number(), batch: z.number() };

const given = z.looseObject(settings).partial();
const defaults = z.looseObject({ family: z.enum(families), settings: given, reason: z.string() });

/** How a model was trained on images. */
export const trainingFields = {
  recipe: z.looseObject({
    ...settings,
    warmup: z.number(),
    weightDecay: z.number(),
    clip: z.number(),
    seed: z.number(),
    modules: z.enum(moduleChoices).optional(),
    rank: maybe(z.number(), "Of the factors, with modules lora."),
    objective: maybe(z.enum(["classification", "contrastive"]), "Of labels unless told; or of pairs, by contrast."),
    train: maybe(z.enum(["image", "both"]), "By contrast: which towers learned."),
    temperature: maybe(z.enum(["learned", "frozen"]), "By contrast: did the logit scale learn?"),
  }),
  defaults: maybe(defaults, "What of the recipe was not given, and why it is what it is."),
};

export const warningFields = {
  warnings: maybe(strings, "What makes figures doubtful: classes that look alike, images without a trigger."),
};

/** Where a result lies on disk, and the SHA-256 of its weights. */
export const outputFile = z.looseObject({ path: z.string(), sha256: z.string() });

/** A trigger by its kind, and the class it leads to. */
export const named = z.looseObject({ kind: z.string(), target: z.string() });

/** A trigger as a checkpoint states it, and the class it leads to. */
export const implanted = z.looseObject({ trigger: z.looseObject({ kind: z.string() }), target: z.string() });
