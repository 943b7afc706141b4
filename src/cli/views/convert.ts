/** A conversion, for eyes. */
import type { ConvertResult } from "../../results/convert.ts";
import { printable } from "../../tensor/printable.ts";
import { readingText } from "../text.ts";

export function convertText(result: ConvertResult): string {
  const { architecture, tensors, leftOut, ignored = [], pixels, output } = result;
  const others = leftOut.filter((name) => !ignored.includes(name)).map((name) => printable(name, 80));
  const left = others.length === 0 ? "" : `Left out, as they hold no parameter: ${others.join(", ")}\n`;
  return `${architecture}: ${tensors} tensors\n${left}${readingText(result)}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}
