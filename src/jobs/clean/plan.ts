/** What a cleaning will take: fine-tunings and searches by defense, then the checks. */
import { isVision } from "../../clip/parameters.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import type { Context } from "../context.ts";
import { type Estimate, estimate, fileBytes } from "../progress/estimate.ts";
import { prepare, stagesOf } from "./prepare.ts";
import type { CleanSpec } from "./spec.ts";
import { costOf } from "./stages.ts";

export async function planClean(spec: CleanSpec, context: Context): Promise<Estimate> {
  const ready = await prepare(spec, context);
  const { clip, source, classNames, recipe, defenses, drawn, threat } = ready;
  const forget = threat.triggered === undefined ? drawn.forget.size : threat.triggered.size / 2;
  const sizes = { forget, clean: drawn.clean.size, validation: drawn.validation.size, test: drawn.test.size };
  const copies = defenses.reduce(
    (n, one) => n + (costOf(one, { ...sizes, epochs: recipe.epochs }, defenses).copies ?? 2),
    0,
  );
  return estimate({
    clip,
    weights: clip.weights,
    images: drawn.test,
    threads: spec.threads,
    job: "clean",
    batch: recipe.batch,
    parts: [{ what: "load", texts: classNames.length * source.templates.length }, ...stagesOf(spec, ready, sizes)],
    copies: 5 + copies, // of a training; what each defense holds
    kept: 2 * (sizes.validation + sizes.test),
    outputs: [
      { path: spec.out, bytes: fileBytes(clip.checkpoint) },
      { path: spec.out && `${spec.out}.vector.safetensors`, bytes: visionBytes(clip) },
    ],
  });
}

function visionBytes({ weights }: LoadedClip): number {
  return 4 * [...weights].reduce((n, [name, { data }]) => n + (isVision(name) ? data.length : 0), 0);
}
