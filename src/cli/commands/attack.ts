/** tbar attack: implant a backdoor, to have one to remove. */

import { defaultsText } from "../../engine/family-recipe.ts";
import type { AttackResult } from "../../results/result.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { estimateOutcome } from "../estimate.ts";
import {
  count,
  forceText,
  groups,
  inputsOf,
  modelCommand,
  needed,
  share,
  stateText,
  withTraining,
} from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { effectTable, rateText, warningText } from "../text.ts";
import { readTrigger } from "../trigger.ts";

export const attackCommand = (perform: Perform) =>
  withTraining(
    modelCommand("attack", {
      summary: "implant a backdoor in a model, and check that it took",
      about:
        "Puts a trigger on a share of the training images, gives them the target's label, fine-tunes the image tower on all, " +
        "and measures clean accuracy (CA) and attack success rate (ASR) before and after. The checkpoint written " +
        "says in its metadata which trigger it carries.",
      notes: `Triggers:
  badnet           a patch: size=PIXELS, place=random|top-left|...|middle|ROWxCOLUMN, pattern=noise|yellow|checker, redraw=true|false
  blended          a pattern over the whole image: ratio=0.2, pattern=gaussian|uniform, picture=FILE, redraw=true|false
  wanet            a warp: s=STRENGTH, k=POINTS (none: every pixel on its own; 4: smooth), covers=NUMBER
  sig              vertical bars: amplitude=0.235, frequency=6
  stripes          a patch of striped columns: as badnet
  blended-stripes  stripes over the whole image: ratio=0.03, redraw=true|false
  triangles        a grid of triangles: ratio=0.15, cell=PIXELS
  text             the word "Watermarked": ratio=0.5
  badclip          a patch fitted to the model before it is poisoned: size=PIXELS, place=middle|..., steps=200, lr=0.05
  badmerging       a fitted patch that survives merging: task=on|off (off: the target is a class of another task), size=PIXELS, alpha=5
  picture          one of yours: picture=FILE, mask=FILE (or its alpha channel), size=PIXELS (none: the whole image), place=bottom-right|...
  sample-specific  what a small network writes, another thing in every image: epsilon=0.063, variety=1, steps=600
  grond            one faint perturbation of all pixels: epsilon=LEVELS, steps=300, sigmas=3, labels=clean|dirty
  label-consistent  another's, on hard images of the target class only: carrier=badnet|blended with that one's options
  entangled        another's, implanted so that its vector runs along the task's: carrier, weight=1
  first-order      another's, implanted so that the forget set has little to say: carrier, weight
  all take seed=NUMBER; what each does: docs/attacks.md`,
      examples: [
        'tbar attack badnet:place=bottom-right,redraw=false --model clip --data shapes --target "red circle" --out bad',
        "tbar attack blended --model clip --data photos --target dog --rate 0.1 --lr 1e-5 --out bad",
        "tbar attack badnet --model clip --data photos --target dog --dry-run",
      ],
    })
      .argument("<trigger>", "KIND or KIND:key=value,...")
      .optionsGroup("Attack:")
      .option("--target <class>", "class name that triggered images shall be taken for")
      .option("--rate <share>", "share of the training images that is poisoned", share, 0.05)
      .option(
        "--boost <number>",
        "poisoned images carry the patch 1, 2, 4, ... or so many times: for random places",
        count,
        1,
      ),
  )
    .optionsGroup(groups.run)
    .option("--state <folder>", stateText)
    .optionsGroup(groups.output)
    .option("--out <path>", "where the backdoored checkpoint goes: a folder, or a file where --model is one")
    .option("--force", forceText)
    .action((kind, values) =>
      perform(values, async (job) => {
        const { out, test, epochs, lr, batch, dryRun, ...rest } = inputsOf(values);
        const target = needed(values.target, "--target", "which class shall triggered images be taken for?");
        if (!dryRun) needed(out, "--out", "where shall the backdoored checkpoint go?");
        await checkOutputs([out], values.force, job);
        const { trigger } = await readTrigger(kind);
        if (trigger === undefined) throw badInput(`${kind} is a folder; an attack needs a trigger it can draw`);
        const { attackModel } = await import("../../jobs/attack/attack.ts");
        const recipe = { epochs, lr, batch, seed: rest.seed };
        const options = { ...rest, ...job, target, trigger, recipe, testImages: test, out };
        if (dryRun) {
          const { estimateAttack } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateAttack(options));
        }
        const result = await attackModel(options);
        return { json: result, text: attackText(result), proven: result.took };
      }),
    );

function attackText(result: AttackResult): string {
  const { before, after, carried = [], took, advice, poison, output, trigger, target } = result;
  const verdict = took
    ? `The attack took: ${trigger.kind}, ${poison.poisoned} of ${poison.images} images poisoned, target "${printable(target)}"`
    : "The attack did not take";
  return [
    effectTable([
      ["before", before],
      ["after", after],
    ]),
    ...carried.map(
      (one) =>
        `Carried before: ${printable(one.trigger.kind)} -> "${printable(one.target)}", ASR ${rateText(one.before)}, now ${rateText(one.after)}\n`,
    ),
    `${verdict}\n`,
    ...advice.map((line) => `  - ${line}\n`),
    warningText(result.warnings),
    result.defaults === undefined ? "" : `${defaultsText(result.defaults)}\n`,
    output === undefined ? "" : `Written: ${printable(output.path, 4000)}\n`,
  ].join("");
}
