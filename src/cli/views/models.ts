/** Jobs that write a model, for eyes. */
import { defaultsText } from "../../engine/family-recipe.ts";
import { duration, points } from "../../report/numbers.ts";
import type { ConvertResult } from "../../results/convert.ts";
import type { ExportResult } from "../../results/export.ts";
import type { FinetuneResult } from "../../results/finetune.ts";
import type { MergeResult } from "../../results/merge.ts";
import type { PretrainResult } from "../../results/pretrain.ts";
import { printable } from "../../tensor/printable.ts";
import { bytesText, rateText, readingText, table, warningText } from "../text.ts";

export function convertText(result: ConvertResult): string {
  const { architecture, tensors, leftOut, ignored = [], pixels, output } = result;
  const others = leftOut.filter((name) => !ignored.includes(name)).map((name) => printable(name, 80));
  const left = others.length === 0 ? "" : `Left out, as they hold no parameter: ${others.join(", ")}\n`;
  return `${architecture}: ${tensors} tensors\n${left}${readingText(result)}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}

export function exportText({ files, output, faithful, pixels }: ExportResult): string {
  const rows = files.map(({ path, bytes, dtype, deviation }) => [
    path,
    bytesText(bytes),
    dtype,
    `within ${deviation.toExponential(1)} of tbar's own embeddings`,
  ]);
  return `${table(rows)}${faithful ? "" : "NOT FAITHFUL: float32 embeddings differ by more than 1e-5\n"}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}

export function finetuneText({ before, after, recipe, defaults, warnings, seconds, output }: FinetuneResult): string {
  const rows = table([
    ["", "clean accuracy"],
    ["before", rateText(before)],
    ["after", rateText(after)],
    ["lift", `${points(after.value - before.value)} points`],
    ["time", duration(seconds)],
    ...(output === undefined ? [] : [["written", output.path]]),
  ]);
  const said = `${rows}${warningText(warnings)}${defaults === undefined ? "" : `${defaultsText(defaults)}\n`}`;
  if (after.value >= before.value) return said;
  return `${said}Accuracy fell: a learning rate below ${recipe.lr}, or more images, may help\n`;
}

export function mergeText(result: MergeResult): string {
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

export function pretrainText({ ca, imagesPerSecond, seconds, output, parameters }: PretrainResult): string {
  const accuracy = ca === undefined ? "not measured: no classes" : `${rateText(ca)}, ${ca.n} held-out images`;
  return table([
    ["zero-shot accuracy", accuracy],
    ["parameters", parameters.toLocaleString("en-US")],
    ["training", `${duration(seconds)}, ${Math.round(imagesPerSecond)} images/s`],
    ["written", output.path],
  ]);
}
