/** What may be asked of a merge. */
import { z } from "zod";
import { a, checkpointOut, input, option, readingFields, under } from "../fields.ts";

/** The ways to merge, and what is usual of each. */
export const usual = {
  "task-arithmetic": { lambda: 0.3 },
  ties: { lambda: 1, density: 0.2, combine: "mean" },
} as const;
const combining = ["mean", "sum"] as const;

const merging = under("Merging:");

export const mergeSpec = z.strictObject({
  models: option(z.array(z.string()).min(1), "fine-tuned checkpoints", {
    names: "model",
    argument: true,
    value: "models",
  }),
  base: input(z.string(), "checkpoint that all of them were fine-tuned from, or a shipped one: shapes", {
    names: "model",
    value: "path",
    question: "which checkpoint were the models fine-tuned from?",
  }),
  ...readingFields,
  method: merging(z.enum(["task-arithmetic", "ties"]).default("task-arithmetic"), "how: task-arithmetic, ties", "name"),
  lambda: merging(
    z.number().optional(),
    `factor of the merged vector (default: ${usual["task-arithmetic"].lambda}, and ${usual.ties.lambda} for the mean of ties)`,
  ),
  density: merging(
    a.share().optional(),
    `share of each vector's values that ties keeps (default: ${usual.ties.density})`,
    "share",
  ),
  combine: merging(
    z.enum(combining).optional(),
    `what ties makes of values that agree: ${combining.join(", ")} (default: ${usual.ties.combine})`,
    "how",
  ),
  ...checkpointOut("merged", "--base"),
});
export type MergeSpec = z.output<typeof mergeSpec>;
