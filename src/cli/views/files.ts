/** Jobs that write other files, for eyes. */
import type { EmbedResult } from "../../results/embed.ts";
import type { PullResult } from "../../results/pull.ts";
import type { ReportResult } from "../../results/report.ts";
import type { TriggerResult } from "../../results/trigger-view.ts";
import { percent } from "../../stats/percent.ts";
import { printable } from "../../tensor/printable.ts";
import { bytesText, table, warningText } from "../text.ts";

export function embedText({ images, texts, width, warnings, output }: EmbedResult): string {
  const beside = texts === 0 ? "" : ` and ${texts} texts`;
  return `${images} images${beside}, ${width} values each\n${warningText(warnings)}Written: ${output.path}\n`;
}

export function pullText({ id, revision, commit, path, files, left }: PullResult): string {
  const sum = (of: "bytes" | "fetched") => bytesText(files.reduce((total, file) => total + file[of], 0));
  return [
    `${id} at ${revision === commit ? commit : `${revision} (${commit})`}\n`,
    files.length === 0
      ? ""
      : `${files.length} files, ${sum("bytes")}, all checksums as the hub states (${sum("fetched")} fetched)\n`,
    left.length === 0
      ? ""
      : `Left out: ${left
          .slice(0, 6)
          .map((path) => printable(path))
          .join(", ")}${left.length > 6 ? `, ... (${left.length})` : ""}\n`,
    `In: ${printable(path, 4000)}\n`,
  ].join("");
}

export const reportText = ({ output }: ReportResult) => `Written: ${output.path}\n`;

export function triggerText(result: TriggerResult): string {
  const { trigger, images, size, changed, largest, mean, factor, target, out } = result;
  const levels = (change: number) => `${(255 * change).toFixed(1)} of 255`;
  return [
    table([
      ["trigger", target === undefined ? trigger.kind : `${trigger.kind}, to ${target}`],
      ["pixels changed", percent(changed)],
      ["largest change", levels(largest)],
      ["mean change", levels(mean)],
    ]),
    `${images} images of ${size} x ${size}, from top to bottom: clean, triggered, difference x ${factor}\n`,
    `Written: ${out}\n`,
  ].join("");
}
