/**
 * The 1,000 classes of ImageNet-1K in the order of their labels: WordNet ids, and the names and prompts that OpenAI curated for CLIP (MIT;
 * the notice lies beside them in data/imagenet).
 */
import { readFileSync } from "node:fs";

const linesOf = (file: string): readonly string[] =>
  readFileSync(new URL(`../../../data/imagenet/${file}`, import.meta.url), "utf8")
    .trimEnd()
    .split(/\r?\n/);

/** WordNet's id, a blank, OpenAI's name. */
const classes = linesOf("classes.txt");

export const imagenetIds: readonly string[] = classes.map((line) => line.slice(0, 9));
export const imagenetNames: readonly string[] = classes.map((line) => line.slice(10));
export const imagenetTemplates: readonly string[] = linesOf("templates.txt");
