/** What may be asked about a trigger. */
import { z } from "zod";
import { a, checkpointField, imageFields, ofRun, option, outFields, readingFields } from "../fields.ts";
import { triggerFields, triggerSchema } from "../trigger-fields.ts";

export const triggerSpec = z.strictObject({
  trigger: option(
    triggerSchema.optional(),
    "KIND:key=value,... or a trigger.json (default: what --model says of itself)",
    { argument: true, value: "trigger" },
  ),
  model: checkpointField(a.text()),
  ...readingFields,
  ...imageFields,
  triggerIndex: triggerFields.triggerIndex,
  count: ofRun(z.int().min(1).max(64).default(8), "images to draw"),
  size: ofRun(
    z.int().min(8).max(1024).optional(),
    "side they are read at (default: that of --model, or 224)",
    "pixels",
  ),
  seed: ofRun(a.countOrNone().default(1), "which images: they are drawn from it"),
  ...outFields("where the PNG goes", "where shall the picture go?", "file"),
});
export type TriggerShowSpec = z.output<typeof triggerSpec>;
