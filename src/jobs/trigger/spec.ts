/** What may be asked about a trigger. */
import { z } from "zod";
import { checkpointField, countOrNone, groups, imageFields, option, outFields, readingFields } from "../fields.ts";
import { triggerFields, triggerSchema } from "../trigger-fields.ts";

const run = { group: groups.run } as const;

export const triggerSpec = z.strictObject({
  trigger: option(
    triggerSchema.optional(),
    "KIND:key=value,... or a trigger.json (default: what --model says of itself)",
    { argument: true, value: "trigger" },
  ),
  model: checkpointField(z.string().optional()),
  ...readingFields,
  ...imageFields,
  triggerIndex: triggerFields.triggerIndex,
  count: option(z.int().min(1).max(64).default(8), "images to draw", { ...run, value: "number" }),
  size: option(z.int().min(8).max(1024).optional(), "side they are read at (default: that of --model, or 224)", {
    ...run,
    value: "pixels",
  }),
  seed: option(countOrNone().default(1), "which images: they are drawn from it", { ...run, value: "number" }),
  ...outFields("where the PNG goes", "where shall the picture go?", "file"),
});
export type TriggerShowSpec = z.output<typeof triggerSpec>;
