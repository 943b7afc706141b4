/** tbar trigger: what a trigger does to images. */

import type { ReadOptions } from "../../checkpoint/clip-folder.ts";
import type { TriggerView } from "../../jobs/show-trigger.ts";
import { percent } from "../../stats/percent.ts";
import { badInput } from "../../tensor/error.ts";
import { command } from "../command.ts";
import {
  count,
  countOrNone,
  forceText,
  groups,
  needed,
  number,
  sourceOf,
  withImages,
  withModel,
  withOutput,
} from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { table } from "../text.ts";

export const triggerCommand = (perform: Perform) =>
  command("trigger", {
    summary: "look at a trigger",
    about: "A trigger is a description (badnet:size=16), a trigger.json, or what a checkpoint says of itself.",
    examples: ["tbar trigger show --model shapes-badnet --data shapes --out gallery.png"],
  }).addCommand(show(perform));

const show = (perform: Perform) =>
  withOutput(
    withImages(
      withModel(
        command("show", {
          summary: "draw images without it, with it, and the difference",
          about:
            "Draws a PNG of three rows: images as they are, the same with the trigger on, and what differs, amplified around grey; " +
            "and says how many pixels change and how far.",
          examples: [
            "tbar trigger show blended:ratio=0.1 --data photos --out gallery.png",
            "tbar trigger show bad/trigger.json --data photos --size 224 --out gallery.png",
            "tbar trigger show picture:picture=logo.png,size=32 --data photos --out gallery.png",
            "tbar trigger show --model shapes-badnet --data shapes --out gallery.png",
          ],
        }),
      ),
    ),
  )
    .argument("[trigger]", "KIND:key=value,... or a trigger.json (default: what --model says of itself)")
    .option("--trigger-index <number>", "which of the checkpoint's triggers, if it carries several", count)
    .optionsGroup(groups.run)
    .option("--count <number>", "images to draw", number({ least: 1, most: 64, whole: true }), 8)
    .option(
      "--size <pixels>",
      "side they are read at (default: that of --model, or 224)",
      number({ least: 8, most: 1024, whole: true }),
    )
    .option("--seed <number>", "which images: they are drawn from it", countOrNone, 1)
    .optionsGroup(groups.output)
    .option("--out <file>", "where the PNG goes")
    .option("--force", forceText)
    .action((text, values) =>
      perform(values, async (job) => {
        const out = needed(values.out, "--out", "where shall the picture go?");
        if (!/\.png$/i.test(out)) throw badInput(`cannot write ${out}: the picture is a PNG; call it .png`);
        const { data, ...source } = sourceOf(values);
        await checkOutputs([out], values.force, job);
        const { openSource } = await import("../../jobs/inputs/source.ts");
        const { showTrigger } = await import("../../jobs/show-trigger.ts");
        const { writeFileAtomic } = await import("../../files/atomic.ts");
        const checkpoint = await checkpointOf(values.model, values);
        const known = await (text === undefined
          ? ownTrigger(checkpoint, values)
          : (await import("../../jobs/inputs/read-trigger.ts")).readTrigger(text));
        if (known.trigger === undefined) throw badInput(`${text} is a folder of images; there is no trigger to draw`);
        const { clipPreprocess, preprocessAtSize } = await import("../../checkpoint/config/preprocess.ts");
        const usual = checkpoint?.preprocess ?? clipPreprocess(224);
        const preprocess = preprocessAtSize(usual, values.size ?? usual.cropSize);
        const images = await openSource(data, source);
        const { gallery } = await images.sets({ gallery: values.count });
        const { openedModel } = await import("../../jobs/inputs/describe-opened.ts");
        job.progress.opened?.({ data: images.opened(), ...(checkpoint && { models: [openedModel(checkpoint)] }) });
        const { view, png } = await showTrigger(gallery, known.trigger, { count: values.count, preprocess });
        await writeFileAtomic(out, png, { force: values.force, set: job.set });
        const json = { kind: "trigger", ...view, ...(known.target !== undefined && { target: known.target }), out };
        return { json, text: viewText(view, known.target, out) };
      }),
    );

async function checkpointOf(model: string | undefined, reading: ReadOptions) {
  if (model === undefined) return undefined;
  const { readCheckpoint } = await import("../../checkpoint/clip-folder.ts");
  return readCheckpoint(model, reading);
}

async function ownTrigger(
  checkpoint: Awaited<ReturnType<typeof checkpointOf>>,
  { model, triggerIndex }: { readonly model?: string; readonly triggerIndex?: number },
) {
  if (checkpoint === undefined)
    throw badInput("which trigger? KIND:key=value,..., a trigger.json, or --model CHECKPOINT");
  const { implantedTrigger } = await import("../../jobs/inputs/model-facts.ts");
  const { storedTrigger } = await import("../../attacks/index.ts");
  const implanted = implantedTrigger(checkpoint.metadata, triggerIndex);
  if (implanted === undefined) throw badInput(`${model} does not say which trigger it carries; name one`);
  return { trigger: storedTrigger(implanted.trigger), target: implanted.target };
}

function viewText(
  { trigger, images, size, changed, largest, mean, factor }: TriggerView,
  target: string | undefined,
  out: string,
) {
  const levels = (change: number) => `${(255 * change).toFixed(1)} of 255`;
  return [
    table([
      ["trigger", target === undefined ? trigger.kind : `${trigger.kind}, to ${target}`],
      ["pixels changed", percent(changed)],
      ["largest change", levels(largest)],
      ["mean change", levels(mean)],
    ]),
    `${images} images of ${size} x ${size}, from top to bottom: clean, triggered, difference x ${factor}\n`,
    `Written: ${out}\n`,
  ].join("");
}
