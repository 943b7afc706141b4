/** Embeddings, for eyes: how many were written. */
import type { EmbedResult } from "../../results/embed.ts";
import { warningText } from "../text.ts";

export function embedText({ images, texts, width, warnings, output }: EmbedResult): string {
  const beside = texts === 0 ? "" : ` and ${texts} texts`;
  return `${images} images${beside}, ${width} values each\n${warningText(warnings)}Written: ${output.path}\n`;
}
