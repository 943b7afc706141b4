/** tbar embed: embeddings to a file. */
import { embedResult } from "../../results/embed.ts";
import { job } from "../job.ts";
import { embedSpec } from "./spec.ts";

export const embed = job({
  name: "embed",
  about:
    "Encodes every image of a data set, and the lines of a text file, as unit-norm embeddings: tensors `images` [N, E] and " +
    "`texts` [M, E] of a safetensors file, whose metadata holds ids, labels, class names and texts as JSON lists.",
  examples: [
    "tbar embed --model clip --data photos --out photos.safetensors",
    "tbar embed --model shapes --data shapes --images 100 --texts prompts.txt --out shapes.safetensors",
  ],
  spec: embedSpec,
  result: embedResult,
  outputs: async ({ out }) => [out],
  plan: async (spec, context) => (await import("./plan.ts")).planEmbed(spec, context),
  run: async (spec, context) => (await import("./run.ts")).embed(spec, context),
});
