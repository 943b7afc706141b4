/** tbar report: a stored result as a page again, without any model. */
import { command } from "../command.ts";
import { forceText, needed, withOutput } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { writeReport } from "../write-report.ts";

export const reportCommand = (perform: Perform) =>
  withOutput(
    command("report", {
      summary: "draw the report of a stored result again",
      about: "Reads the JSON that tbar clean --json or tbar demo --json printed, and writes it as one HTML file.",
      examples: [
        "tbar clean --model shapes-badnet --data shapes --out cleaned --json > result.json",
        "tbar report result.json --out report.html",
      ],
    }),
  )
    .argument("<result>", "JSON file")
    .option("--out <file>", "where the page goes")
    .option("--force", forceText)
    .action((path, values) =>
      perform(values, async (job) => {
        const { force } = values;
        const out = needed(values.out, "--out", "where shall the page go?");
        await checkOutputs([out], force, job);
        const { readJson } = await import("../../files/files.ts");
        const { checkCleanResult } = await import("../clean-result.ts");
        await writeReport(out, checkCleanResult(await readJson(path, { bytes: 8 * 2 ** 20 }), path), {
          force,
          set: job.set,
        });
        return { json: { kind: "report", output: { path: out } }, text: `Written: ${out}\n` };
      }),
    );
