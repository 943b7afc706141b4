/** What may be asked of a merge. */
import { z } from "zod";
import { groups, option, outFields, readingFields, share } from "../fields.ts";

/** The ways to merge, and what is usual of each. */
export const usual = {
  "task-arithmetic": { lambda: 0.3 },
  ties: { lambda: 1, density: 0.2, combine: "mean" },
} as const;
const combining = ["mean", "sum"] as const;

const merging = { group: "Merging:" } as const;

export const mergeSpec = z.strictObject({
  models: option(z.array(z.string()).min(1), "fine-tuned checkpoints", {
    names: "model",
    argument: true,
    value: "models",
  }),
  base: option(z.string(), "checkpoint that all of them were fine-tuned from, or a shipped one: shapes", {
    group: groups.inputs,
    names: "model",
    value: "path",
    question: "which checkpoint were the models fine-tuned from?",
  }),
  ...readingFields,
  method: option(z.enum(["task-arithmetic", "ties"]).default("task-arithmetic"), "how: task-arithmetic, ties", {
    ...merging,
    value: "name",
  }),
  lambda: option(
    z.number().optional(),
    `factor of the merged vector (default: ${usual["task-arithmetic"].lambda}, and ${usual.ties.lambda} for the mean of ties)`,
    { ...merging, value: "number" },
  ),
  density: option(
    share().optional(),
    `share of each vector's values that ties keeps (default: ${usual.ties.density})`,
    { ...merging, value: "share" },
  ),
  combine: option(
    z.enum(combining).optional(),
    `what ties makes of values that agree: ${combining.join(", ")} (default: ${usual.ties.combine})`,
    { ...merging, value: "how" },
  ),
  ...outFields(
    "where the merged checkpoint goes: a folder, or a file where --base is one",
    "where shall the merged checkpoint go?",
  ),
});
