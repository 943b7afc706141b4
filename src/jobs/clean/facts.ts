/** What a cleaning's result says of its model, images and recipe. */
import { describedAttack } from "../../attacks/index.ts";
import { version } from "../../files/version.ts";
import { imagesSha256, weightsSha256 } from "../../results/measured-on.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { checkpointFacts, computedOn, readAs } from "../record/facts.ts";
import { decisive } from "../spec.ts";
import type { Bench } from "./bench.ts";
import type { Prepared } from "./prepare.ts";
import { type CleanSpec, cleanSpec } from "./spec.ts";

export const sizesOf = ({ attack, clean, validation, test }: Bench) => ({
  forget: attack.forget.size,
  clean: clean.size,
  validation: validation.size,
  test: test.size,
});

/** Images drawn, before any was left out; of a folder of triggered images, those of its parts. */
export function usable({ threat, drawn, attack }: Bench) {
  const of = (part: "validation" | "test") => ({
    drawn: threat.triggered === undefined ? drawn[part].size : attack[part].size,
    usable: attack[part].size,
    ...(threat.triggered && { folder: threat.triggered.size }),
  });
  return { validation: of("validation"), test: of("test") };
}

/** What was worked on, and how. */
export async function factsOf(bench: Bench, spec: CleanSpec, { trigger: own }: Context) {
  const { clip, threat, source, labels, opened, recipe, defaults } = bench;
  const { data, testData, validationData, classesFile, templatesFile, skipBad, encoding, sizes, seed } = spec;
  return {
    seed,
    model: await checkpointFacts(clip.checkpoint),
    // what an attack says of itself is not true of a function of the caller's own, whatever its kind
    trigger: { ...triggerFacts({ threat }), ...(own === undefined && describedAttack(threat.trigger?.spec.kind)) },
    target: threat.target,
    ...(threat.remaining.length > 0 && {
      remaining: threat.remaining.map(({ trigger, target }) => ({ kind: trigger.kind, target })),
    }),
    data: {
      name: source.name,
      forget: bench.attack.forget.size,
      clean: bench.clean.size,
      validation: bench.validation.size,
      test: bench.test.size,
      testTriggered: bench.attack.test.size,
      skipped: source.skipped,
      labels,
    },
    opened,
    inputs: { data, testData, validationData, classesFile, templatesFile, skipBad, encoding, sizes },
    recipe,
    ...(defaults && { defaults }),
  };
}

function triggerFacts({ threat: { trigger, source } }: Pick<Prepared, "threat">) {
  return { kind: trigger?.spec.kind ?? "images", spec: { ...trigger?.spec }, source };
}

/** All that decides what is trained and counted: with another rule, or other checks, the same work is gone on from. By a clean control model it is settled which defenses run. */
export async function recipeOf(bench: Bench, spec: CleanSpec): Promise<string> {
  const { clip, recipe, threat, attack } = bench;
  const { rule, limit, checks, recovery, fullCurve, ...asked } = decisive(cleanSpec, spec);
  const known = [triggerFacts(bench), threat.target, attack.forget.size];
  return JSON.stringify({ version, ...asked, ...(await readAs(clip)), trigger: known, recipe, ...computedOn(spec) });
}

export async function measuredOn({ clip, test, attack }: Bench, weights: Weights) {
  return {
    weights: weightsSha256(weights),
    test: await imagesSha256(test, clip.preprocess),
    triggered: await imagesSha256(attack.test, clip.preprocess),
  };
}
