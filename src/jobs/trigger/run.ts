/** A trigger found, in words, a file or a checkpoint, and drawn on images. */
import { storedTrigger } from "../../attacks/index.ts";
import { type Checkpoint, readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { clipPreprocess, preprocessAtSize } from "../../checkpoint/config/preprocess.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { made } from "../../results/base.ts";
import type { TriggerResult } from "../../results/trigger-view.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { implantedTrigger } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { readTrigger } from "../inputs/read-trigger.ts";
import { openSource } from "../inputs/source.ts";
import { drawTrigger } from "./draw.ts";
import type { TriggerShowSpec as Spec } from "./spec.ts";

export async function showTrigger(spec: Spec, context: Context): Promise<TriggerResult> {
  const { out, force, count, size } = spec;
  if (out === undefined) throw badInput("out is missing: where shall the picture go?");
  if (!/\.png$/i.test(out)) throw badInput(`cannot write ${out}: the picture is a PNG; call it .png`);
  const checkpoint = spec.model === undefined ? undefined : await readCheckpoint(modelPath(spec.model), spec);
  const { trigger, target } = await askedTrigger(spec, checkpoint, context);
  const usual = checkpoint?.preprocess ?? clipPreprocess(224);
  const preprocess = preprocessAtSize(usual, size ?? usual.cropSize);
  const images = await openSource(spec.data, spec);
  const { gallery } = await images.sets({ gallery: count });
  context.progress.opened?.({ data: images.opened(), ...(checkpoint && { models: [openedModel(checkpoint)] }) });
  const { view, png } = await drawTrigger(gallery, trigger, { count, preprocess });
  await writeFileAtomic(out, png, { force, set: context.set });
  return { ...made("trigger", 2, context.command), ...view, ...(target !== undefined && { target }), out };
}

/** Throws `bad-input` where there is none, or none that can be drawn. */
async function askedTrigger(
  { model, trigger: asked, triggerIndex }: Spec,
  checkpoint: Checkpoint | undefined,
  { trigger: given }: Context,
) {
  if (given !== undefined) return { trigger: given };
  if (asked !== undefined) {
    const { trigger, target } = await readTrigger(asked);
    if (trigger === undefined) throw badInput(`${asked} is a folder of images; there is no trigger to draw`);
    return { trigger, target };
  }
  if (checkpoint === undefined)
    throw badInput("which trigger? KIND:key=value,..., a trigger.json, or --model CHECKPOINT");
  const implanted = implantedTrigger(checkpoint.metadata, triggerIndex);
  if (implanted === undefined) throw badInput(`${model} does not say which trigger it carries; name one`);
  return { trigger: storedTrigger(implanted.trigger), target: implanted.target };
}
