/** A checkpoint as ONNX files that transformers.js and ONNX Runtime load, each compared with our own engine before it is handed over. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { orderChange } from "../../checkpoint/config/preprocess.ts";
import { programs } from "../../engine/program-names.ts";
import { refuseFolder, writeFileAtomic, writeFolderAtomic } from "../../files/atomic.ts";
import { sha256File } from "../../files/files.ts";
import { made } from "../../results/base.ts";
import type { ExportResult } from "../../results/export.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { modelPath } from "../inputs/names.ts";
import { Clock, checkpointFacts } from "../record/facts.ts";
import { comparison } from "./compare.ts";
import { companionFiles, onnxName, writeProgram } from "./files.ts";
import type { ExportSpec } from "./spec.ts";

/** Largest deviation of a faithful float32 file. */
const most = 1e-5;

/**
 * OUT/onnx/{model,vision_model,text_model}[_quantized].onnx with config, preprocessing and tokenizer in OUT, as transformers.js looks
 * for them. The trigger or receipt in the checkpoint's metadata goes along. Weights pass one at a time; for the comparison the whole
 * model is loaded twice. Throws `bad-input` when a file would exceed ONNX's 2 GiB.
 */
export async function exportOnnx(spec: ExportSpec, context: Context): Promise<ExportResult> {
  const { out, only = programs, int8, force } = spec;
  const { progress, signal, set, command } = context;
  const clock = new Clock();
  progress.stage("load");
  const checkpoint = await readCheckpoint(modelPath(spec.model), spec);
  progress.opened?.({ models: [openedModel(checkpoint)] });
  const companions = await companionFiles(checkpoint);
  const wanted = programs
    .filter((name) => only.includes(name))
    .flatMap((name) => [{ name, dtype: "float32" as const }, ...(int8 ? [{ name, dtype: "int8" as const }] : [])]);
  await refuseFolder(out, [...Object.keys(companions), ...wanted.map(onnxName)], { force, set });
  const files: ExportResult["files"][number][] = [];
  await writeFolderAtomic(
    out,
    async (folder) => {
      progress.stage("write");
      for (const [name, content] of Object.entries(companions)) await writeFileAtomic(join(folder, name), content);
      await mkdir(join(folder, "onnx"));
      for (const variant of wanted) {
        await checkpoint.stream((parameters) =>
          writeProgram(join(folder, onnxName(variant)), checkpoint, parameters, variant, signal),
        );
        progress.step(wanted.indexOf(variant) + 1, wanted.length);
      }
      progress.stage("compare");
      const deviationOf = await comparison(checkpoint, await context.runtime());
      for (const variant of wanted) {
        const path = onnxName(variant);
        const file = join(folder, path);
        const { size: bytes } = await stat(file);
        const [sha256, deviation] = [await sha256File(file), await deviationOf(file, variant)];
        files.push({ path, bytes, sha256, dtype: variant.dtype, deviation });
        progress.step(files.length, wanted.length);
      }
    },
    { force, set },
  );
  const isResnet = checkpoint.config.vision.kind === "resnet";
  const pixels = orderChange(checkpoint.preprocess.order, isResnet ? "torchvision" : "transformers");
  return {
    ...made("export", 2, command),
    model: await checkpointFacts(checkpoint),
    output: { path: out },
    files,
    ...(pixels && { pixels }),
    faithful: files.every(({ dtype, deviation }) => dtype === "int8" || deviation <= most),
    seconds: clock.seconds(),
  };
}
