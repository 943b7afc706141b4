/** Learning rate, rounds and batch that suit a model, by its family: one table with its reasons. Options that are given win. */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { badInput } from "../tensor/error.ts";
import type { Recipe } from "./finetune.ts";
import { usualRank } from "./lora.ts";

export const families = ["small", "ViT-B", "ViT-L", "ResNet"] as const;
export type Family = (typeof families)[number];

/** By the image tower: a ViT narrower than 512 is small as the embedded one is (width 128), one of 1024 and more is large. */
export function familyOf({ vision }: Pick<ClipConfig, "vision">): Family {
  if (vision.kind === "resnet") return "ResNet";
  if (vision.width < 512) return "small";
  return vision.width < 1024 ? "ViT-B" : "ViT-L";
}

type Settings = Pick<Recipe, "lr" | "epochs" | "batch">;

interface Row extends Settings {
  readonly reason: string;
}

export const trainings = ["clean", "attack", "finetune"] as const;
export type Training = (typeof trainings)[number];

const embedded = "tuned on the embedded model, with seeds other than those of the reported figures";
const fullRun = "as in our full run on a ViT-B/32: 64 steps at 1,024 images (npm run bench:full-run)";
const arithmetic = "task arithmetic's 1e-5 (arXiv 2212.04089) and its 2,000 steps at 8,000 images";
const halved = "task arithmetic's 1e-5 (arXiv 2212.04089), halved for batches that fit 16 GiB; not measured here";
const resnet =
  "CleanCLIP's 1e-5 for an RN50 (arXiv 2303.03323); batches large enough for batch normalization; not measured here";

const learned: Readonly<Record<Family, Row>> = {
  small: { lr: 5e-4, epochs: 4, batch: 64, reason: embedded },
  "ViT-B": { lr: 1e-5, epochs: 4, batch: 16, reason: arithmetic },
  "ViT-L": { lr: 5e-6, epochs: 2, batch: 8, reason: halved },
  ResNet: { lr: 1e-5, epochs: 4, batch: 32, reason: resnet },
};

export const recipes: Readonly<Record<Training, Readonly<Record<Family, Row>>>> = {
  clean: {
    small: { lr: 3e-5, epochs: 6, batch: 64, reason: embedded },
    "ViT-B": { lr: 1e-5, epochs: 1, batch: 16, reason: fullRun },
    "ViT-L": { lr: 5e-6, epochs: 1, batch: 8, reason: halved },
    ResNet: { lr: 1e-5, epochs: 2, batch: 32, reason: resnet },
  },
  ...both(learned),
};

/** What is new to a model, a task or a trigger, is learned alike. */
function both(learned: Readonly<Record<Family, Row>>) {
  return { attack: learned, finetune: learned };
}

const embeddedPairs =
  "tried on the embedded model by contrast with BadNet alone, with a seed other than those of the reported figures";
const badclip =
  "BadCLIP's implant by contrast, 1e-6 and 10 rounds in batches of 128 (arXiv 2311.12075); not measured here";
const implants = `${badclip}, for TBAR names no settings: its vector is then of the implant's scale`;

/** The same by contrast, where a batch is what a pair is told from: larger ones. */
export const contrastiveRecipes: Readonly<Record<Training, Readonly<Record<Family, Row>>>> = {
  clean: {
    small: { lr: 3e-5, epochs: 2, batch: 64, reason: embeddedPairs },
    "ViT-B": { lr: 1e-6, epochs: 10, batch: 128, reason: implants },
    "ViT-L": { lr: 1e-6, epochs: 10, batch: 128, reason: implants },
    ResNet: { lr: 1e-6, epochs: 10, batch: 128, reason: implants },
  },
  ...both({
    small: { lr: 5e-4, epochs: 2, batch: 64, reason: embeddedPairs },
    "ViT-B": { lr: 1e-6, epochs: 10, batch: 128, reason: badclip },
    "ViT-L": { lr: 1e-6, epochs: 10, batch: 128, reason: badclip },
    ResNet: { lr: 1e-6, epochs: 10, batch: 128, reason: badclip },
  }),
};

/** What is the same for every family: warm-up over a tenth of the steps, no weight decay, gradients clipped to norm 1. */
export const common = { warmup: 0.1, weightDecay: 0, clip: 1 } as const;

/** The recipe of a family, whole but for its seed. */
export function familyRecipe(
  training: Training,
  family: Family,
  objective?: Recipe["objective"],
): Omit<Recipe, "seed"> {
  const { reason: _, ...row } = rowOf(training, family, objective);
  return { ...common, ...row };
}

const rowOf = (training: Training, family: Family, objective: Recipe["objective"]): Row =>
  (objective === "contrastive" ? contrastiveRecipes : recipes)[training][family];

/** What a recipe leaves open is filled in by the model's family. */
export type Given = Partial<Recipe> & Pick<Recipe, "seed">;

/** Which settings were not given, and why they are what they are. */
export interface Defaults {
  readonly family: Family;
  readonly settings: Partial<Settings>;
  readonly reason: string;
}

export interface Resolved {
  readonly recipe: Recipe;
  /** Absent where all were given. */
  readonly defaults?: Defaults;
}

/** Throws `bad-input` where options of one objective are given with the other. */
export function resolveRecipe(training: Training, config: Pick<ClipConfig, "vision">, given: Given): Resolved {
  const family = familyOf(config);
  const { reason, ...row } = rowFor(training, family, given);
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as Given;
  const recipe: Recipe = { ...common, ...row, ...said, ...learning(training, given) };
  const open = (["lr", "epochs", "batch"] as const).filter((name) => given[name] === undefined);
  if (open.length === 0) return { recipe };
  return { recipe, defaults: { family, settings: Object.fromEntries(open.map((name) => [name, row[name]])), reason } };
}

/** Low-rank factors take steps ten times as long: about the ratio of best rates in "LoRA Without Regret" (Thinking Machines, 2025). */
const loraRate = 10;

function rowFor(training: Training, family: Family, { objective, modules }: Given): Row {
  const row = rowOf(training, family, objective);
  return modules === "lora" ? { ...row, lr: Number((loraRate * row.lr).toPrecision(3)), reason: `${row.reason}; the rate times ${loraRate} for low-rank factors` } : row; // biome-ignore format: one line
}

/**
 * What learns by contrast: both towers, unless told. With both the logit scale learns where pairs are learned, as in CleanCLIP's code
 * (arXiv 2303.03323); it stays where a vector is made (TBAR says nothing of it), which then holds the towers alone.
 */
function learning(
  training: Training,
  { objective, train, modules, rank }: Given,
): Pick<Recipe, "train" | "temperature" | "rank"> {
  const isLora = modules === "lora";
  if (rank !== undefined && !isLora)
    throw badInput(`--rank ${rank} is of low-rank factors; ask for them with --modules lora`);
  const factors = isLora && { rank: rank ?? usualRank };
  if (objective !== "contrastive") {
    if (train !== "both") return { ...factors };
    throw badInput(
      "--train both needs --objective contrastive: under the frozen head of labels the image tower learns alone",
    );
  }
  if (modules !== undefined && modules !== "all" && !isLora)
    throw badInput(
      `--modules ${modules} is for labels; by contrast take --train image, --modules lora, or leave it out`,
    );
  const towers = train ?? "both";
  const learns = towers === "both" && training !== "clean" && !isLora;
  return { train: towers, temperature: learns ? "learned" : "frozen", ...factors };
}

/** "Recipe for a ViT-B: lr 1e-5, batch 16 (why)" */
export function defaultsText({ family, settings, reason }: Defaults): string {
  const list = Object.entries(settings).map(([name, value]) => `${name} ${number(value)}`);
  return `Recipe for a ${family === "small" ? "small model" : family}: ${list.join(", ")} (${reason})`;
}

const number = (value: number) => (value < 1e-3 ? value.toExponential() : String(value));
