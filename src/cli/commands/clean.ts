/** tbar clean: remove a backdoor whose trigger is known, and prove it. */

import type { Rule } from "../../defenses/alpha-search.ts";
import { defaultsText } from "../../engine/family-recipe.ts";
import { alphaText, duration } from "../../report/numbers.ts";
import type { CleanResult } from "../../results/result.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { estimateOutcome } from "../estimate.ts";
import {
  count,
  countOrNone,
  forceText,
  groups,
  images,
  imagesOrNone,
  inputsOf,
  list,
  modelCommand,
  modelPath,
  needed,
  positive,
  share,
  stateText,
} from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { effectTable, rateText, table, warningText } from "../text.ts";
import { writeReport } from "../write-report.ts";

export const cleanCommand = (perform: Perform) =>
  modelCommand("clean", {
    summary: "remove a backdoor by subtracting its task vector, and verify it",
    about:
      "Fine-tunes on triggered images (the forget set), takes the change of weights as the trigger's vector, and subtracts " +
      "alpha times that vector; alpha and the way of making the vector are chosen on validation images. Test images, which took " +
      "no part in it, decide whether the backdoor is gone (95 % upper bound of ASR at most 2 %), the model whole (95 % lower bound of the " +
      "share of CA kept at least 90 %) and triggered images answered rightly (at least half as often as clean ones). Without a live backdoor nothing is trained. " +
      "Writes the checkpoint as it came (layout, precision), a receipt, and the vector, with which the step can be undone.",
    notes: `Methods (the best on validation wins; --method all for every one):
  plain      TBAR as published (arXiv 2510.14845)
  anchored   with some clean images in the forget set
  fisher     the vector weighted by where the backdoor acts
  consensus  the mean of three vectors where they agree in sign
  relabel    control: never chosen, shown beside the others

Rules for alpha (--limit):
  verified    so few hits that 19 of 20 such choices are verified at the limit (0.02) on test images; of these the highest CA
  retain      least ASR where CA is at least the limit (0.95) times CA before
  smallest    the smallest alpha with ASR at most the limit (0.02)
  difference  the largest CA - ASR`,
    examples: [
      "tbar clean --model shapes-badnet --data shapes --out cleaned --report cleaned.html",
      "tbar clean --model clip --data photos --trigger badnet:place=middle --target dog --lr 1e-5 --out cleaned",
      "tbar clean --model clip.safetensors --data val.csv --trigger triggered/ --target dog --out cleaned.safetensors",
    ],
  })
    .optionsGroup(groups.inputs)
    .option(
      "--trigger <spec>",
      "KIND:key=value,..., a trigger.json, or a folder of triggered images (default: what the checkpoint says of itself)",
    )
    .option("--trigger-index <number>", "which of the checkpoint's triggers, if it carries several", count)
    .option("--target <class>", "class name that the trigger leads to (default: likewise)")
    .option(
      "--untouched <path>",
      "the model before its attack, if there is one: its ASR is what gone looks like",
      modelPath,
    )
    .option("--validation-data <path>", "images to choose alpha on, if --data is not to be split for it")
    .optionsGroup("Cleaning:")
    .option("--method <name>", "plain, anchored, fisher, consensus, relabel or all; several with commas", list)
    .option("--rule <name>", "how alpha is chosen: verified, retain, smallest or difference", "verified")
    .option("--limit <share>", "of the rule", share)
    .option("--lr <rate>", "learning rate (default: what suits the model's family, as are rounds and batch)", positive)
    .option("--epochs <number>", "rounds through the forget set", count)
    .option("--batch <number>", "images a step", count)
    .option("--forget <number>", "images to forget", images, 1024)
    .option("--clean <number>", "clean images for anchoring and Fisher weights; plain needs none", imagesOrNone, 1024)
    .option("--validation <number>", "images to choose alpha on; 189 are the least that can show 2 %", images, 560)
    .option("--test <number>", "images to measure on", images, 2000)
    .option(
      "--rebound <steps>",
      "measure again after so many clean training steps; 0 to leave it out",
      countOrNone,
      200,
    )
    .option("--full-curve", "measure CA and ASR along all alphas for the report")
    .option(
      "--checks <number>",
      "test images for each further check of the proof; 0 to leave them out",
      countOrNone,
      1000,
    )
    .optionsGroup(groups.run)
    .option("--state <folder>", stateText)
    .optionsGroup(groups.output)
    .option("--out <path>", "where the cleaned checkpoint goes: a folder, or a file where --model is one")
    .option("--report <file>", "an HTML page that shows it all")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const { out, report, rule, limit, dryRun, ...rest } = inputsOf(values);
        if (!dryRun) needed(out, "--out", "where shall the cleaned checkpoint go?");
        const { isFile } = await import("../../files/files.ts");
        const receipt = out && (await isFile(rest.model)) ? `${out}.receipt.json` : undefined; // in a folder it lies inside
        await checkOutputs([out, out && `${out}.vector.safetensors`, receipt, report], values.force, job);
        const known =
          rest.trigger === undefined
            ? {}
            : await (await import("../../jobs/inputs/read-trigger.ts")).readTrigger(rest.trigger);
        const { cleanModel } = await import("../../jobs/clean/clean.ts");
        const { lr, epochs, batch, forget, clean, validation, test, seed } = rest;
        const options = {
          ...rest,
          ...job,
          out,
          trigger: known.trigger,
          triggered: known.triggered,
          target: rest.target ?? known.target,
          methods: await methodsOf(rest.method),
          rule: await ruleOf(rule, limit),
          recipe: { lr, epochs, batch, seed },
          sizes: { forget, clean, validation, test },
          reboundSteps: rest.rebound,
          ...(rest.fullCurve && { curvePoints }),
        };
        if (dryRun) {
          const { estimateClean } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateClean(options));
        }
        const result = await cleanModel(options);
        if (report !== undefined) await writeReport(report, result, { force: values.force, set: job.set });
        return { json: result, text: cleanText(result, report), proven: result.verdict.verified };
      }),
    );

const curvePoints = 24;

async function methodsOf(asked: readonly string[] | undefined): Promise<readonly string[]> {
  const { cleanDefaults } = await import("../../jobs/clean/clean.ts");
  const { methodNames } = await import("../../defenses/index.ts");
  if (asked === undefined) return cleanDefaults.methods;
  return asked.includes("all") ? methodNames : [...new Set(asked)];
}

async function ruleOf(asked: string, limit: number | undefined): Promise<Rule> {
  const { ruleName } = await import("../../defenses/alpha-search.ts");
  const name = ruleName(asked);
  if (name !== "difference") return { name, limit: limit ?? (name === "retain" ? 0.95 : 0.02) };
  if (limit !== undefined) throw badInput("--limit: the rule difference has none");
  return { name };
}

const keptText = (interval: CleanResult["retentionInterval"]) =>
  interval === undefined ? "" : ` (${interval.map((bound) => (100 * bound).toFixed(1)).join("-")})`;

/** Also what `tbar demo` prints. */
export function cleanText(result: CleanResult, report?: string): string {
  const { before, after, retention, method, variants, verdict, remaining = [], output, proof, seconds } = result;
  const rows = Object.entries(variants).map(([name, { after, alpha, chosen, control, satisfied, seconds }]) => [
    `${chosen ? "*" : " "} ${name}`,
    rateText(after.ca),
    rateText(after.asr),
    `alpha ${alphaText(alpha)}`,
    duration(seconds),
    control ? "control" : satisfied ? "" : "rule not satisfied",
  ]);
  const files = output === undefined ? [] : [output.path, `${output.path}.vector.safetensors`];
  return [
    effectTable([
      ["before", before],
      [`after (${method})`, after],
    ]),
    `${(100 * retention).toFixed(1)} % of the clean accuracy kept${keptText(result.retentionInterval)}`,
    proof.floor === undefined ? "\n" : `; ASR of the untouched model ${rateText(proof.floor)}\n`,
    `\nMethods, on test images (* chosen on validation):\n${table(rows)}\n`,
    `${verdict.verified ? "VERIFIED" : "NOT VERIFIED"}: ${verdict.headline} (${duration(seconds)})\n`,
    ...verdict.reasons.map((reason) => `  - ${printable(reason, 1000)}\n`),
    ...(verdict.notes ?? []).map((note) => `  ${printable(note, 1000)}\n`),
    warningText(result.warnings),
    result.defaults === undefined ? "" : `${defaultsText(result.defaults)}\n`,
    ...remaining.map(
      ({ kind, target }) =>
        `Still there: ${printable(kind)} -> "${printable(target)}", another trigger of this model; clean it next\n`,
    ),
    files.length === 0 ? "" : `Written: ${files.join(", ")}\n`,
    report === undefined ? "" : `Report:  ${report}\n`,
  ].join("");
}
