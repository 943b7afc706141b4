/** tbar export: a checkpoint as ONNX. */
import type { ExportResult } from "../../jobs/export.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { command } from "../command.ts";
import { forceText, groups, list, needed, threads, withModel, withOutput } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { bytesText, table } from "../text.ts";

export const exportCommand = (perform: Perform) =>
  withOutput(
    withModel(
      command("export", {
        summary: "write a model as ONNX files for transformers.js and ONNX Runtime",
        about:
          "Writes OUT/onnx/model.onnx (both towers and their logits), vision_model.onnx and text_model.onnx, with config and tokenizer " +
          "as transformers.js looks for them; any batch, any length of text. Every file is run beside tbar's own engine: float32 " +
          "embeddings must agree within 1e-5, or the exit code is 1. Measure a file with tbar eval --model OUT/onnx/FILE.",
        examples: [
          "tbar export --model cleaned --out exported",
          "tbar export --model cleaned --out exported --int8 --only both",
          "tbar eval --model exported/onnx/model_quantized.onnx --data photos",
        ],
      }),
    ),
  )
    .option("--only <names>", "some of the files: both, image, text", list)
    .option("--int8", "also files with weights in 8 bits: *_quantized.onnx, a quarter of the size")
    .option("--threads <number>", "processor threads (default: all)", threads)
    .optionsGroup(groups.output)
    .option("--out <folder>", "where the files go")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const model = needed(
          values.model,
          "--model",
          "which checkpoint? A folder, a file, or a shipped one: --model shapes",
        );
        const out = needed(values.out, "--out", "where shall the files go?");
        await checkOutputs([out], values.force, job);
        const { exportModel } = await import("../../jobs/export.ts");
        const result = await exportModel({ ...values, ...job, model, out, only: await onlyOf(values.only) });
        return { json: result, text: exportText(result), proven: result.faithful };
      }),
    );

async function onlyOf(asked: readonly string[] | undefined) {
  if (asked === undefined) return undefined;
  const { programs } = await import("../../engine/onnx-program.ts");
  const unknown = asked.find((name) => !programs.some((known) => known === name));
  if (unknown !== undefined) throw unknownName("program", unknown, programs);
  if (asked.length === 0) throw badInput(`--only names nothing; known: ${programs.join(", ")}`);
  return programs.filter((name) => asked.includes(name));
}

function exportText({ files, output, faithful, pixels }: ExportResult): string {
  const rows = files.map(({ path, bytes, dtype, deviation }) => [
    path,
    bytesText(bytes),
    dtype,
    `within ${deviation.toExponential(1)} of tbar's own embeddings`,
  ]);
  return `${table(rows)}${faithful ? "" : "NOT FAITHFUL: float32 embeddings differ by more than 1e-5\n"}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}
