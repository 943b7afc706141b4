/** Options that commands share, and the parsers of their values. */
import { type Command, InvalidArgumentError, type OptionValues } from "@commander-js/extra-typings";
import { activations } from "../checkpoint/config/config.ts";
import { encodings } from "../data/formats/text.ts";
import { localPath } from "../hub/cache.ts";
import { shapesBadnetModel, shapesModel } from "../jobs/inputs/embedded.ts";
import { devices } from "../runtime/onnxruntime.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { command, type Page } from "./command.ts";

interface Bounds {
  readonly least?: number;
  readonly most?: number;
  /** Excluded lower bound. */
  readonly above?: number;
  readonly whole?: true;
}

/** A parser of numbers within bounds; anything else is refused with a sentence that states them. */
export function number(bounds: Bounds): (text: string) => number {
  const {
    least = Number.NEGATIVE_INFINITY,
    most = Number.POSITIVE_INFINITY,
    above = Number.NEGATIVE_INFINITY,
  } = bounds;
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const fits = Number.isFinite(value) && value >= least && value <= most && value > above;
    if (!fits || (bounds.whole && !Number.isSafeInteger(value))) {
      throw new InvalidArgumentError(`It must be ${inWords(bounds)}.`);
    }
    return value;
  };
}

function inWords({ least, most, above, whole }: Bounds): string {
  const limits = [
    least !== undefined && `${least} or more`,
    above !== undefined && `above ${above}`,
    most !== undefined && `at most ${most}`,
  ].filter(Boolean);
  return [whole ? "a whole number" : "a number", limits.join(" and ")].filter(Boolean).join(", ");
}

export const share = number({ above: 0, most: 1 });
export const positive = number({ above: 0 });
export const count = number({ least: 1, whole: true });
/** As the runtime takes them; not imported, for the help is to load fast. */
export const threads = number({ least: 1, most: 512, whole: true });
export const countOrNone = number({ least: 0, whole: true });
/** Images: more than any test set has, and few enough to be counted. */
export const images = number({ least: 1, most: 1e7, whole: true });
export const imagesOrNone = number({ least: 0, most: 1e7, whole: true });

/** Collects the values of an option that may be given several times, or as a list with commas. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(",").filter((name) => name !== "")];
}

/** A checkpoint's path: the shipped ones go by name (a folder of that name is ./shapes), those of the hub as `localPath` says. */
export function modelPath(text: string): string {
  if (text === "shapes") return shapesModel;
  return text === "shapes-badnet" ? shapesBadnetModel : localPath(text);
}

/** A data set's path: only `hf:datasets/OWNER/NAME` is looked up in the hub's cache. */
function dataPath(text: string): string {
  return text.startsWith("hf:") ? localPath(text) : text;
}

/** A parser of one of these names; of any other it says which there are. */
export function oneOf<Name extends string>(kind: string, names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const known = names.find((name) => name === text);
    if (known === undefined) throw unknownName(kind, text, names);
    return known;
  };
}

/** The headings that options stand under, in the order of help pages; a command's own come between the first two. */
export const groups = { inputs: "Model and data:", run: "This run:", output: "Output:" } as const;

export const forceText = "replace outputs that exist";
export const stateText = "keep work in progress in this folder; the same command goes on from it after a kill";

export function withModel<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  const text =
    "checkpoint: Hugging Face or open_clip folder, .safetensors or PyTorch file, or a shipped one: shapes, shapes-badnet";
  return withReading(command.optionsGroup(groups.inputs).option("--model <path>", text, modelPath));
}

/** How checkpoints are read where they leave it open: `ReadOptions`. */
export function withReading<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup(groups.inputs)
    .option("--ignore-tensors <pattern>", "go on without tensors of these names (* any characters), knowingly", each)
    .option("--prefix <name>", "of several models in one file, the one whose tensors' names begin so")
    .option(
      "--activation <name>",
      `of weights without a config: ${activations.join(", ")}`,
      oneOf("activation", activations),
    );
}

/** Collects the values of an option that may be given several times. */
function each(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Images, whatever they are used for. */
export function withImages<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  const text =
    "images: folder of class folders, CSV with image,label or image,caption, shards, CIFAR .bin, or the built-in world: shapes";
  return command
    .optionsGroup(groups.inputs)
    .option("--data <path>", text, dataPath)
    .option("--skip-bad", "leave out images that cannot be read")
    .option(
      "--encoding <name>",
      `of tables, captions and class names that are no UTF-8: ${encodings.slice(1).join(", ")}`,
      oneOf("encoding", encodings),
    );
}

/** Images that are split and classified: `SourceOptions`. */
export function withData<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return withImages(command)
    .option("--test-data <path>", "images to measure on, if --data is not to be split")
    .option("--classes <file>", "class names, one a line, in the order of the labels (or imagenet)")
    .option(
      "--templates <file>",
      "prompts, one a line, {} standing for the class name (or cifar100, imagenet, sun397, plain, ...)",
    );
}

/** From which seed and on what a job runs. */
export function withRun<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup(groups.run)
    .option("--seed <number>", "every random choice follows from it", countOrNone, 1)
    .option("--threads <number>", "processor threads (default: all)", threads)
    .option("--device <name>", `where it runs: ${devices.join(", ")}`, oneOf("device", devices), "cpu")
    .option("--dry-run", "say what time, memory and disk it will take, and do nothing");
}

/** What is said, and how. */
export function withOutput<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup(groups.output)
    .option("--json", "print the result as one JSON document")
    .option("--quiet", "no progress")
    .option("--debug", "on an error, show where it comes from");
}

/** A command with all of these. */
export function modelCommand(name: string, page: Page) {
  return withOutput(withRun(withData(withModel(command(name, page)))));
}

/** The value of an option that a command cannot do without. Commander's own check would come before that for unknown options. */
export function needed<T>(value: T | undefined, option: string, question: string): T {
  if (value === undefined) throw badInput(`${option} is missing: ${question}`);
  return value;
}

interface DataValues {
  readonly data?: string;
  readonly classes?: string;
  readonly templates?: string;
}

/** The values of `withData` under the names that jobs know. Throws `bad-input` without --data. */
export function sourceOf<V extends DataValues>({ data, classes, templates, ...rest }: V) {
  const given = needed(data, "--data", "which images? A path, or the built-in world: --data shapes");
  return { ...rest, data: given, classesFile: classes, templatesFile: templates };
}

/** The same for `modelCommand`. */
export function inputsOf<V extends DataValues & { readonly model?: string }>(values: V) {
  const model = needed(values.model, "--model", "which checkpoint? A folder, a file, or a shipped one: --model shapes");
  return { ...sourceOf(values), model };
}

/** How a model is trained on images, for commands whose rounds, rate and batch follow the model's family. */
export function withTraining<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .option("--images <number>", "training images", images, 8000)
    .option("--test <number>", "images to measure on", images, 2000)
    .option(
      "--epochs <number>",
      "rounds through the training images (default: what suits the model's family, as are rate and batch)",
      count,
    )
    .option("--lr <rate>", "learning rate", positive)
    .option("--batch <number>", "images a step", count);
}
