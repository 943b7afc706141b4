/** All of a map that is known before a pixel is read: what --dry-run refuses is what the job refuses. */
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import type { Dataset } from "../../data/dataset.ts";
import { subset, take } from "../../data/split.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { type Resolved, resolveRecipe } from "../../engine/family-recipe.ts";
import type { Opened } from "../../results/opened.ts";
import { badInput } from "../../tensor/error.ts";
import { type TriggeredDataset, triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { aimedAt, resolveThreat, toldTrigger } from "../clean/threat.ts";
import type { Context } from "../context.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { checkFits } from "../inputs/feasible.ts";
import { modelPath } from "../inputs/names.ts";
import { openClip } from "../inputs/open-clip.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import type { XiSpec } from "./spec.ts";

type Checkpoint = Awaited<ReturnType<typeof readCheckpoint>>;

export interface Prepared {
  /** tau_c is trained as tbar finetune does, tau_t as a cleaning learns its forget set; what the spec says holds for both. */
  readonly recipes: { readonly clean: Resolved; readonly trigger: Resolved };
  /** theta_0. */
  readonly clip: LoadedClip;
  readonly backdoored?: Checkpoint;
  /** The clean model of --clean-model. */
  readonly control?: Checkpoint;
  readonly source: Source;
  readonly classNames: readonly string[];
  readonly trigger: Trigger;
  readonly target: string;
  readonly targetLabel: number;
  readonly alphas: readonly number[];
  /** To make the vectors. */
  readonly finetune: Dataset;
  readonly forget: TriggeredDataset;
  /** To measure on: no image is among both. */
  readonly clean: Dataset;
  readonly triggered: TriggeredDataset;
  readonly opened: Opened;
  readonly warnings: readonly string[];
}

export async function prepare(spec: XiSpec, context: Context): Promise<Prepared> {
  const alphas = alphasOf(spec);
  checkVectors(spec);
  const told = await toldTrigger(spec, context);
  if (told.triggered !== undefined)
    throw badInput(
      "--trigger is a folder of images: a map needs a trigger that can be put on other images; describe it, or name the checkpoint that carries it with --model",
    );
  const clip = await openClip({ ...spec, model: spec.origin }, context);
  const open = async (path: string | undefined) =>
    path === undefined ? undefined : await readCheckpoint(modelPath(path), spec);
  const [backdoored, control] = [await open(spec.model), await open(spec.cleanModel)];
  const named = { ...spec, model: spec.model ?? spec.origin };
  const known = resolveThreat(named, told, backdoored?.metadata ?? {});
  const source = await openSource(spec.data, spec);
  const classNames = neededClasses(source);
  const { target, targetLabel, trigger } = aimedAt(known, classNames);
  if (trigger === undefined) throw badInput("which trigger? name it with --trigger KIND:key=value");
  await checkFits(trigger, clip.config.vision.imageSize);
  const sets = await source.sets({ finetune: spec.images, triggered: spec.triggered, test: 2 * spec.testImages });
  const half = Math.ceil(sets.test.size / 2);
  const others = Array.from({ length: sets.test.size - half }, (_, i) => half + i);
  if (others.length === 0)
    throw badInput(`${source.name} has one test image; clean ones and triggered ones must not be the same`);
  const models = [clip.checkpoint, backdoored, control].filter((one) => one !== undefined);
  const opened: Opened = { models: models.map(openedModel), data: source.opened() };
  context.progress.opened?.(opened);
  const { templates } = source;
  return {
    recipes: {
      clean: resolveRecipe("finetune", clip.config, { ...spec.recipe, seed: spec.seed }),
      trigger: resolveRecipe("clean", clip.config, { ...spec.recipe, seed: spec.seed }),
    },
    clip,
    ...(backdoored && { backdoored }),
    ...(control && { control }),
    source,
    classNames,
    trigger,
    target,
    targetLabel,
    alphas,
    finetune: sets.finetune,
    forget: triggered(sets.triggered, trigger, target, { templates, seed: spec.seed }),
    clean: take(sets.test, half),
    triggered: triggered(subset(sets.test, others), trigger, target),
    opened,
    warnings: checkClasses(clip.tokenize, { classNames, template: templates[0], target }),
  };
}

/** More points than a picture can show. */
const mostAlphas = 401;

/** Multiples of the step from -reach to reach: 0 is among them. Throws `bad-input` where there are too few, or too many. */
export function alphasOf({ reach, step }: Pick<XiSpec, "reach" | "step">): readonly number[] {
  const each = Math.floor(reach / step + 1e-9);
  if (each < 1) throw badInput(`--step ${step} is more than --reach ${reach}: no alpha but 0 would be left`);
  if (2 * each + 1 > mostAlphas)
    throw badInput(
      `--reach ${reach} by --step ${step} is a grid of ${2 * each + 1} x ${2 * each + 1} models; ${mostAlphas} a side are the most`,
    );
  return Array.from({ length: 2 * each + 1 }, (_, i) => Number(((i - each) * step).toPrecision(12)));
}

/** Throws `bad-input` where a vector is told twice, or not enough is told to make it. */
function checkVectors({ cleanModel, cleanVector, triggerVector, triggerFrom, model }: XiSpec): void {
  if (cleanModel !== undefined && cleanVector !== undefined)
    throw badInput("--clean-model and --clean-vector both say what tau_c is; give one of them");
  if (triggerFrom !== "difference") return;
  if (triggerVector !== undefined)
    throw badInput("--trigger-vector and --trigger-from difference both say what tau_t is; give one of them");
  if (model === undefined)
    throw badInput("--trigger-from difference takes the backdoored checkpoint's weights; name it with --model");
}

/** Which vectors the job trains itself. */
export const trains = ({ cleanModel, cleanVector, triggerVector, triggerFrom }: XiSpec) => ({
  clean: cleanModel === undefined && cleanVector === undefined,
  trigger: triggerVector === undefined && triggerFrom === "triggered",
});
