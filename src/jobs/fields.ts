/** The fields of specs: each option of a job is described once, here or where the job is defined. */
import { z } from "zod";
import { activations } from "../checkpoint/config/config.ts";
import { encodings } from "../data/formats/text.ts";
import { common } from "../engine/family-recipe.ts";
import { devices, maxThreads } from "../runtime/onnxruntime.ts";
import { groups } from "./job.ts";

/** How a field is said on a command line, beside what its schema says. */
export interface Flag {
  /** The word in angle brackets: --lr <rate>. Of numbers "number", unless told. */
  readonly value?: string;
  /** The option's name where it is not the field's: `testImages` is --test. */
  readonly name?: string;
  /** The heading it stands under; a job's own fields stand under the job's. */
  readonly group?: string;
  /** What a value is that is none of the known: "unknown KIND". Its name, unless told. */
  readonly kind?: string;
  /** Its place is that of an argument, without a name. */
  readonly argument?: true;
  /** What to ask where it is missing and cannot be. */
  readonly question?: string;
  /** A list's values are not cut at commas. */
  readonly whole?: true;
  /** Names of one version ago, which still work. */
  readonly was?: readonly string[];
  /** Its values name models or files: in a result's address in the store their content stands for them. */
  readonly names?: "model" | "file";
  /** It changes where and how the job runs, not what comes out: no part of a result's address in the store. */
  readonly machine?: true;
}

/** Of the schemas that fields are made of. */
export const flags = z.registry<Flag>();

/** A field of a spec: its schema (type, range, default), its help text, and how it is said on a command line. */
export function option<S extends z.ZodType>(schema: S, help: string, flag: Flag = {}): S {
  const told = schema.describe(help);
  flags.add(told, flag);
  return told;
}

/** Options under one heading; `common` is what else all of them share. The word for a value stands alone where it is all there is to say. */
export const under =
  (group: string, common: Flag = {}) =>
  <S extends z.ZodType>(schema: S, help: string, flag: string | Flag = {}): S =>
    option(schema, help, { group, ...common, ...(typeof flag === "string" ? { value: flag } : flag) });

export const [input, ofRun] = [under(groups.inputs), under(groups.run)];
/** Outputs, and what else is no part of what comes out. */
export const output = under(groups.output, { machine: true });
const ofMachine = under(groups.run, { machine: true });

/** What most fields hold: `a.count()`, `a.text()`. */
export const a = {
  text: () => z.string().optional(),
  isAsked: () => z.boolean().default(false),
  share: () => z.number().gt(0).max(1),
  positive: () => z.number().gt(0),
  count: () => z.int().min(1),
  countOrNone: () => z.int().min(0),
  /** Images: more than any test set has, and few enough to be counted. */
  images: () => z.int().min(1).max(1e7),
  imagesOrNone: () => z.int().min(0).max(1e7),
};
const { text, isAsked, positive, countOrNone, images } = a;
export const { count } = a;

/** A model, or what is looked up in one. */
export const checkpointField = <S extends z.ZodType>(schema: S, question?: string) =>
  input(
    schema,
    "checkpoint: Hugging Face or open_clip folder, .safetensors or PyTorch file, or a shipped one: shapes, shapes-badnet",
    { names: "model", value: "path", ...(question !== undefined && { question }) },
  );

/** What weights may lie in. */
export const weightsText = "a folder, .safetensors, .pt, .bin, or an index of shards";

/** How checkpoints are read where they leave it open: `ReadOptions`. */
export const readingFields = {
  ignoreTensors: input(
    z.array(z.string()).optional(),
    "go on without tensors of these names (* any characters), knowingly",
    { value: "pattern", whole: true },
  ),
  prefix: input(text(), "of several models in one file, the one whose tensors' names begin so", "name"),
  activation: input(z.enum(activations).optional(), `of weights without a config: ${activations.join(", ")}`, "name"),
};

export const modelFields = {
  model: checkpointField(z.string(), "which checkpoint? A folder, a file, or a shipped one: --model shapes"),
  ...readingFields,
};

export const file = { names: "file", value: "file" } as const;
export const path = { names: "file", value: "path" } as const;

/** Images, whatever they are used for. */
export const imageFields = {
  data: input(
    z.string(),
    "images: folder of class folders, CSV with image,label or image,caption, shards, CIFAR .bin, or the built-in world: shapes",
    { ...path, question: "which images? A path, or the built-in world: --data shapes" },
  ),
  skipBad: input(isAsked(), "leave out images that cannot be read"),
  encoding: input(
    z.enum(encodings).optional(),
    `of tables, captions and class names that are no UTF-8: ${encodings.slice(1).join(", ")}`,
    "name",
  ),
};

/** Images that are split and classified: `SourceOptions`. */
export const dataFields = {
  ...imageFields,
  testData: input(text(), "images to measure on, if --data is not to be split", path),
  classesFile: input(text(), "class names, one a line, in the order of the labels (or imagenet)", {
    ...file,
    name: "classes",
  }),
  templatesFile: input(
    text(),
    "prompts, one a line, {} standing for the class name (or cifar100, imagenet, sun397, plain, ...)",
    { ...file, name: "templates" },
  ),
};

/** Of a job that looks at images with a model. */
export const inputFields = { ...modelFields, ...dataFields };

/** From which seed and on what a job runs. */
export const runFields = {
  seed: ofRun(countOrNone().default(1), "every random choice follows from it"),
  threads: ofMachine(z.int().min(1).max(maxThreads).optional(), "processor threads (default: all)"),
  device: ofMachine(z.enum(devices).default("cpu"), `where it runs: ${devices.join(", ")}`, "name"),
};

export const training = under("Training:");

/** How many images a model is trained on, and measured on. */
export const setFields = {
  images: training(images().default(8000), "training images"),
  testImages: training(images().default(2000), "images to measure on", { name: "test" }),
};

/** How it is trained: `Recipe` but for its seed, which is the job's. */
export const recipeFields = {
  lr: training(positive().optional(), "learning rate", "rate"),
  epochs: training(
    count().optional(),
    "rounds through the training images (default: what suits the model's family, as are rate and batch)",
  ),
  batch: training(count().optional(), "images a step"),
  warmup: training(
    z.number().min(0).max(1).default(common.warmup),
    "share of the steps over which the rate rises",
    "share",
  ),
  weightDecay: training(z.number().min(0).default(common.weightDecay), "pulls all weights towards zero"),
  clip: training(positive().default(common.clip), "the norm that gradients are cut to", { name: "clip-norm" }),
};

/** The same of a job that takes long: where work in progress is kept. */
export const longRunFields = {
  ...runFields,
  state: ofMachine(
    text(),
    "keep work in progress in this folder; the same command goes on from it after a kill",
    "folder",
  ),
};

export const forceField = () => output(isAsked(), "replace outputs that exist");

/** Where the result goes: `what` says what it is, `question` asks for it. May be left out where nothing is run (--dry-run). */
export const outFields = (what: string, question: string, value = "path") => ({
  out: output(text(), what, { value, question }),
  force: forceField(),
});

/** The same where what comes out is a checkpoint, a file where that of the option `like` is one. */
export const checkpointOut = (kind: string, like = "--model") =>
  outFields(
    `where the ${kind} checkpoint goes: a folder, or a file where ${like} is one`,
    `where shall the ${kind} checkpoint go?`,
  );

/** The same of a job that cannot be estimated, and is nothing but what it writes. */
export const neededOut = (what: string, question: string, value = "path") => ({
  out: output(z.string(), what, { value, question }),
  force: forceField(),
});
