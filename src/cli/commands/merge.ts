/** tbar merge: one model out of several that were fine-tuned from one base. */

import type { Combine } from "../../arithmetic/merge.ts";
import type { MergeMethod, MergeResult } from "../../jobs/merge.ts";
import { printable } from "../../tensor/printable.ts";
import { command } from "../command.ts";
import { estimateOutcome } from "../estimate.ts";
import { forceText, groups, modelPath, needed, number, oneOf, share, withOutput, withReading } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { readingText, table } from "../text.ts";

const methods: readonly MergeMethod[] = ["task-arithmetic", "ties"];
const combines: readonly Combine[] = ["mean", "sum"];

export const mergeCommand = (perform: Perform) =>
  withOutput(
    withReading(
      command("merge", {
        summary: "merge models that were fine-tuned from one base",
        about:
          "Adds up what each model learned: theta = BASE + lambda times the merged task vectors tau = MODEL - BASE. The result is " +
          "stored as the base is. Where a model says that it carries a backdoor, the result says so too, and tbar eval " +
          "measures what is left of it.",
        notes: `Methods:
  task-arithmetic   theta = BASE + lambda (tau_1 + tau_2 + ...). Ilharco et al., arXiv 2212.04089
  ties              keep each vector's largest values, elect a sign for every parameter, average those that have it.
                    Yadav et al., arXiv 2306.01708. --combine sum is how the authors of BadMerging use it`,
        examples: [
          "tbar merge --base shapes texture place background --out merged",
          "tbar merge --base shapes --method ties --density 0.2 texture place background --out merged",
          "tbar merge --base clip --lambda 0.3 cars pets backdoored --out merged && tbar eval --model merged --data photos",
        ],
      }),
    ),
  )
    .argument("<models...>", "fine-tuned checkpoints")
    .optionsGroup(groups.inputs)
    .option("--base <path>", "checkpoint that all of them were fine-tuned from, or a shipped one: shapes", modelPath)
    .optionsGroup("Merging:")
    .option("--method <name>", `how: ${methods.join(", ")}`, oneOf("method", methods), "task-arithmetic")
    .option("--lambda <number>", "factor of the merged vector (default: 0.3, and 1 for the mean of ties)", number({}))
    .option("--density <share>", "share of each vector's values that ties keeps (default: 0.2)", share)
    .option(
      "--combine <how>",
      "what ties makes of values that agree: mean, sum (default: mean)",
      oneOf("way", combines),
    )
    .optionsGroup(groups.run)
    .option("--dry-run", "check the models, say what time, memory and disk it will take, and do nothing")
    .optionsGroup(groups.output)
    .option("--out <path>", "where the merged checkpoint goes: a folder, or a file where --base is one")
    .option("--force", forceText)
    .action((paths, values) =>
      perform(values, async (job) => {
        const { dryRun, ...rest } = values;
        const base = needed(values.base, "--base", "which checkpoint were the models fine-tuned from?");
        await checkOutputs([values.out], values.force, job);
        const options = { ...rest, ...job, base, models: paths.map(modelPath) };
        if (dryRun) {
          const { estimateMerge } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateMerge(options));
        }
        const out = needed(values.out, "--out", "where shall the merged checkpoint go?");
        const { mergeModels } = await import("../../jobs/merge.ts");
        const result = await mergeModels({ ...options, out });
        return { json: result, text: mergeText(result) };
      }),
    );

function mergeText(result: MergeResult): string {
  const { base, models, settings, triggers, output } = result;
  const { method, ...numbers } = settings;
  const rows = models.map(({ path, norm }) => [`  ${path}`, `norm of its vector ${norm.toPrecision(4)}`]);
  const how = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  return [
    `${printable(base.path, 4000)} + ${models.length} task ${models.length === 1 ? "vector" : "vectors"} by ${method}, ${how.join(", ")}\n`,
    table(rows),
    ...triggers.map(
      ({ of, trigger, target }) =>
        `Careful: ${printable(of)} says that it carries ${printable(trigger.kind)} -> "${printable(target)}"\n`,
    ),
    readingText(result),
    `Written: ${printable(output.path, 4000)}\n`,
  ].join("");
}
