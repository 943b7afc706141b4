/** tbar eval: measure a checkpoint, or once more what a receipt claims. */

import { decisionText } from "../../jobs/record/verdict.ts";
import type { Effect } from "../../metrics/effect.ts";
import type { EvalResult } from "../../results/result.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { estimateOutcome } from "../estimate.ts";
import { count, groups, images, inputsOf, modelCommand } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { effectRows, rateText, scoresHead, scoresRow, table, warningText } from "../text.ts";

export const evalCommand = (perform: Perform) =>
  modelCommand("eval", {
    summary: "measure clean accuracy and attack success rate",
    about:
      "Measures zero-shot accuracy (CA) and, where a trigger is known, the share of triggered images of other classes " +
      "that are taken for the target (ASR), beside the share of the same images without the trigger: the difference says whether there is a " +
      "backdoor, with 95 % intervals. With --receipt it measures a cleaned " +
      "checkpoint again on the images its receipt was measured on (files of yours: name them with --data), and exits with 1 if " +
      "the figures do not agree. The model may " +
      "also be one in ONNX: a folder of tbar export, or one of its files, such as onnx/model_quantized.onnx.",
    examples: [
      "tbar eval --model shapes --data shapes",
      "tbar eval --model clip --data photos --trigger badnet:place=middle --target dog",
      "tbar eval --model cleaned --receipt cleaned/receipt.json",
      "tbar eval --model exported/onnx/model_quantized.onnx --data photos",
    ],
  })
    .optionsGroup(groups.inputs)
    .option(
      "--trigger <spec>",
      "KIND:key=value,..., a trigger.json, or a folder of triggered images (default: what the checkpoint says of itself)",
    )
    .option("--trigger-index <number>", "which of the checkpoint's triggers, if it carries several", count)
    .option("--target <class>", "class name that the trigger leads to (default: likewise)")
    .option("--receipt <file>", "receipt.json of tbar clean, or the folder it lies in")
    .optionsGroup("Measuring:")
    .option("--test <number>", "images to measure on", images, 2000)
    .action((values, command) =>
      perform(values, async (job) => {
        const { checkReceipt, evaluateModel } = await import("../../jobs/eval/evaluate.ts");
        const { readReceipt, receiptSource } = await import("../../jobs/record/receipt.ts");
        const receipt = values.receipt === undefined ? undefined : await readReceipt(values.receipt);
        if (receipt !== undefined) {
          const isGiven = (name: string) => command.getOptionValueSource(name) === "cli";
          refuseOther("--test", isGiven("test") ? values.test : undefined, receipt.inputs.sizes.test);
          refuseOther("--seed", isGiven("seed") ? values.seed : undefined, receipt.seed);
        }
        const data = values.data ?? (receipt && (await receiptSource(receipt, sourceNamed(values))).data);
        const { test, dryRun, ...rest } = inputsOf({ ...values, data });
        const known =
          rest.trigger === undefined
            ? {}
            : await (await import("../../jobs/inputs/read-trigger.ts")).readTrigger(rest.trigger);
        const target = rest.target ?? known.target;
        const { trigger, triggered } = known;
        const options = {
          ...rest,
          ...job,
          trigger,
          triggered,
          target,
          testImages: receipt?.inputs.sizes.test ?? test,
        };
        if (dryRun) {
          const { estimateEvaluation } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateEvaluation(options));
        }
        const result = await (receipt === undefined
          ? evaluateModel(options)
          : checkReceipt({ ...options, data: values.data }, receipt));
        return { json: result, text: evalText(result), proven: result.receipt?.agrees ?? true };
      }),
    );

/** Throws `bad-input` where the user asks for other images than those that the receipt is about. */
function refuseOther(option: string, given: number | undefined, own: number): void {
  if (given === undefined || given === own) return;
  throw badInput(
    `${option} ${given} beside a receipt of ${option} ${own}: a receipt is measured as it was made; leave ${option} out`,
  );
}

/** What the user names of the images, under the names that jobs know. */
function sourceNamed({ testData, classes, templates }: { testData?: string; classes?: string; templates?: string }) {
  return { testData, classesFile: classes, templatesFile: templates };
}

function evalText(result: EvalResult): string {
  const { ca, receipt, trigger, triggered, target, warnings, elsewhere, decision } = result;
  const effect = effectOf(result);
  if (receipt === undefined || effect === undefined) {
    const rows = [["clean accuracy", rateText(ca), `${ca.n} images`]];
    if (effect !== undefined) {
      const { asr } = effect;
      rows.push(["attack success rate", rateText(asr), `${trigger?.kind ?? triggered} -> ${target}, ${asr.n} images`]);
      rows.push(...effectRows(effect));
    }
    const left =
      elsewhere &&
      `It carries ${printable(elsewhere.kind)} -> "${printable(elsewhere.target)}", which is no class of this data.\n`;
    const said =
      decision && effect && `${printable(capital(decisionText(decision, effect, target ?? "", ca)), 4000)}\n`;
    return `${table(rows)}${said ?? ""}${left ?? ""}${warningText(warnings)}`;
  }
  const { asr } = effect;
  const found = decision && decision.answer !== "no backdoor" && decisionText(decision, effect, target ?? "", ca);
  const { agrees, by, tolerance, because, notes } = receipt;
  const how = by === "counts" ? `same images, same weights, counts within ${tolerance}` : "rates, within chance";
  const verdict = agrees
    ? `AGREES: the receipt's figures were measured again (${how})`
    : `DOES NOT AGREE with its receipt (${how})`;
  return [
    table([scoresHead, scoresRow("receipt", receipt.claimed), scoresRow("measured", { ca, asr })]),
    `${verdict}\n`,
    ...because.map((why) => `  - ${printable(why, 1000)}\n`),
    found ? `${printable(capital(found), 4000)}\n` : "",
    ...notes.map((note) => `Note: ${printable(note, 2000)}\n`),
    warningText(warnings),
  ].join("");
}

const effectOf = ({ asr, withoutTrigger, difference, triggeredAccuracy }: EvalResult): Effect | undefined =>
  asr && withoutTrigger && difference && { asr, withoutTrigger, difference, triggeredAccuracy };

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
