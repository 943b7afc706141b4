/** What a cleaning without knowledge of the attack will take: two scans, larger fits, and one round of cleaning. More rounds take as much again. */
import { isForStandIns } from "../../../defenses/alpha-search.ts";
import { aimedCost } from "../../../detectors/aimed.ts";
import type { Context } from "../../context.ts";
import { promptsOf } from "../../inputs/source.ts";
import { type Estimate, estimate, fileBytes } from "../../progress/estimate.ts";
import { stepWork } from "../../progress/tower-work.ts";
import { scanStages } from "../../scan/plan.ts";
import { trainingSize } from "../prepare.ts";
import type { CleanSpec } from "../spec.ts";
import { cleanStages, costOf } from "../stages.ts";
import { open } from "./prepare.ts";

export async function planUnknown(spec: CleanSpec, context: Context): Promise<Estimate> {
  const ready = await open(spec, context);
  const { clip, source, recipe, defenses, drawn, rule } = ready;
  const { forget, clean, validation, test } = drawn;
  const sizes = { forget: forget.size, clean: clean.size, validation: validation.size, test: test.size };
  const asked = {
    ...sizes,
    training: trainingSize(ready, sizes),
    epochs: recipe.epochs,
    onStandIns: isForStandIns(rule),
  };
  const copies = defenses.map((one) => costOf(one, asked, defenses).copies ?? 2);
  const stages = cleanStages({
    ...asked,
    defenses,
    checks: spec.checks,
    recoverySteps: spec.recovery,
    curvePoints: 0,
    step: stepWork(clip.config, recipe.modules),
    hasControl: false, // it is asked once, at the end
  });
  const detectors = scanStages(ready.scanning);
  const sum = (of: "gradients" | "encoded") => detectors.reduce((n, part) => n + (part[of] ?? 0), 0);
  const scanning = { gradients: sum("gradients"), encoded: sum("encoded") };
  return estimate({
    job: "clean",
    clip,
    images: test,
    threads: spec.threads,
    recipe,
    parts: [
      { what: "load", texts: promptsOf(source) },
      { what: "scan", ...scanning },
      { what: "recover triggers", gradients: aimedCost() },
      ...stages,
      { what: "scan again", ...scanning },
    ],
    copies: copies.reduce((a, b) => a + b, 5),
    kept: 2 * (sizes.validation + sizes.test),
    outputs: [
      { path: spec.out, bytes: fileBytes(clip.checkpoint) },
      { path: spec.out && `${spec.out}.vector.safetensors`, bytes: 2 * fileBytes(clip.checkpoint) },
    ],
  });
}
