/** tbar demo: the main job on what ships with the package. */
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { estimateOutcome } from "../estimate.ts";
import { forceText, groups, withOutput, withRun } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { beginOutputs, checkPlaces } from "../outputs.ts";
import { writeReport } from "../write-report.ts";
import { cleanText } from "./clean.ts";

export const demoCommand = (perform: Perform) =>
  withOutput(
    withRun(
      command("demo", {
        summary: "watch a backdoor being removed from a CLIP that ships with tbar",
        about:
          "Takes the shipped CLIP with a BadNet backdoor, estimates the trigger's vector, subtracts it, and proves on held-out " +
          "images that the backdoor is gone and the model still works. No arguments, no downloads, a few minutes.",
        examples: ["tbar demo", "tbar demo --seed 2 --out again --json"],
      }),
    ),
  )
    .optionsGroup(groups.output)
    .option("--out <folder>", "for the cleaned checkpoint and the report", "tbar-demo")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const { out, dryRun, ...rest } = values;
        const report = join(out, "report.html");
        await checkPlaces([out]);
        const { demoJob, demoOutput, runDemo } = await import("../../jobs/clean/demo.ts");
        const cleaned = demoOutput(out);
        await beginOutputs([cleaned, `${cleaned}.vector.safetensors`, report], values.force, job);
        const options = { ...rest, ...job, out };
        if (dryRun) {
          const { estimateClean } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateClean(demoJob(options)));
        }
        const result = await runDemo(options).catch(async (error) => {
          await rmdir(out).catch(() => {}); // if it is empty, that is
          throw error;
        });
        await writeReport(report, result, { force: values.force, set: job.set });
        return { json: result, text: cleanText(result, report), proven: result.verdict.verified };
      }),
    );
