/** What a cleaning will take: fine-tunings and searches by defense, then the checks. */
import { isVision } from "../../clip/parameters.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import type { Recipe } from "../../engine/finetune.ts";
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate, fileBytes } from "../progress/estimate.ts";
import { prepare, stagesOf, trainingSize } from "./prepare.ts";
import type { CleanSpec } from "./spec.ts";
import { costOf } from "./stages.ts";
import { folderSizes } from "./threat.ts";

export async function planClean(spec: CleanSpec, context: Context): Promise<Estimate> {
  if (spec.unknown) return (await import("./unknown/plan.ts")).planUnknown(spec, context);
  const ready = await prepare(spec, context);
  const { clip, source, recipe, drawn, threat } = ready;
  const { defenses, spare = [] } = ready;
  const forget = threat.triggered === undefined ? drawn.forget.size : folderSizes(threat.triggered.size).forget;
  const sizes = { forget, clean: drawn.clean.size, validation: drawn.validation.size, test: drawn.test.size };
  const taken = {
    ...sizes,
    training: trainingSize(ready, sizes),
    epochs: recipe.epochs,
    learned: ready.learned !== undefined,
  };
  const costs = defenses.map((one) => costOf(one, taken, defenses));
  return estimate({
    job: "clean",
    clip,
    images: drawn.test,
    threads: spec.threads,
    recipe,
    parts: [{ what: "load", texts: promptsOf(source) }, ...stagesOf(spec, ready, sizes)],
    ...(spare.length > 0 && { without: `${spare.join(" and ")}, which run only where the others do not suffice` }),
    copies: costs.reduce((n, { copies = 2 }) => n + copies, 5), // of a training; what each defense holds
    kept: 2 * (sizes.validation + sizes.test),
    outputs: [
      { path: spec.out, bytes: fileBytes(clip.checkpoint) },
      { path: spec.out && `${spec.out}.vector.safetensors`, bytes: vectorBytes(clip, recipe) },
    ],
  });
}

/** Of all that is trained. */
function vectorBytes({ weights }: LoadedClip, { train }: Recipe): number {
  const isTrained = (name: string) => train === "both" || isVision(name);
  return 4 * [...weights].reduce((n, [name, { data }]) => n + (isTrained(name) ? data.length : 0), 0);
}
